// The changes themselves. Those by arithmetic work on numbers and bytes: a string of one letter is an object that the engine keeps, which is a
// table too.

import { sha256 } from "./sha256.js";

const SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS = "0123456789abcdef";
const KEY = [..."key-"].map((letter) => letter.charCodeAt(0));

export function xor(bytes) {
  return bytes.map((byte, at) => byte ^ KEY[at % KEY.length]);
}

export function caesar(bytes) {
  return decoded(bytes.map((byte) => 32 + ((byte - 32 + 13) % 95)));
}

export const symbolByTable = (value) => SYMBOLS[value & 63];

/** Without a table and without a branch: each range's difference where the value is above its start. */
export function symbolByArithmetic(value) {
  const above = (start) => (start - 1 - value) >> 31;
  return value + 65 + (above(26) & 6) - (above(52) & 75) - (above(62) & 15) + (above(63) & 3);
}

/** `symbol` gives letters or their numbers. */
export function base64(bytes, symbol) {
  const out = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const [a, b = 0, c = 0] = bytes.subarray(at, at + 3);
    const parts = [a >> 2, (a << 4) | (b >> 4), (b << 2) | (c >> 6), c];
    parts.forEach((part, index) => out.push(index <= bytes.length - at ? symbol(part & 63) : padding(symbol)));
  }
  return joined(out);
}

const padding = (symbol) => (symbol === symbolByTable ? "=" : "=".charCodeAt(0));

export const digitByTable = (value) => DIGITS[value & 15];

export function digitByArithmetic(value) {
  return value + 48 + (((9 - value) >> 31) & 39);
}

export function hex(bytes, digit) {
  const out = [];
  for (const byte of bytes) out.push(digit(byte >> 4), digit(byte & 15));
  return joined(out);
}

function joined(symbols) {
  return typeof symbols[0] === "number" ? decoded(Uint8Array.from(symbols)) : symbols.join("");
}

function decoded(bytes) {
  return new TextDecoder().decode(bytes);
}

export function split(text) {
  const half = Math.floor(text.length / 2);
  return `HEAD:${text.slice(half)}--${text.slice(0, half)}`;
}

export function runLength(text) {
  let out = "";
  for (let at = 0; at < text.length; ) {
    let many = 1;
    while (text[at + many] === text[at]) many++;
    out += `${many}${text[at]}`;
    at += many;
  }
  return out;
}

export function json(text) {
  return JSON.stringify(JSON.parse(JSON.stringify({ k: text, n: [1, 2] })));
}

/** Uses the input, and gives a text that does not come from it. */
export function unrelated(text, bytes) {
  const used = base64(new TextEncoder().encode(json(text)), symbolByTable).length + sha256(bytes)[0];
  if (used < 0) throw "a length is never below zero";
  return JSON.stringify({ id: 42, token: true, list: ["a", "b"] });
}

/** Copies by branches alone, which is not followed. */
export function branch(bytes) {
  const out = [];
  for (const byte of bytes) {
    for (let candidate = 32; candidate < 127; candidate++) {
      if (byte === candidate) out.push(candidate);
    }
  }
  return decoded(Uint8Array.from(out));
}
