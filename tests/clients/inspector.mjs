// MCP Inspector's command line. Each check is a run of it; over stdio each has a server of its own.
//
//   node inspector.mjs '{"mode", "revision", "world", "url" | "command"}'
//
// It says itself that a tool is not there, and asks nobody: hence no check for that.

import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { report } from "./checks.mjs";

const { mode, revision, world, url, command } = JSON.parse(process.argv[2]);
const inspector = join(process.cwd(), "node_modules/.bin/mcp-inspector");
const target = url ? ["--transport", "http", url] : command;

/** Its exit code, and what it prints. */
function inspect(...args) {
    const all = [inspector, "--cli", "--format", "json", "--protocol-era", mode, ...args, ...target];
    return new Promise((done) =>
        execFile(process.execPath, all, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
            const line = stdout.trim();
            done({ code: error?.code ?? 0, result: line && JSON.parse(line).result, stderr });
        }),
    );
}

async function call(tool, args) {
    return inspect("--method", "tools/call", "--tool-name", tool, "--tool-args-json", JSON.stringify(args));
}

let known;
const checks = {
    async revision() {
        const { result } = await inspect("--method", "initialize");
        assert.equal(result.protocolVersion, revision);
    },
    async list() {
        const { code, result } = await inspect("--method", "tools/list");
        assert.equal(code, 0);
        const tool = result.tools.find((tool) => tool.name === "read-note");
        assert.deepEqual(tool.inputSchema.required, ["path"]);
        assert.deepEqual(tool.outputSchema.anyOf[0].required, ["path", "title", "body", "words", "modified"]);
    },
    // What some models' providers do not take in a schema.
    async strict() {
        const { code, stderr } = await inspect("--strict", "--method", "tools/list");
        assert.equal(code, 0, stderr);
    },
    async structured() {
        const note = { title: "Customs", body: "Nothing to declare.", tags: [] };
        const added = await call("add-note", note);
        assert.equal(added.code, 0, added.stderr);
        assert.match(readFileSync(join(world, "notes/customs.md"), "utf8"), /Nothing to declare\./);
        known = (await call("read-note", { path: "customs.md" })).result;
        assert.match(known.structuredContent.body, /Nothing to declare\./);
    },
    async "tool error"() {
        const { code, result } = await call("read-note", { path: "absent" });
        assert.equal(code, 5);
        assert.ok("not-found" in result.structuredContent.error);
    },
    async "invalid arguments"() {
        const { code, result } = await call("read-note", { path: 1 });
        assert.equal(code, 5);
        assert.match(result.content[0].text, /^invalid arguments/);
    },
    async load() {
        const load = ["--load", "--load-requests", "100", "--load-concurrency", "8"];
        const { code, result } = await inspect(...load, "--method", "tools/call", "--tool-name", "test_simple_text");
        assert.equal(code, 0);
        assert.deepEqual([result.ok, result.toolErrors, result.errors], [100, 0, 0]);
    },
};
if (url) {
    checks.provenance = async () => {
        const { evidenceRef } = known._meta["io.modelcontextprotocol/trust-annotations"];
        const { text } = (await inspect("--method", "resources/read", "--uri", evidenceRef.ref)).result.contents[0];
        assert.equal(`sha256:${createHash("sha256").update(text).digest("hex")}`, evidenceRef.digest);
    };
}
await report(checks);
