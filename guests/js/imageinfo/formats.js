// The parts of each format, as far as they say something. Sizes and lengths are those of a stranger: each read is checked against the file, and the
// number of parts is bounded.

import { readExif } from "./exif.js";
import { fail, latin1, utf8, view } from "./file.js";
import { inflate } from "./inflate.js";

const MOST_PARTS = 100_000;
const MOST_TEXTS = 200;
const LONGEST_TEXT = 2000;
/** A part that is looked at as a whole. */
const LARGEST_PART = 1 << 20;

/** Counts parts, so that a file of many small ones comes to an end. */
function* numbered() {
  for (let number = 0; number < MOST_PARTS; number++) yield number;
  fail("too-large", `more than ${MOST_PARTS} parts`);
}

function addText(image, name, value) {
  if (image.texts.length >= MOST_TEXTS) {
    if (image.texts.length === MOST_TEXTS && !image.damaged.includes("more texts")) image.damaged.push("more texts");
    return;
  }
  const text = { name: name.slice(0, 100), value: value.replaceAll("\0", " ").trim().slice(0, LONGEST_TEXT) };
  // XMP and the like have names and places among everything else.
  if (/^(xml|xmp|author|artist|creator|copyright|raw profile type)/i.test(name)) image.personal.fields.push(text);
  else image.texts.push(text);
}

function part(file, at, length, what, image) {
  if (length > LARGEST_PART) {
    image.damaged.push(`${what}: larger than ${LARGEST_PART} bytes, and not looked at`);
    return undefined;
  }
  return file.read(at, length, what);
}

export function png(file, image) {
  let at = 8;
  for (const number of numbered()) {
    const head = view(file.read(at, 8, "a chunk"));
    const length = head.getUint32(0);
    const kind = latin1(file.read(at + 4, 4, "a chunk"));
    if (number === 0 && (kind !== "IHDR" || length !== 13)) fail("damaged", "the first chunk is not IHDR");
    // The bytes behind a chunk are its checksum.
    if (at + length + 12 > file.size) fail("damaged", `the file ends in the middle of ${/^[A-Za-z]{4}$/.test(kind) ? kind : "a chunk"}`);
    const body = at + 8;
    if (kind === "IHDR" && number === 0) {
      const ihdr = view(file.read(body, 13, "IHDR"));
      image.width = ihdr.getUint32(0);
      image.height = ihdr.getUint32(4);
      image.depth = ihdr.getUint8(8);
      image.transparent = (ihdr.getUint8(9) & 4) !== 0;
    } else if (kind === "tRNS") {
      image.transparent = true;
    } else if (kind === "acTL" && length >= 4) {
      image.frames = Math.max(1, view(file.read(body, 4, "acTL")).getUint32(0));
    } else if (kind === "eXIf") {
      const bytes = part(file, body, length, "eXIf", image);
      if (bytes) readExif(bytes.slice(), image);
    } else if (kind === "tEXt" || kind === "zTXt" || kind === "iTXt") {
      const bytes = part(file, body, length, kind, image);
      if (bytes) pngText(kind, bytes.slice(), image);
    } else if (kind === "IEND") {
      return;
    }
    at += length + 12;
  }
}

function pngText(kind, bytes, image) {
  try {
    const end = bytes.indexOf(0);
    if (end < 1) throw "a text without a name";
    const name = latin1(bytes.subarray(0, end));
    let rest = bytes.subarray(end + 1);
    if (kind === "tEXt") return addText(image, name, latin1(rest.subarray(0, LONGEST_TEXT)));
    if (kind === "zTXt") return addText(image, name, latin1(inflate(rest.subarray(1), LONGEST_TEXT)));
    const compressed = rest[0] === 1;
    // Its language, and its name in it.
    rest = rest.subarray(2);
    for (let zeros = 0; zeros < 2; zeros++) {
      const zero = rest.indexOf(0);
      if (zero < 0) throw "a text that is cut short";
      rest = rest.subarray(zero + 1);
    }
    addText(image, name, utf8(compressed ? inflate(rest, LONGEST_TEXT) : rest.subarray(0, LONGEST_TEXT * 4)));
  } catch (error) {
    if (typeof error !== "string") throw error;
    image.damaged.push(`${kind}: ${error}`);
  }
}

