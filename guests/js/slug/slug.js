// A typed tool in JavaScript; see wit/slug.wit. The engine that runs it has no file system of its own, so files are
// read through WASI itself.

import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

const PIECE = 4096n;
const LONGEST_LINE = 1 << 20;

export const slug = {
  slugify(text) {
    // The engine is built without Unicode tables, so \p{Letter} is not there: beyond ASCII and its Latin-1 signs,
    // everything counts as a letter.
    return text
      .toLowerCase()
      .replace(/[^a-z0-9\u00c0-\uffff]+/g, "-")
      .replace(/^-|-$/g, "");
  },

  readFirstLine(path) {
    const [folder, rest] = folderOf(path);
    // A result in WIT: what is returned is its `ok`, what is thrown its `err`.
    return attempt(path, () => {
      const file = folder.openAt({ symlinkFollow: true }, rest, {}, { read: true });
      return firstLine(file);
    });
  },
};

/** The preopened folder that covers the path most closely, and the path from there. */
function folderOf(path) {
  let best;
  for (const [folder, name] of getDirectories()) {
    const prefix = name.endsWith("/") ? name : `${name}/`;
    if (path.startsWith(prefix) && (!best || prefix.length > best.prefix.length)) best = { folder, prefix };
  }
  if (!best) throw `${path}: no folder given to this tool covers it`;
  return [best.folder, path.slice(best.prefix.length)];
}

function firstLine(file) {
  const bytes = [];
  for (let offset = 0n; bytes.length < LONGEST_LINE; ) {
    const [piece, end] = file.read(PIECE, offset);
    const newline = piece.indexOf(10);
    bytes.push(...(newline < 0 ? piece : piece.subarray(0, newline)));
    if (newline >= 0 || end || piece.length === 0) break;
    offset += BigInt(piece.length);
  }
  return new TextDecoder().decode(new Uint8Array(bytes));
}

function attempt(path, action) {
  try {
    return action();
  } catch (error) {
    // An error code of WASI arrives as the payload of what is thrown.
    throw `${path}: ${error?.payload ?? error}`;
  }
}
