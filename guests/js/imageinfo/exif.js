// EXIF: lists of fields as TIFF has them, each of which points to its value.

import { latin1, utf8, view } from "./file.js";

const MOST_FIELDS = 300;
const LONGEST_VALUE = 2000;
const MOST_NUMBERS = 64;

const EXIF = 0x8769;
const GPS = 0x8825;

const names = {
  0x010e: "ImageDescription", 0x010f: "Make", 0x0110: "Model", 0x0112: "Orientation", 0x011a: "XResolution", 0x011b: "YResolution",
  0x0128: "ResolutionUnit", 0x0131: "Software", 0x0132: "DateTime", 0x013b: "Artist", 0x013c: "HostComputer", 0x8298: "Copyright",
  0x829a: "ExposureTime", 0x829d: "FNumber", 0x8822: "ExposureProgram", 0x8827: "ISO", 0x9003: "DateTimeOriginal",
  0x9004: "DateTimeDigitized", 0x9010: "OffsetTime", 0x9011: "OffsetTimeOriginal", 0x9201: "ShutterSpeedValue", 0x9202: "ApertureValue",
  0x9204: "ExposureBias", 0x9205: "MaxAperture", 0x9207: "MeteringMode", 0x9208: "LightSource", 0x9209: "Flash", 0x920a: "FocalLength",
  0x9286: "UserComment", 0xa001: "ColorSpace", 0xa002: "PixelXDimension", 0xa003: "PixelYDimension", 0xa402: "ExposureMode",
  0xa403: "WhiteBalance", 0xa405: "FocalLengthIn35mm", 0xa406: "SceneType", 0xa420: "ImageUniqueID", 0xa430: "CameraOwnerName",
  0xa431: "BodySerialNumber", 0xa432: "LensSpecification", 0xa433: "LensMake", 0xa434: "LensModel", 0xa435: "LensSerialNumber",
  0x9c9b: "XPTitle", 0x9c9c: "XPComment", 0x9c9d: "XPAuthor", 0x9c9e: "XPKeywords", 0x9c9f: "XPSubject",
};

/** Who took it, with which very device, or on whose computer. */
const personal = new Set([
  "Artist", "HostComputer", "Copyright", "ImageUniqueID", "CameraOwnerName", "BodySerialNumber", "LensSerialNumber", "XPAuthor", "UserComment",
]);

/** What makers put there is theirs to read, and thumbnails are pictures. */
const passedOver = new Set([EXIF, GPS, 0x927c, 0xa005, 0x014a, 0x02bc, 0x83bb, 0x8773, 0xea1c, 0xc4a5]);

const sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];

/** Adds what is in an EXIF block, which is given from its byte order on. */
export function readExif(bytes, image) {
  try {
    new Block(bytes, image).read();
  } catch (error) {
    if (typeof error !== "string") throw error;
    image.damaged.push(`EXIF: ${error}`);
  }
}

class Block {
  constructor(bytes, image) {
    this.bytes = bytes;
    this.view = view(bytes);
    this.image = image;
    this.fields = 0;
    this.seen = new Set();
  }

  read() {
    const order = latin1(this.bytes.subarray(0, 2));
    if (order !== "II" && order !== "MM") throw "no byte order";
    this.little = order === "II";
    if (this.bytes.length < 8 || this.u16(2) !== 42) throw "no list of fields";
    this.list(this.u32(4), (tag, entry) => this.field(tag, entry));
  }

  u16(at) {
    if (at + 2 > this.bytes.length) throw "it is cut short";
    return this.view.getUint16(at, this.little);
  }

  u32(at) {
    if (at + 4 > this.bytes.length) throw "it is cut short";
    return this.view.getUint32(at, this.little);
  }

  list(at, take) {
    if (this.seen.has(at)) throw "a list that is inside of itself";
    this.seen.add(at);
    const count = this.u16(at);
    for (let number = 0; number < count; number++) {
      if (++this.fields > MOST_FIELDS) throw `more than ${MOST_FIELDS} fields`;
      take(this.u16(at + 2 + number * 12), at + 2 + number * 12);
    }
  }

  field(tag, entry) {
    if (tag === EXIF) return this.list(this.u32(entry + 8), (tag, entry) => this.field(tag, entry));
    if (tag === GPS) return this.gps(this.u32(entry + 8));
    if (passedOver.has(tag)) return;
    const name = names[tag] ?? `0x${tag.toString(16).padStart(4, "0")}`;
    const value = this.value(entry, tag);
    if (tag === 0x0112) {
      const turned = Number(value);
      if (turned >= 1 && turned <= 8) this.image.orientation = turned;
    }
    const field = { name, value: written(value) };
    if (field.value === "") return;
    // A field that nobody here knows may say anything.
    if (personal.has(name) || !(tag in names)) this.image.personal.fields.push(field);
    else this.image.exif.push(field);
  }

  value(entry, tag) {
    const type = this.u16(entry + 2);
    const count = this.u32(entry + 4);
    const size = sizes[type];
    if (!size) return "";
    const length = size * count;
    const at = length <= 4 ? entry + 8 : this.u32(entry + 8);
    if (at + length > this.bytes.length) throw "a value outside of it";
    const bytes = this.bytes.subarray(at, at + Math.min(length, LONGEST_VALUE * 2 + 8));
    if (tag >= 0x9c9b && tag <= 0x9c9f) return new TextDecoder("utf-16le").decode(bytes.subarray(0, bytes.length & ~1));
    if (tag === 0x9286) return utf8(bytes.subarray(8));
    if (type === 2) return utf8(bytes);
    if (type === 7 || (type === 1 && count > 8)) return latin1(bytes).replace(/[^\x20-\x7e]/g, "");
    const numbers = [];
    for (let number = 0; number < Math.min(count, MOST_NUMBERS); number++) numbers.push(this.number(at + number * size, type));
    return numbers.join(" ");
  }

  number(at, type) {
    switch (type) {
      case 1: return this.bytes[at];
      case 3: return this.u16(at);
      case 4: return this.u32(at);
      case 5: return ratio(this.u32(at), this.u32(at + 4));
      case 6: return this.view.getInt8(at);
      case 8: return this.view.getInt16(at, this.little);
      case 9: return this.view.getInt32(at, this.little);
      case 10: return ratio(this.view.getInt32(at, this.little), this.view.getInt32(at + 4, this.little));
      case 11: return this.view.getFloat32(at, this.little);
      default: return this.view.getFloat64(at, this.little);
    }
  }

  gps(at) {
    const found = {};
    this.list(at, (tag, entry) => {
      if (tag <= 0x1f) found[tag] = this.value(entry, 0);
    });
    const degrees = (value, sign, negative) => {
      if (value === undefined) return NaN;
      const [whole, minutes = 0, seconds = 0] = value.split(" ").map(Number);
      const degrees = whole + minutes / 60 + seconds / 3600;
      return written(sign ?? "") === negative ? -degrees : degrees;
    };
    const latitude = degrees(found[2], found[1], "S");
    const longitude = degrees(found[4], found[3], "W");
    if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) return;
    let altitude = found[6] === undefined ? undefined : Number(found[6]) * (found[5] === "1" ? -1 : 1);
    if (!Number.isFinite(altitude)) altitude = undefined;
    this.image.personal.location = { latitude, longitude, altitude };
  }
}

function ratio(above, below) {
  return below === 0 ? 0 : above / below;
}

/** Texts end with a zero byte, and some cameras fill up with blanks. */
export function written(value) {
  const end = value.indexOf("\0");
  return (end < 0 ? value : value.slice(0, end)).trim().slice(0, LONGEST_VALUE);
}
