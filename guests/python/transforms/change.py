"""The changes themselves, with Python's own libraries where it has one, as tools use them."""

import hashlib
import json
import zlib
from itertools import cycle, groupby
from typing import Callable

SYMBOLS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
DIGITS = "0123456789abcdef"


def xor(data: bytes) -> bytes:
    return bytes(byte ^ key for byte, key in zip(data, cycle(b"key-")))


def caesar(text: str) -> str:
    return "".join(chr(32 + (ord(letter) - 32 + 13) % 95) for letter in text)


def symbol_by_table(value: int) -> str:
    return SYMBOLS[value & 63]


def symbol_by_arithmetic(value: int) -> str:
    """Without a table and without a branch: each range's difference where the value is above its start."""

    def above(start: int) -> int:
        return (start - 1 - value) >> 31

    return chr(value + 65 + (above(26) & 6) - (above(52) & 75) - (above(62) & 15) + (above(63) & 3))


def base64(data: bytes, symbol: Callable[[int], str]) -> str:
    out = []
    for at in range(0, len(data), 3):
        chunk = data[at : at + 3]
        a, b, c = [*chunk, 0, 0][:3]
        parts = [a >> 2, a << 4 | b >> 4, b << 2 | c >> 6, c]
        out += [symbol(part & 63) if index <= len(chunk) else "=" for index, part in enumerate(parts)]
    return "".join(out)


def digit_by_table(value: int) -> str:
    return DIGITS[value & 15]


def digit_by_arithmetic(value: int) -> str:
    return chr(value + 48 + ((9 - value) >> 31 & 39))


def to_hex(data: bytes, digit: Callable[[int], str]) -> str:
    return "".join(digit(byte >> 4) + digit(byte & 15) for byte in data)


def split(text: str) -> str:
    half = len(text) // 2
    return f"HEAD:{text[half:]}--{text[:half]}"


def run_length(text: str) -> str:
    return "".join(f"{len(list(run))}{letter}" for letter, run in groupby(text))


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def to_json(text: str) -> str:
    return json.dumps(json.loads(json.dumps({"k": text, "n": [1, 2]})))


def deflate(data: bytes) -> bytes:
    return zlib.compress(data, 6, wbits=-15)


def unrelated(text: str) -> str:
    """Uses the input, and gives a text that does not come from it."""
    used = len(base64(to_json(text).encode(), symbol_by_table)) + sha256(text.encode())[0]
    assert used > 0
    return json.dumps({"id": 42, "token": True, "list": ["a", "b"]})


def branch(text: str) -> str:
    """Copies by branches alone, which is not followed."""
    out = []
    for letter in text:
        for candidate in range(32, 127):
            if letter == chr(candidate):
                out.append(chr(candidate))
    return "".join(out)
