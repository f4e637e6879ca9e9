// The same tool as everybody would write it with the TypeScript SDK: what a client compares us with.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

const server = new McpServer({ name: "echo", version: "1.0.0" });
server.registerTool(
  "echo",
  { description: "Gives a text back.", inputSchema: { text: z.string() }, outputSchema: { result: z.string() } },
  async ({ text }) => ({ content: [{ type: "text", text }], structuredContent: { result: text } }),
);
await server.connect(new StdioServerTransport());
