// Kernels to measure; see kernels.wit of the guest in Rust.

function fold(bytes) {
  let sum = 0;
  for (const byte of bytes.subarray(-8)) sum = (sum * 31 + byte) & 0xffff;
  return sum;
}

function text(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length; at += 4096) {
    out += String.fromCharCode(...bytes.subarray(at, at + 4096));
  }
  return out;
}

const work = {
  loop(bytes) {
    let state = bytes[0];
    for (let at = 0; at < bytes.length; at++) state = (state * 31 + at) & 0xffff;
    return state;
  },
  words(bytes) {
    const counts = new Map();
    for (const word of text(bytes).split(/\s+/)) counts.set(word, (counts.get(word) ?? 0) + 1);
    return [...counts].sort().map(([word, count]) => `${word}=${count};`).join("").length;
  },
  json(bytes) {
    return JSON.stringify(JSON.parse(text(bytes))).length;
  },
  xor(bytes) {
    return fold(bytes.map((byte) => byte ^ 0x5a));
  },
};

export const kernels = {
  run(kernel, input, rounds) {
    let sum = 0;
    for (let round = 0; round < rounds; round++) sum += work[kernel](input);
    return BigInt(sum);
  },
};
