// Which clients there are, what they speak, and which checks are expected of each.

import { join } from "node:path";

/** What a whole SDK is put through: checks.mjs and checks.py. */
const ALL = [
    "revision",
    "list",
    "structured",
    "tool error",
    "invalid arguments",
    "unknown tool",
    "progress",
    "cancel",
    "accept",
    "decline",
    "provenance",
    "leave",
];

const python = (script) => ({ here, clients, task }) => [join(clients, "venv/bin/python"), join(here, script), task];

const script = (name, more) => ({ here, node, task }) => [node, join(here, name), JSON.stringify({ ...JSON.parse(task), ...more })];

const sdk = (name) => script("sdk.mjs", { sdk: name });

const CLIENTS = [
    {
        client: "Python mcp 2.3.0",
        modes: { legacy: "2025-11-25", auto: "2026-07-28", "2026-07-28": "2026-07-28" },
        command: python("mcp_client.py"),
        checks: ALL,
    },
    {
        client: "TypeScript sdk 1.22.0",
        modes: { default: "2025-06-18" },
        command: sdk("sdk-2025-06-18"),
        checks: ALL,
    },
    {
        client: "TypeScript sdk 1.32.2",
        modes: { default: "2025-11-25" },
        command: sdk("@modelcontextprotocol/sdk"),
        checks: ALL,
    },
    {
        client: "TypeScript client 2.4.0",
        modes: { default: "2025-11-25", auto: "2026-07-28", "2026-07-28": "2026-07-28" },
        command: sdk("@modelcontextprotocol/client"),
        checks: ALL,
    },
    {
        client: "FastMCP 4.1.2",
        modes: { legacy: "2025-11-25", auto: "2026-07-28" },
        command: python("fastmcp_client.py"),
        checks: ALL,
    },
    {
        client: "Inspector 2.12.0",
        modes: { legacy: "2025-11-25", auto: "2026-07-28", modern: "2026-07-28" },
        command: script("inspector.mjs"),
        checks: ["revision", "list", "strict", "structured", "tool error", "invalid arguments", "load"],
        // Over stdio each of its runs has a server of its own, and records go with their server.
        overHttp: ["provenance"],
    },
    {
        client: "agent-framework 1.23.0",
        modes: { default: "2026-07-28" },
        command: python("labels.py"),
        checks: ["list", "label arrives", "label understood"],
    },
];

export const ROWS = CLIENTS.flatMap(({ modes, checks, overHttp = [], ...client }) =>
    ["stdio", "http"].flatMap((transport) =>
        Object.entries(modes).map(([mode, revision]) => ({
            ...client,
            transport,
            mode,
            revision,
            checks: transport === "http" ? [...checks, ...overHttp] : checks,
        })),
    ),
);
