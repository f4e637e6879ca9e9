// What is in a picture besides the picture; see wit/imageinfo.wit. `file.js` reads pieces, `formats.js` knows the parts of each format, `exif.js` and
// `inflate.js` what is in them. The file is a stranger's: whatever it holds, the answer is a picture or an error of the WIT.

import { fail, latin1, open } from "./file.js";
import { gif, jpeg, png, webp } from "./formats.js";

export const images = {
  describe(path, personal = false) {
    const file = open(path);
    const start = file.read(0, Math.min(12, file.size), "the header");
    const [format, read] = formatOf(latin1(start));
    const image = {
      format,
      bytes: BigInt(file.size),
      width: 0,
      height: 0,
      depth: undefined,
      transparent: false,
      frames: 1,
      orientation: 1,
      exif: [],
      texts: [],
      personal: { location: undefined, fields: [] },
      withheld: [],
      damaged: [],
    };
    try {
      read(file, image);
    } catch (error) {
      if (error?.tag) throw error;
      // A mistake of ours in what a stranger wrote must not end the call.
      fail("damaged", `${format}: ${error?.message ?? error}`);
    }
    if (!personal) {
      const names = image.personal.fields.map((field) => field.name);
      image.withheld = [...new Set([...(image.personal.location ? ["location"] : []), ...names])];
      image.personal = undefined;
    }
    return image;
  },
};

function formatOf(start) {
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return ["png", png];
  if (start.startsWith("\xff\xd8\xff")) return ["jpeg", jpeg];
  if (start.startsWith("GIF87a") || start.startsWith("GIF89a")) return ["gif", gif];
  if (start.startsWith("RIFF") && start.slice(8) === "WEBP") return ["webp", webp];
  fail("no-image", start === "" ? "it is empty" : `it begins with ${JSON.stringify(start)}`);
}
