"""What the tool does. What it promises is in wit/@NAME@.wit."""

from typing import Optional

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.greeter import (
    GreetError_Invalid,
    GreetError_NotFound,
    GreetError_NotPermitted,
    GreetError_Other,
    Greeting,
)

TEMPLATE = "/templates/hello.txt"


class Greeter(exports.Greeter):
    # A result in WIT: what is returned is its `ok`, what is raised as `Err` its `err`. Any other exception ends the call.
    def greet(self, name: str, template: Optional[str]) -> Greeting:
        if not name.strip():
            raise Err(GreetError_Invalid("name: it is empty"))
        template = TEMPLATE if template is None else template
        words = read(template)
        return Greeting(words.rstrip().replace("{name}", name), template)


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    # What the host refuses is an ordinary error here.
    except PermissionError:
        raise Err(GreetError_NotPermitted(path)) from None
    except FileNotFoundError:
        raise Err(GreetError_NotFound(path)) from None
    except (OSError, ValueError) as error:
        raise Err(GreetError_Other(f"{path}: {error}")) from None
