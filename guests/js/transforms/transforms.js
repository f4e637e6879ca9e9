// The transformations of ../../rust/transforms/wit/transforms.wit in JavaScript: what it reads back, changed in every way that a trace has to
// follow; and not at all, where nothing may be found.

import { getEnvironment } from "wasi:cli/environment@0.2.12";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

import { base64, branch, caesar, digitByArithmetic, digitByTable, hex, json, runLength, split, symbolByArithmetic, symbolByTable, unrelated, xor } from "./change.js";
import { deflate } from "./deflate.js";
import { sha256 } from "./sha256.js";

const changes = {
  plain: (text) => text,
  reverse: (text) => [...text].reverse().join(""),
  xor: (_, bytes) => piece("xor", xor(bytes)),
  caesar: (_, bytes) => caesar(bytes),
  "base64-table": (_, bytes) => base64(bytes, symbolByTable),
  "base64-arithmetic": (_, bytes) => base64(bytes, symbolByArithmetic),
  "hex-table": (_, bytes) => hex(bytes, digitByTable),
  "hex-arithmetic": (_, bytes) => hex(bytes, digitByArithmetic),
  split: (text) => split(text),
  "run-length": (text) => runLength(text),
  sha256: (_, bytes) => piece("sha256", sha256(bytes)),
  json: (text) => json(text),
  deflate: (_, bytes) => piece("deflate", deflate(bytes)),
  note: (text) => ({ ...answer("see the note"), note: `note: ${text}` }),
  numbers: (_, bytes) => ({
    ...answer("see the numbers"),
    pieces: [{ name: "numbers", bytes: new Uint8Array(), numbers: Uint32Array.from(bytes, (byte) => byte + 1000) }],
  }),
  error: (text) => {
    throw { tag: "unknown", val: `what is ${text}?` };
  },
  print: (text) => {
    console.log(`[${text}]`);
    return "see the output";
  },
  write: (text, _, source) => {
    if (!source.startsWith("file:")) throw { tag: "unknown", val: "write" };
    return written(`${source.slice(5)}.out`, `kept: ${text}`) ? "written" : "not written";
  },
  unrelated: (text, bytes) => unrelated(text, bytes),
  untouched: () => "the answer is 42, as ever",
  branch: (_, bytes) => branch(bytes),
};

export const transforms = {
  apply(transform, source) {
    const bytes = read(source);
    if (!Object.hasOwn(changes, transform)) throw { tag: "unknown", val: transform };
    const changed = changes[transform](new TextDecoder().decode(bytes), bytes, source);
    return typeof changed === "string" ? answer(changed) : changed;
  },

  sum(source) {
    let bytes = new Uint8Array();
    try {
      bytes = read(source);
    } catch {
      // As empty as one that cannot be read.
    }
    return BigInt(bytes.reduce((sum, byte) => sum + byte, 0));
  },
};

function answer(text) {
  return { text, pieces: [], note: undefined, sum: 0n };
}

function piece(name, bytes) {
  const first = { name: "first", bytes: Uint8Array.of(1, 2, 3), numbers: Uint32Array.of(7) };
  return { ...answer("see the pieces"), pieces: [first, { name, bytes, numbers: new Uint32Array() }] };
}

/** What the source names: `env:NAME`, `file:PATH`, or the text itself. */
function read(source) {
  try {
    if (source.startsWith("env:")) return encoded(variable(source.slice(4)));
    if (source.startsWith("file:")) return content(source.slice(5));
    return encoded(source);
  } catch {
    throw { tag: "unreadable", val: `cannot read ${source}` };
  }
}

function encoded(text) {
  return new TextEncoder().encode(text);
}

function variable(name) {
  const [, value] = getEnvironment().find(([own]) => own === name);
  return value;
}

function opened(path, create, flags) {
  for (const [folder, name] of getDirectories()) {
    const prefix = name.endsWith("/") ? name : `${name}/`;
    if (path.startsWith(prefix)) return folder.openAt({ symlinkFollow: true }, path.slice(prefix.length), create, flags);
  }
  throw `${path}: no folder covers it`;
}

function content(path) {
  const file = opened(path, {}, { read: true });
  const bytes = [];
  for (let end = false; !end; ) {
    let piece;
    [piece, end] = file.read(4096n, BigInt(bytes.length));
    bytes.push(...piece);
    end ||= piece.length === 0;
  }
  return Uint8Array.from(bytes);
}

function written(path, text) {
  try {
    const file = opened(path, { create: true, truncate: true }, { write: true });
    const bytes = encoded(text);
    return file.write(bytes, 0n) === BigInt(bytes.length);
  } catch {
    return false;
  }
}
