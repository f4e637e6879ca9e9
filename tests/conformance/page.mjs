// The table of docs/conformance.md: which scenario, who answers, and what came out.

import { readFileSync, writeFileSync } from "node:fs";

// Whose work a scenario looks at.
const GUEST = "guest";
const CUSTOMS = "customs";
const RMCP = "rmcp";
const FIXTURE = "fixture";
const NOBODY = "nobody";

const WHO = {
    "server-initialize": RMCP,
    "server-session-lifecycle": RMCP,
    "server-stateless": `${RMCP}, ${CUSTOMS}; ${FIXTURE} for three tools`,
    "logging-set-level": CUSTOMS,
    ping: RMCP,
    "completion-complete": `${FIXTURE}; vacuous without`,
    "tools-list": `${GUEST}, ${CUSTOMS}`,
    "tools-call-simple-text": GUEST,
    "tools-call-image": GUEST,
    "tools-call-audio": GUEST,
    "tools-call-embedded-resource": GUEST,
    "tools-call-mixed-content": GUEST,
    "tools-call-with-logging": `${GUEST}, ${CUSTOMS}`,
    "tools-call-error": GUEST,
    "tools-call-with-progress": `${GUEST}, ${CUSTOMS}`,
    "tools-call-sampling": NOBODY,
    "tools-call-elicitation": FIXTURE,
    "json-schema-2020-12": `${GUEST}, ${CUSTOMS}`,
    "elicitation-sep1034-defaults": FIXTURE,
    "elicitation-sep1330-enums": FIXTURE,
    "server-sse-polling": `${GUEST}, ${RMCP}`,
    "server-sse-multiple-streams": `${CUSTOMS}, ${RMCP}`,
    "resources-list": `${CUSTOMS}; ${FIXTURE}`,
    "resources-read-text": FIXTURE,
    "resources-read-binary": FIXTURE,
    "resources-templates-read": FIXTURE,
    "resources-subscribe": FIXTURE,
    "resources-unsubscribe": FIXTURE,
    "sep-2164-resource-not-found": CUSTOMS,
    "prompts-list": FIXTURE,
    "prompts-get-simple": FIXTURE,
    "prompts-get-with-args": FIXTURE,
    "prompts-get-embedded-resource": FIXTURE,
    "prompts-get-with-image": FIXTURE,
    "dns-rebinding-protection": `${CUSTOMS}; in the fixture ${RMCP}`,
    caching: `${RMCP}; ${FIXTURE} for prompts`,
    "http-header-validation": RMCP,
    "http-custom-header-server-validation": `${GUEST}, ${RMCP}`,
    "input-required-result-basic-elicitation": FIXTURE,
    "input-required-result-basic-sampling": NOBODY,
    "input-required-result-basic-list-roots": NOBODY,
    "input-required-result-request-state": FIXTURE,
    "input-required-result-multiple-input-requests": NOBODY,
    "input-required-result-multi-round": FIXTURE,
    "input-required-result-missing-input-response": FIXTURE,
    "input-required-result-non-tool-request": FIXTURE,
    "input-required-result-result-type": FIXTURE,
    "input-required-result-unsupported-methods": `${RMCP}`,
    "input-required-result-tampered-state": FIXTURE,
    "input-required-result-capability-check": NOBODY,
    "input-required-result-ignore-extra-params": FIXTURE,
    "input-required-result-validate-input": `${FIXTURE}; vacuous without`,
    "tasks-*": NOBODY,
};

const REVISIONS = ["2025-06-18", "2025-11-25", "2026-07-28"];
const COLUMNS = REVISIONS.flatMap((revision) => [`program-${revision}`, `fixture-${revision}`]);
const BEGIN = "<!-- results -->\n";
const END = "<!-- end of results -->";

function table(results, required, complain) {
    const known = {};
    const total = {};
    for (const [key, scenarios] of Object.entries(results)) {
        for (const [scenario, checks] of Object.entries(scenarios)) {
            const row = scenario.startsWith("tasks-") ? "tasks-*" : scenario;
            if (!(row in WHO)) complain(`page.mjs does not say who answers ${row}`);
            const cell = ((known[row] ??= {})[key] ??= { passed: 0, all: 0 });
            const sum = (total[key] ??= { passed: 0, all: 0 });
            for (const into of required[key].has(scenario) ? [cell, sum] : [cell]) {
                into.passed += checks.filter((check) => check.status === "SUCCESS").length;
                into.all += checks.length;
            }
        }
    }
    const columns = REVISIONS.map((revision) => `${revision}, program | with fixtures`);
    const lines = [`| scenario | who answers | ${columns.join(" | ")} |`, `|---|---|${"---|".repeat(COLUMNS.length)}`];
    const cell = (found) => {
        if (!found) return "";
        const text = `${found.passed} of ${found.all}`;
        return found.passed === found.all ? text : `**${text}**`;
    };
    for (const [row, who] of Object.entries(WHO)) {
        if (!(row in known)) complain(`page.mjs names ${row}, which the runner does not run`);
        lines.push(`| ${row} | ${who} | ${COLUMNS.map((key) => cell(known[row]?.[key])).join(" | ")} |`);
    }
    lines.push(`| all that are required | | ${COLUMNS.map((key) => cell(total[key])).join(" | ")} |`);
    return `${lines.join("\n")}\n`;
}

/** Compares the page's table with the results, or writes it. True if it is current. */
export function page(path, results, required, complain) {
    const text = readFileSync(path, "utf8");
    const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
    if (from < 0 || to < from) {
        complain(`${path} has no place for the results`);
        return false;
    }
    const made = table(results, required, complain);
    const current = text.slice(0, from + BEGIN.length) + made + text.slice(to);
    if (current === text) return true;
    if (process.env.CUSTOMS_WRITE_CONFORMANCE) {
        writeFileSync(path, current);
        return true;
    }
    complain(`${path} is not current; CUSTOMS_WRITE_CONFORMANCE=1 writes it:\n${made}`);
    return false;
}
