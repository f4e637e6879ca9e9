// Compression: RFC 1951 with the fixed codes, in one block. Matches are looked for one by one, which is slow and short.

const SHORTEST = 3;
const LONGEST = 258;
const FARTHEST = 32768;

export function deflate(bytes) {
  const out = [];
  let [held, count] = [0, 0];

  const bits = (value, many) => {
    held |= value << count;
    for (count += many; count >= 8; count -= 8, held >>>= 8) out.push(held & 255);
  };
  /** A code of Huffman, whose highest bit comes first. */
  const code = (value, many) => {
    for (let at = many - 1; at >= 0; at--) bits((value >> at) & 1, 1);
  };
  const letter = (value) => {
    if (value < 144) code(48 + value, 8);
    else if (value < 256) code(256 + value, 9);
    else if (value < 280) code(value - 256, 7);
    else code(value - 88, 8);
  };

  bits(1, 1);
  bits(1, 2);
  for (let at = 0; at < bytes.length; ) {
    const [length, back] = longest(bytes, at);
    if (length < SHORTEST) {
      letter(bytes[at++]);
      continue;
    }
    const [symbol, more, by] = classed(length - SHORTEST, 4);
    if (length === LONGEST) {
      letter(285);
    } else {
      letter(257 + symbol);
      bits(more, by);
    }
    const [far, further, many] = classed(back - 1, 2);
    code(far, 5);
    bits(further, many);
    at += length;
  }
  letter(256);
  if (count > 0) out.push(held & 255);
  return Uint8Array.from(out);
}

/** The longest piece from there on that stood before, and how far back. */
function longest(bytes, at) {
  let best = [0, 0];
  for (let back = 1; back <= Math.min(at, FARTHEST); back++) {
    let length = 0;
    while (length < LONGEST && at + length < bytes.length && bytes[at + length] === bytes[at + length - back]) length++;
    if (length > best[0]) best = [length, back];
  }
  return best;
}

/** Lengths and distances come in classes, so many of each number of further bits: the class, those bits, and how many they are. */
function classed(value, each) {
  if (value < 2 * each) return [value, 0, 0];
  const by = 31 - Math.clz32(value) - Math.log2(each);
  return [each * by + (value >> by), value & ((1 << by) - 1), by];
}
