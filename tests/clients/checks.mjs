// What every client is put through: the same calls in the same order, whatever its API looks like. checks.py has them for Python.
//
// A client is {revision, tools(), call(name, arguments, {signal, onprogress}), read(uri), close(), answer, asked, absent}: `answer` is what its person
// says to the next question, `asked` the texts that the person was shown, `absent` the code it knows for a resource that is not there.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const PATIENCE = 10_000;
/** A client gives its server two seconds to go by itself. */
const LEAVE = 1_900;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A script for the puppet that reads a file of the host. */
export const reading = (path) =>
    JSON.stringify([
        { op: "open", dir: "/", path: path.slice(1), as: "file" },
        { op: "read", handle: "file" },
    ]);

/** How calls ended, as the ledgers have it at this moment. */
function endings(folder) {
    const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"));
    return lines.flatMap((line) => /"ending":"(\w+)"/.exec(line)?.[1] ?? []);
}

/** The code of the JSON-RPC error that a promise ends with. */
async function code(promise) {
    const error = await promise.then(
        (answer) => assert.fail(`an answer: ${JSON.stringify(answer)}`),
        (error) => error,
    );
    if (typeof error.code !== "number") throw error;
    return error.code;
}

export function checks(client, world, revision) {
    const text = (answer) => JSON.stringify(answer.content);
    let known;
    return {
        async revision() {
            assert.equal(client.revision(), revision);
        },
        async list() {
            const tools = await client.tools();
            const names = tools.map((tool) => tool.name);
            assert.deepEqual(names, [...names].sort(), "sorted");
            assert.ok(["add-note", "read-note", "perform", "test_simple_text"].every((name) => names.includes(name)), `${names}`);
            assert.ok(tools.every((tool) => tool.inputSchema.type === "object"));
            const tool = tools.find((tool) => tool.name === "read-note");
            assert.deepEqual(tool.inputSchema.required, ["path"]);
            assert.equal(tool.outputSchema.type, "object");
            // The older SDK keeps of it what it knows, and that is not much.
            const value = revision < "2025-11-25" ? undefined : ["path", "title", "body", "words", "modified"];
            assert.deepEqual(tool.outputSchema.anyOf?.[0].required, value);
            assert.equal(tool.annotations.openWorldHint, false);
        },
        async structured() {
            const note = { title: "Customs", body: "Nothing to declare.", tags: ["green"] };
            const { result: path } = (await client.call("add-note", note)).structuredContent;
            assert.match(readFileSync(join(world, "notes", path.replace("/data/", "")), "utf8"), /Nothing to declare\./);
            const answer = await client.call("read-note", { path });
            assert.equal(answer.structuredContent.body, "# Customs\n\nNothing to declare.\n\ntags: green\n");
            assert.equal(answer.structuredContent.words, 7);
            assert.deepEqual(JSON.parse(answer.content[0].text), answer.structuredContent);
            known = answer;
        },
        async "tool error"() {
            const answer = await client.call("read-note", { path: "absent" });
            assert.equal(answer.isError, true);
            assert.ok("not-found" in answer.structuredContent.error, text(answer));
        },
        async "invalid arguments"() {
            const call = client.call("read-note", { path: 1 });
            if (revision < "2025-11-25") return assert.equal(await code(call), -32602);
            const answer = await call;
            assert.equal(answer.isError, true);
            assert.match(text(answer), /invalid arguments/);
        },
        async "unknown tool"() {
            assert.equal(await code(client.call("read-notes", { path: "x" })), -32602);
        },
        async progress() {
            const told = [];
            await client.call("test_tool_with_progress", {}, { onprogress: (step) => told.push([step.progress, step.total]) });
            assert.deepEqual(told, [[0, 100], [50, 100], [100, 100]]);
        },
        async cancel() {
            const before = endings(join(world, "ledgers")).filter((ending) => ending === "cancelled").length;
            const given = new AbortController();
            const script = JSON.stringify([{ op: "sleep", ns: "max" }]);
            const call = client.call("perform", { script }, { signal: given.signal });
            call.catch(() => {});
            await sleep(700);
            const at = Date.now();
            given.abort("test");
            await assert.rejects(call);
            while (endings(join(world, "ledgers")).filter((ending) => ending === "cancelled").length === before) {
                assert.ok(Date.now() - at < PATIENCE, "the tool's call goes on");
                await sleep(50);
            }
            // It was the client that ended it, and not the deadline of the call.
            assert.match(text(await client.call("test_simple_text", {})), /simple text/);
        },
        async accept() {
            const path = join(world, "granted");
            client.answer = { action: "accept", content: { grant: "once" } };
            const before = client.asked.length;
            const answer = await client.call("perform", { script: reading(path) });
            assert.equal(client.asked.length, before + 1);
            assert.ok(client.asked.at(-1).includes(path), client.asked.at(-1));
            assert.ok(text(answer).includes("the granted file"), text(answer));
            assert.equal(answer._meta["dev.customs/granted"], "once");
        },
        async decline() {
            const path = join(world, "withheld");
            client.answer = { action: "decline" };
            const before = client.asked.length;
            const answer = await client.call("perform", { script: reading(path) });
            assert.equal(client.asked.length, before + 1);
            assert.ok(!JSON.stringify(answer).includes("the withheld file"), text(answer));
            assert.ok(!JSON.stringify(answer).includes("--allow"), text(answer));
            assert.equal(answer._meta["dev.customs/granted"], undefined);
            assert.ok(answer._meta["dev.customs/denials"].length > 0);
        },
        async provenance() {
            const { evidenceRef } = known._meta["io.modelcontextprotocol/trust-annotations"];
            const record = (await client.read(evidenceRef.ref)).contents[0];
            assert.equal(`sha256:${createHash("sha256").update(record.text).digest("hex")}`, evidenceRef.digest);
            assert.equal(JSON.parse(record.text).tool, "read-note");
            assert.equal(await code(client.read("prov://run/0")), client.absent);
        },
        async leave() {
            const at = Date.now();
            await client.close();
            assert.ok(Date.now() - at < LEAVE, `it took ${Date.now() - at} ms`);
        },
    };
}

/** Runs them, each told in a line. One that fails does not keep the others from running. */
export async function report(list) {
    for (const [check, run] of Object.entries(list)) {
        const why = await run().then(
            () => undefined,
            (error) => `${error?.stack ?? error}`,
        );
        console.log(JSON.stringify({ check, ok: why === undefined, why }));
    }
}
