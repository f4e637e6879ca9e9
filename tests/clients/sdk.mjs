// The TypeScript SDK as a client: version 1, an older one of it, and version 2.
//
//   node sdk.mjs '{"sdk", "mode", "revision", "world", "url" | "command"}'
//
// It is run where the packages are: below target/clients.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { checks, report } from "./checks.mjs";

const { sdk, mode, revision, world, url, command } = JSON.parse(process.argv[2]);
const { resolve } = createRequire(`${process.cwd()}/package.json`);
const load = (path) => import(pathToFileURL(resolve(path)).href.replace("/dist/cjs/", "/dist/esm/").replace(/\.cjs$/, ".mjs"));

const me = { name: "customs-test", version: "1" };
const person = { answer: { action: "cancel" }, asked: [] };
const capabilities = { elicitation: {} };

function answer(request) {
    person.asked.push(request.params.message);
    return person.answer;
}

async function first() {
    const [{ Client }, { StdioClientTransport }, { StreamableHTTPClientTransport }, types] = await Promise.all(
        ["client/index.js", "client/stdio.js", "client/streamableHttp.js", "types.js"].map((path) => load(`${sdk}/${path}`)),
    );
    const client = new Client(me, { capabilities });
    client.setRequestHandler(types.ElicitRequestSchema, answer);
    const transport = url
        ? new StreamableHTTPClientTransport(new URL(url))
        : new StdioClientTransport({ command: command[0], args: command.slice(1) });
    // It tells its transport what was agreed on, and nobody else.
    let agreed;
    const told = transport.setProtocolVersion?.bind(transport);
    transport.setProtocolVersion = (version) => {
        agreed = version;
        told?.(version);
    };
    await client.connect(transport);
    return { client, agreed: () => agreed, call: (params, options) => client.callTool(params, undefined, options) };
}

async function second() {
    const [{ Client, StreamableHTTPClientTransport }, { StdioClientTransport }] = await Promise.all([load(sdk), load(`${sdk}/stdio`)]);
    const options = mode === "default" ? {} : { versionNegotiation: { mode: mode === "auto" ? "auto" : { pin: mode } } };
    // It listens for changes all the while.
    const listChanged = { tools: { onChanged: () => {} } };
    const client = new Client(me, { capabilities, listChanged, ...options });
    client.setRequestHandler("elicitation/create", answer);
    const transport = url
        ? new StreamableHTTPClientTransport(new URL(url))
        : new StdioClientTransport({ command: command[0], args: command.slice(1) });
    await client.connect(transport);
    return { client, agreed: () => client.getNegotiatedProtocolVersion(), call: (params, options) => client.callTool(params, options) };
}

const { client, agreed, call } = await (sdk.endsWith("/client") ? second() : first());
const adapter = Object.assign(person, {
    revision: agreed,
    tools: async () => (await client.listTools()).tools,
    call: (name, args, options = {}) => call({ name, arguments: args }, options),
    // Version 2 shows the newer code whatever the server said.
    absent: sdk.endsWith("/client") ? -32602 : -32002,
    read: (uri) => client.readResource({ uri }),
    close: () => client.close(),
});
await report(checks(adapter, world, revision));
