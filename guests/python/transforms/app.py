"""The transformations of ../../rust/transforms/wit/transforms.wit in Python: what it reads back, changed in every way that a trace has to follow;
and not at all, where nothing may be found."""

import os
from pathlib import Path

import change
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.transforms import Answer, Piece, Problem_Unknown, Problem_Unreadable

CHANGES = {
    "plain": lambda text, _: text,
    "reverse": lambda text, _: text[::-1],
    "xor": lambda _, data: pieces("xor", change.xor(data)),
    "caesar": lambda text, _: change.caesar(text),
    "base64-table": lambda _, data: change.base64(data, change.symbol_by_table),
    "base64-arithmetic": lambda _, data: change.base64(data, change.symbol_by_arithmetic),
    "hex-table": lambda _, data: change.to_hex(data, change.digit_by_table),
    "hex-arithmetic": lambda _, data: change.to_hex(data, change.digit_by_arithmetic),
    "split": lambda text, _: change.split(text),
    "run-length": lambda text, _: change.run_length(text),
    "sha256": lambda _, data: pieces("sha256", change.sha256(data)),
    "json": lambda text, _: change.to_json(text),
    "deflate": lambda _, data: pieces("deflate", change.deflate(data)),
    "note": lambda text, _: answer("see the note", note=f"note: {text}"),
    "numbers": lambda _, data: answer("see the numbers", [Piece("numbers", b"", [byte + 1000 for byte in data])]),
    "unrelated": lambda text, _: change.unrelated(text),
    "untouched": lambda text, _: "the answer is 42, as ever",
    "branch": lambda text, _: change.branch(text),
}


class Transforms(exports.Transforms):
    def apply(self, transform: str, source: str) -> Answer:
        data = read(source)
        text = data.decode(errors="replace")
        if transform == "error":
            raise Err(Problem_Unknown(f"what is {text}?"))
        if transform == "print":
            print(f"[{text}]", flush=True)
            return answer("see the output")
        if transform == "write" and source.startswith("file:"):
            return answer(written(f"{source[5:]}.out", f"kept: {text}"))
        if transform not in CHANGES:
            raise Err(Problem_Unknown(transform))
        changed = CHANGES[transform](text, data)
        return answer(changed) if isinstance(changed, str) else changed

    def sum(self, source: str) -> int:
        try:
            return sum(read(source))
        except Err:
            return 0


def answer(text: str, found: list[Piece] = [], note: str | None = None) -> Answer:
    return Answer(text, found, note, 0)


def pieces(name: str, data: bytes) -> Answer:
    return answer("see the pieces", [Piece("first", bytes([1, 2, 3]), [7]), Piece(name, data, [])])


def read(source: str) -> bytes:
    """What the source names: `env:NAME`, `file:PATH`, or the text itself."""
    try:
        if source.startswith("env:"):
            return os.environ[source[4:]].encode()
        if source.startswith("file:"):
            return Path(source[5:]).read_bytes()
    except (KeyError, OSError):
        raise Err(Problem_Unreadable(f"cannot read {source}")) from None
    return source.encode()


def written(path: str, text: str) -> str:
    try:
        Path(path).write_text(text)
        return "written"
    except OSError:
        return "not written"
