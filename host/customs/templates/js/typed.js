// What the tool does. What it promises is in wit/@NAME@.wit.

import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

const TEMPLATE = "/templates/hello.txt";

export const greeter = {
  greet(name, template = TEMPLATE) {
    // A result in WIT: what is returned is its `ok`, what is thrown its `err`.
    if (name.trim() === "") throw { tag: "invalid", val: "name: it is empty" };
    const words = read(template);
    return { text: words.trimEnd().replaceAll("{name}", () => name), template };
  },
};

/** What the host refuses is an ordinary error here: a code of WASI in the payload. */
function read(path) {
  try {
    return readText(path);
  } catch (error) {
    const code = error?.payload ?? error;
    throw code in reasons ? { tag: reasons[code], val: path } : { tag: "other", val: `${path}: ${code}` };
  }
}

const reasons = { access: "not-permitted", "not-permitted": "not-permitted", "no-entry": "not-found" };

@READ@
