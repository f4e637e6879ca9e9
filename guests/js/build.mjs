// Builds the JavaScript guests: `node build.mjs OUT.wasm`. The WIT that they import is the project's own copy of WASI,
// gathered with theirs into one folder because the builder wants it so.

import { componentize } from "@bytecodealliance/componentize-js";
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const wasi = join(here, "../../wit/wasi");
const gathered = join(here, "../target/js/slug/wit");

const out = process.argv[2];
if (!out) {
  console.error("usage: node build.mjs OUT.wasm");
  process.exit(1);
}

await rm(gathered, { recursive: true, force: true });
await mkdir(join(gathered, "deps"), { recursive: true });
await cp(join(here, "slug/wit/slug.wit"), join(gathered, "slug.wit"));
for (const name of await readdir(wasi)) {
  if (name.endsWith(".wit")) await cp(join(wasi, name), join(gathered, "deps", name));
}

const { component, imports } = await componentize({
  sourcePath: join(here, "slug/slug.js"),
  witPath: gathered,
  worldName: "slugger",
  // Nothing here fetches or serves: without these the component imports less.
  disableFeatures: ["http", "fetch-event"],
});
await writeFile(out, component);
console.log(`${out}: ${component.length} bytes, imports ${imports.length}`);
