// Tries customs with clients that were not written for it: each on a server of its own, over each transport, in each revision it speaks.
//
//   node run.mjs PROGRAM GUESTS CLIENTS-FOLDER NODE [NAME]
//
// NODE is for machines whose own is older than 22. With NAME, only the clients whose names have it are tried.
//
// A row is a client, a transport and a revision; it passes when each check that is expected of it ran and passed, the ledgers verify, and the
// server over HTTP ended well. docs/clients.md has the table, which must be this one; CUSTOMS_WRITE_CLIENTS=1 writes it.

import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ROWS } from "./rows.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const [program, guests, clients, bundled] = process.argv.slice(2, 6).map((path) => path && resolve(path));
const only = process.argv[6];
if (!bundled) {
    console.error("usage: node run.mjs PROGRAM GUESTS CLIENTS-FOLDER NODE [NAME]");
    process.exit(2);
}
const node = Number(process.versions.node.split(".")[0]) >= 22 ? process.execPath : bundled;

const START = 60_000;
const ROW = 240_000;
const STOP = 10_000;
const started = new Set();
process.on("exit", () => started.forEach((child) => child.kill("SIGKILL")));

/** Runs a program to its end. */
function run(command, { cwd = clients, env = {} } = {}) {
    const child = spawn(command[0], command.slice(1), { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    started.add(child);
    const out = { stdout: "", stderr: "" };
    child.stdout.on("data", (data) => (out.stdout += data));
    child.stderr.on("data", (data) => (out.stderr += data));
    const patience = setTimeout(() => child.kill("SIGKILL"), ROW);
    return new Promise((done) => {
        child.once("error", (error) => done({ ...out, stderr: error.message, code: -1 }));
        child.once("close", (code) => {
            clearTimeout(patience);
            started.delete(child);
            done({ ...out, code });
        });
    });
}

/** Starts a server over HTTP, and gives its address and what ends it. */
function serve(command) {
    const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "ignore", "pipe"] });
    started.add(child);
    let told = "";
    const ended = new Promise((done) => child.once("close", (code, signal) => done(signal ?? code)));
    const stop = async () => {
        child.kill("SIGTERM");
        const patience = setTimeout(() => child.kill("SIGKILL"), STOP);
        const code = await ended;
        clearTimeout(patience);
        started.delete(child);
        return { ended: code, told };
    };
    return new Promise((done, fail) => {
        const patience = setTimeout(() => fail(new Error(`no address was told\n${told}`)), START);
        child.once("error", fail);
        ended.then((code) => fail(new Error(`it ended with ${code}\n${told}`)));
        child.stderr.on("data", (data) => {
            told += data;
            const url = /http:\/\/\S+\/mcp/.exec(told)?.[0];
            if (!url) return;
            clearTimeout(patience);
            done({ url, stop });
        });
    });
}

/** Folders and files that a row's tools and questions are about. */
function furnish(name) {
    const world = join(clients, "worlds", name);
    rmSync(world, { recursive: true, force: true });
    for (const folder of ["notes", "ledgers", "home"]) mkdirSync(join(world, folder), { recursive: true });
    writeFileSync(join(world, "granted"), "the granted file\n");
    writeFileSync(join(world, "withheld"), "the withheld file\n");
    return world;
}

async function ledgers(world) {
    const names = readdirSync(join(world, "ledgers"));
    if (names.length === 0) return "there is no ledger";
    for (const name of names) {
        const verified = await run([program, "verify", join(world, "ledgers", name)]);
        if (verified.code !== 0) return `${name}: ${verified.stdout}${verified.stderr}`;
    }
    return undefined;
}

/** Runs one row: what failed, in texts, and how many checks passed. */
async function row({ client, transport, mode, revision, checks, command }) {
    const name = [client, transport, mode].join("-").replaceAll(/[^\w.-]+/g, "-");
    const world = furnish(name);
    const tools = ["notes", "conformance", "puppet"].map((guest) => join(guests, `${guest}.wasm`));
    const server = [program, "serve", ...tools, "--ask", `--allow-write=${world}/notes::/data`, `--ledger=${world}/ledgers`];
    const task = { mode, revision, world };
    const failures = [];
    let stop;
    if (transport === "http") {
        const served = await serve([...server, "--http=127.0.0.1:0"]);
        task.url = served.url;
        stop = served.stop;
    } else {
        task.command = server;
    }
    const ran = await run(command({ here, node, clients, task: JSON.stringify(task) }), { env: { HOME: join(world, "home"), PYTHONDONTWRITEBYTECODE: "1" } });
    writeFileSync(join(world, "client.log"), `${ran.stdout}\n${ran.stderr}`);
    const lines = ran.stdout.split("\n").filter((line) => line.startsWith('{"check"'));
    const results = new Map(lines.map((line) => JSON.parse(line)).map((result) => [result.check, result]));
    for (const check of checks) {
        const result = results.get(check);
        if (!result?.ok) failures.push(`${check}: ${result ? result.why : "did not run"}`);
    }
    const passed = checks.length - failures.length;
    const unknown = [...results.keys()].filter((check) => !checks.includes(check));
    if (unknown.length > 0) failures.push(`not expected: ${unknown}`);
    if (ran.code !== 0) failures.push(`the client ended with ${ran.code}\n${ran.stderr.slice(-4000)}`);
    if (stop) {
        const { ended, told } = await stop();
        writeFileSync(join(world, "server.log"), told);
        if (ended !== 0 && ended !== "SIGTERM") failures.push(`the server ended with ${ended}\n${told}`);
    }
    const broken = await ledgers(world);
    if (broken) failures.push(`ledgers: ${broken}`);
    return { name, passed, failures };
}

const cells = [["client", "transport", "revision", "how it is chosen", "checks passed"]];
let failed = false;
const rows = ROWS.filter(({ client }) => !only || client.includes(only));
for (const each of rows) {
    const began = Date.now();
    const { name, passed, failures } = await row(each).catch((error) => ({ name: each.client, passed: 0, failures: [`${error}`] }));
    cells.push([each.client, each.transport, each.revision, each.mode, `${passed} of ${each.checks.length}`]);
    console.log(`${failures.length === 0 ? "ok  " : "FAIL"} ${cells.at(-1).join(" | ")}, ${Math.round((Date.now() - began) / 1000)} s`);
    for (const failure of failures) console.error(`clients: ${name}: ${failure}`);
    failed ||= failures.length > 0;
}

if (!only) {
    const path = join(here, "../../docs/clients.md");
    const [before, after] = ["<!-- results -->\n", "<!-- /results -->"];
    const lines = [cells[0], cells[0].map(() => "---"), ...cells.slice(1)].map((line) => `| ${line.join(" | ")} |\n`);
    const text = readFileSync(path, "utf8");
    const wanted = text.slice(0, text.indexOf(before) + before.length) + lines.join("") + text.slice(text.indexOf(after));
    if (process.env.CUSTOMS_WRITE_CLIENTS) writeFileSync(path, wanted);
    else if (text !== wanted) {
        failed = true;
        console.error("clients: docs/clients.md does not have this table; CUSTOMS_WRITE_CLIENTS=1 writes it");
    }
}
process.exit(failed || rows.length === 0 ? 1 : 0);
