// Texts that are compressed, as in zTXt: RFC 1950 and 1951, no further than somebody reads.

const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The first bytes of what is compressed there. Throws a sentence where it is damaged. */
export function inflate(bytes, limit) {
  if (bytes.length < 2 || (bytes[0] & 15) !== 8 || ((bytes[0] << 8) | bytes[1]) % 31 !== 0) throw "no compressed text";
  const out = [];
  let at = 2;
  let bit = 0;

  const bits = (count) => {
    let value = 0;
    for (let i = 0; i < count; i++) {
      if (at >= bytes.length) throw "a compressed text is cut short";
      value |= ((bytes[at] >> bit) & 1) << i;
      if (++bit === 8) {
        bit = 0;
        at++;
      }
    }
    return value;
  };

  /** The codes of these lengths: how many there are of each, and their symbols in order. */
  const codes = (lengths) => {
    const counts = new Array(16).fill(0);
    for (const length of lengths) counts[length]++;
    counts[0] = 0;
    const symbols = [];
    for (let length = 1; length < 16; length++) {
      for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) symbols.push(symbol);
    }
    return { counts, symbols };
  };

  const symbol = ({ counts, symbols }) => {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length < 16; length++) {
      code |= bits(1);
      if (code - first < counts[length]) return symbols[index + code - first];
      index += counts[length];
      first = (first + counts[length]) << 1;
      code <<= 1;
    }
    throw "a compressed text has a code that means nothing";
  };

  const block = (letters, distances) => {
    while (out.length < limit) {
      const value = symbol(letters);
      if (value < 256) {
        out.push(value);
      } else if (value === 256) {
        return;
      } else {
        if (value > 285) throw "a compressed text has a length that means nothing";
        const step = value - 257;
        const more = step < 8 || step === 28 ? 0 : (step >> 2) - 1;
        const base = step < 8 ? step + 3 : step === 28 ? 258 : ((4 + (step & 3)) << more) + 3;
        const length = base + bits(more);
        const far = symbol(distances);
        if (far > 29) throw "a compressed text has a distance that means nothing";
        const extra = far < 4 ? 0 : (far >> 1) - 1;
        const back = (far < 4 ? far + 1 : ((2 + (far & 1)) << extra) + 1) + bits(extra);
        if (back > out.length) throw "a compressed text points before its beginning";
        for (let i = 0; i < length; i++) out.push(out[out.length - back]);
      }
    }
  };

  for (let last = false; !last && out.length < limit; ) {
    last = bits(1) === 1;
    const kind = bits(2);
    if (kind === 0) {
      if (bit > 0) {
        bit = 0;
        at++;
      }
      const length = bits(16);
      if ((length ^ bits(16)) !== 0xffff) throw "a compressed text has a block of no length";
      if (at + length > bytes.length) throw "a compressed text is cut short";
      for (let i = 0; i < length; i++) out.push(bytes[at++]);
    } else if (kind === 1) {
      const lengths = new Array(288);
      for (let i = 0; i < 288; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
      block(codes(lengths), codes(new Array(30).fill(5)));
    } else if (kind === 2) {
      const [letters, distances, count] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
      const short = new Array(19).fill(0);
      for (let i = 0; i < count; i++) short[ORDER[i]] = bits(3);
      const table = codes(short);
      const lengths = [];
      while (lengths.length < letters + distances) {
        const value = symbol(table);
        if (value < 16) {
          lengths.push(value);
          continue;
        }
        if (value === 16 && lengths.length === 0) throw "a compressed text repeats nothing";
        const [again, times] =
          value === 16 ? [lengths[lengths.length - 1], 3 + bits(2)] : value === 17 ? [0, 3 + bits(3)] : [0, 11 + bits(7)];
        for (let i = 0; i < times; i++) lengths.push(again);
      }
      if (lengths.length > letters + distances) throw "a compressed text has too many codes";
      block(codes(lengths.slice(0, letters)), codes(lengths.slice(letters)));
    } else {
      throw "a compressed text has a block of no known kind";
    }
  }
  return new Uint8Array(out.slice(0, limit));
}
