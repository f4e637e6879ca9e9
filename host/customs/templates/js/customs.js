// What the tools do. They describe themselves in `listTools`; the world is in wit/deps/customs-tool.wit.

import { isCancelled, progress } from "customs:tool/context@0.1.0";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

const TEMPLATE = "/templates/hello.txt";

const input = {
  type: "object",
  properties: {
    names: { type: "array", items: { type: "string" }, maxItems: 1000, description: "Whom to greet." },
    template: { type: "string", description: "A text file in which {name} stands for the name." },
  },
  required: ["names"],
  additionalProperties: false,
};

const output = {
  type: "object",
  properties: { greetings: { type: "array", items: { type: "string" } } },
  required: ["greetings"],
};

export const tools = {
  // Runs without any grant: what it says must not depend on files or variables.
  listTools() {
    return [
      {
        name: "greet-all",
        title: "Greet everybody",
        description: "Greet people by name, with the words of a template.",
        inputSchema: JSON.stringify(input),
        outputSchema: JSON.stringify(output),
      },
    ];
  },

  // A result in WIT: what is returned is its `ok`, what is thrown its `err`.
  callTool(name, args) {
    if (name === "greet-all") return greetAll(JSON.parse(args));
    throw { tag: "unknown-tool", val: name };
  },
};

function greetAll({ names, template = TEMPLATE }) {
  let words;
  try {
    words = readText(template);
  } catch (error) {
    // What the host refuses is an ordinary error here: a result that the model may read about.
    return { content: [text(`${template}: ${error?.payload ?? error}`)], isError: true };
  }
  const greetings = [];
  for (const [index, name] of names.entries()) {
    if (isCancelled()) throw { tag: "cancelled" };
    greetings.push(words.trimEnd().replaceAll("{name}", () => name));
    progress(BigInt(index + 1), BigInt(names.length), name);
  }
  return { content: greetings.map(text), structuredContent: JSON.stringify({ greetings }), isError: false };
}

function text(words) {
  return { tag: "text", val: words };
}

@READ@
