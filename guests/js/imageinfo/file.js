// A file, read in pieces: what lies between the parts that are looked at is passed over.

import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

const PAGE = 4096;

/** What goes wrong, as an error of the WIT: in a `result`, what is thrown is its `err`. */
export function fail(tag, val) {
  throw { tag, val };
}

const reasons = { access: "not-permitted", "not-permitted": "not-permitted", "no-entry": "not-found", "is-directory": "other" };

export function open(path) {
  try {
    const [folder, rest] = folderOf(path);
    const file = folder.openAt({ symlinkFollow: true }, rest, {}, { read: true });
    const { size, type } = file.stat();
    if (type === "directory") fail("other", `${path}: is a folder`);
    return new Bytes(file, Number(size));
  } catch (error) {
    if (error?.tag) throw error;
    // An error code of WASI arrives as the payload of what is thrown.
    const code = error?.payload ?? error;
    fail(Object.hasOwn(reasons, code) ? reasons[code] : "other", reasons[code] ? path : `${path}: ${code}`);
  }
}

/** The granted folder that covers the path most closely, and the path from there. */
function folderOf(path) {
  let best;
  for (const [folder, name] of getDirectories()) {
    const prefix = name.endsWith("/") ? name : `${name}/`;
    if (path.startsWith(prefix) && (!best || prefix.length > best.prefix.length)) best = { folder, prefix };
  }
  // Where anything was granted the host shows a root above it, and says itself what is not covered.
  if (!best) throw { payload: path.startsWith("/") ? "access" : "no-entry" };
  return [best.folder, path.slice(best.prefix.length)];
}

class Bytes {
  #file;
  #page = new Uint8Array();
  #start = 0;

  constructor(file, size) {
    this.#file = file;
    this.size = size;
  }

  /** Exactly so many bytes, or the file is cut short. */
  read(at, length, what) {
    if (at < 0 || at + length > this.size) fail("damaged", `the file ends in the middle of ${what}`);
    if (at >= this.#start && at + length <= this.#start + this.#page.length) {
      return this.#page.subarray(at - this.#start, at - this.#start + length);
    }
    const wanted = Math.max(length, Math.min(PAGE, this.size - at));
    const bytes = new Uint8Array(wanted);
    let filled = 0;
    while (filled < wanted) {
      const [piece] = this.#file.read(BigInt(wanted - filled), BigInt(at + filled));
      if (piece.length === 0) break;
      bytes.set(piece, filled);
      filled += piece.length;
    }
    // The file may have become shorter meanwhile.
    if (filled < length) fail("damaged", `the file ends in the middle of ${what}`);
    this.#page = bytes.subarray(0, filled);
    this.#start = at;
    return this.#page.subarray(0, length);
  }
}

/** Numbers in bytes. */
export function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function latin1(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function utf8(bytes) {
  return new TextDecoder().decode(bytes);
}
