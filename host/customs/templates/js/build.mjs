// Builds @NAME@.wasm.

import { componentize } from "@bytecodealliance/componentize-js";
import { writeFile } from "node:fs/promises";

// What is disabled is what the tool has no use for. For `fetch()`, leave "http" out of the list.
const { component } = await componentize({
  sourcePath: "tool.js",
  witPath: "wit",
  worldName: "tool",
  disableFeatures: ["http", "fetch-event"],
});
await writeFile("@NAME@.wasm", component);
