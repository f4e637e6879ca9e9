"""What the tools do. They describe themselves in `list_tools`; the world is in wit/deps/customs-tool.wit."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import context
from wit_world.imports.types import (
    CallError_Cancelled,
    CallError_UnknownTool,
    CallResult,
    Content_Text,
    Tool,
)

TEMPLATE = "/templates/hello.txt"

INPUT = {
    "type": "object",
    "properties": {
        "names": {"type": "array", "items": {"type": "string"}, "maxItems": 1000, "description": "Whom to greet."},
        "template": {"type": "string", "description": "A text file in which {name} stands for the name."},
    },
    "required": ["names"],
    "additionalProperties": False,
}

OUTPUT = {
    "type": "object",
    "properties": {"greetings": {"type": "array", "items": {"type": "string"}}},
    "required": ["greetings"],
}


class Tools(exports.Tools):
    # Runs without any grant: what it says must not depend on files or variables.
    def list_tools(self) -> list[Tool]:
        about = "Greet people by name, with the words of a template."
        return [Tool("greet-all", "Greet everybody", about, json.dumps(INPUT), json.dumps(OUTPUT))]

    # A result in WIT: what is returned is its `ok`, what is raised as `Err` its `err`. Any other exception ends the call.
    def call_tool(self, name: str, arguments: str) -> CallResult:
        if name != "greet-all":
            raise Err(CallError_UnknownTool(name))
        return greet_all(**json.loads(arguments))


def greet_all(names: list[str], template: str = TEMPLATE) -> CallResult:
    try:
        with open(template, encoding="utf-8") as file:
            words = file.read().rstrip()
    except (OSError, ValueError) as error:
        # What the host refuses is an ordinary error here: a result that the model may read about.
        return CallResult([Content_Text(f"{template}: {error}")], None, True)
    greetings = []
    for done, name in enumerate(names, 1):
        if context.is_cancelled():
            raise Err(CallError_Cancelled())
        greetings.append(words.replace("{name}", name))
        context.progress(done, len(names), name)
    return CallResult([Content_Text(text) for text in greetings], json.dumps({"greetings": greetings}), False)
