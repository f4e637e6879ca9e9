// Builds a JavaScript guest: `node build.mjs NAME OUT.wasm [WIT FOLDER]`. The WIT that it imports is the project's own copy of WASI,
// gathered with its own into one folder because the builder wants it so.

import { componentize } from "@bytecodealliance/componentize-js";
import { cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// What is disabled is what a guest has no use for: without it the component imports less.
const guests = {
  slug: { worldName: "slugger", disableFeatures: ["http", "fetch-event"] },
  fetch: { worldName: "fetcher", disableFeatures: ["fetch-event"] },
  kernels: { worldName: "measured", disableFeatures: ["http", "fetch-event"] },
  imageinfo: { worldName: "imageinfo", disableFeatures: ["http", "fetch-event"] },
  transforms: { worldName: "transformer", disableFeatures: ["http", "fetch-event"], uses: ["../rust/transforms/wit/transforms.wit"] },
};

const here = dirname(fileURLToPath(import.meta.url));
const wasi = join(here, "../../wit/wasi");

const [name, out, types = `js/${name}/wit`] = process.argv.slice(2);
const guest = guests[name];
if (!guest || !out) {
  console.error(`usage: node build.mjs ${Object.keys(guests).join("|")} OUT.wasm`);
  process.exit(1);
}

const gathered = join(here, "../target/js", name, "wit");
await rm(gathered, { recursive: true, force: true });
await mkdir(join(gathered, "deps"), { recursive: true });
await cp(join(here, "..", types, `${name}.wit`), join(gathered, `${name}.wit`));
for (const file of await readdir(wasi)) {
  if (file.endsWith(".wit")) await cp(join(wasi, file), join(gathered, "deps", file));
}

for (const file of guest.uses ?? []) await cp(join(here, file), join(gathered, "deps", basename(file)));

const { component, imports } = await componentize({
  sourcePath: join(here, name, `${name}.js`),
  witPath: gathered,
  ...guest,
});
await writeFile(out, component);
console.log(`${out}: ${component.length} bytes, imports ${imports.length}`);