export function jpeg(file, image) {
  let at = 2;
  for (const _ of numbered()) {
    const [mark, kind] = file.read(at, 2, "a marker");
    if (mark !== 0xff) fail("damaged", "something stands where a marker should be");
    // Fill bytes, and markers without anything behind them.
    if (kind === 0xff) {
      at += 1;
      continue;
    }
    if ((kind >= 0xd0 && kind <= 0xd8) || kind === 0x01) {
      at += 2;
      continue;
    }
    if (kind === 0xd9 || kind === 0xda) break;
    const length = view(file.read(at + 2, 2, "a segment")).getUint16(0);
    if (length < 2) fail("damaged", "a segment is shorter than its own length");
    const body = file.read(at + 4, length - 2, "a segment");
    if (kind >= 0xc0 && kind <= 0xcf && kind !== 0xc4 && kind !== 0xc8 && kind !== 0xcc) {
      if (body.length < 6) fail("damaged", "the frame has no size");
      image.depth = body[0];
      image.height = view(body).getUint16(1);
      image.width = view(body).getUint16(3);
    } else if (kind === 0xe1 && latin1(body.subarray(0, 6)) === "Exif\0\0") {
      readExif(body.slice(6), image);
    } else if (kind === 0xe1 && latin1(body.subarray(0, 28)) === "http://ns.adobe.com/xap/1.0/") {
      addText(image, "XMP", utf8(body.subarray(29)));
    } else if (kind === 0xfe) {
      addText(image, "Comment", utf8(body));
    }
    at += length + 2;
  }
  if (image.width === 0) fail("damaged", "there is no frame before the picture begins");
}

export function gif(file, image) {
  const head = view(file.read(0, 13, "the header"));
  image.width = head.getUint16(6, true);
  image.height = head.getUint16(8, true);
  image.depth = ((head.getUint8(10) >> 4) & 7) + 1;
  image.frames = 0;
  const colours = (flags) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let at = 13 + colours(head.getUint8(10));
  const parts = numbered();
  /** Passes over blocks, and gives the beginning of what is in them. */
  const blocks = () => {
    let start = "";
    for (;;) {
      parts.next();
      const [length] = file.read(at, 1, "a block");
      if (length > 0 && start.length < LONGEST_TEXT) start += latin1(file.read(at + 1, length, "a block"));
      at += length + 1;
      if (length === 0) return start;
    }
  };
  for (;;) {
    parts.next();
    const [kind] = file.read(at, 1, "a block");
    if (kind === 0x3b) break;
    if (kind === 0x2c) {
      const [flags] = file.read(at + 9, 1, "a picture");
      at += 11 + colours(flags);
      image.frames += 1;
      blocks();
    } else if (kind === 0x21) {
      const [label] = file.read(at + 1, 1, "an extension");
      if (label === 0xf9 && (file.read(at + 3, 1, "an extension")[0] & 1) === 1) image.transparent = true;
      at += 2;
      const text = blocks();
      if (label === 0xfe) addText(image, "Comment", text);
    } else {
      fail("damaged", "something stands where a block should be");
    }
  }
  if (image.frames === 0) fail("damaged", "there is no picture in it");
}

export function webp(file, image) {
  const end = 8 + view(file.read(4, 4, "the header")).getUint32(0, true);
  if (end > file.size) fail("damaged", "the file is shorter than it says");
  image.depth = 8;
  let at = 12;
  let frames = 0;
  for (const _ of numbered()) {
    if (at >= end) break;
    const kind = latin1(file.read(at, 4, "a chunk"));
    const length = view(file.read(at + 4, 4, "a chunk")).getUint32(0, true);
    const body = at + 8;
    if (body + length > end) fail("damaged", "a chunk is longer than the file");
    if (kind === "VP8X" && length >= 10) {
      const bytes = file.read(body, 10, "VP8X");
      image.transparent = (bytes[0] & 0x10) !== 0;
      image.width = 1 + bytes[4] + (bytes[5] << 8) + (bytes[6] << 16);
      image.height = 1 + bytes[7] + (bytes[8] << 8) + (bytes[9] << 16);
    } else if (kind === "VP8 " && length >= 10 && image.width === 0) {
      const bytes = view(file.read(body, 10, "VP8"));
      image.width = bytes.getUint16(6, true) & 0x3fff;
      image.height = bytes.getUint16(8, true) & 0x3fff;
    } else if (kind === "VP8L" && length >= 5 && image.width === 0) {
      const bits = view(file.read(body, 5, "VP8L")).getUint32(1, true);
      image.width = 1 + (bits & 0x3fff);
      image.height = 1 + ((bits >> 14) & 0x3fff);
      image.transparent = ((bits >> 28) & 1) === 1;
    } else if (kind === "ANMF") {
      frames += 1;
    } else if (kind === "EXIF") {
      const bytes = part(file, body, length, "EXIF", image);
      // Some programs leave the head of JPEG's block there.
      if (bytes) readExif(bytes.slice(latin1(bytes.subarray(0, 6)) === "Exif\0\0" ? 6 : 0), image);
    } else if (kind === "XMP ") {
      const bytes = part(file, body, length, "XMP", image);
      if (bytes) addText(image, "XMP", utf8(bytes.slice(0, LONGEST_TEXT * 4)));
    }
    at = body + length + (length & 1);
  }
  image.frames = Math.max(1, frames);
  if (image.width === 0) fail("damaged", "there is no picture in it");
}
