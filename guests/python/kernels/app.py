"""Kernels to measure; see kernels.wit of the guest in Rust."""

import base64
import json

from wit_world import exports

MASK = (1 << 64) - 1


def fold(data: bytes) -> int:
    return int.from_bytes(data[-8:], "little")


def loop(data: bytes) -> int:
    state = data[0]
    for at in range(len(data)):
        state = (state * 31 + at) & 0xFFFF
    return state


def words(data: bytes) -> int:
    counts: dict[str, int] = {}
    for word in data.decode("latin-1").split():
        counts[word] = counts.get(word, 0) + 1
    return len("".join(f"{word}={count};" for word, count in sorted(counts.items())))


def to_json(data: bytes) -> int:
    return len(json.dumps(json.loads(data)))


def xor(data: bytes) -> int:
    return fold(bytes(byte ^ 0x5A for byte in data))


def to_base64(data: bytes) -> int:
    return fold(base64.b64encode(data))


KERNELS = {"loop": loop, "words": words, "json": to_json, "xor": xor, "base64": to_base64}


class Kernels(exports.Kernels):
    def run(self, kernel: str, input: bytes, rounds: int) -> int:
        work = KERNELS[kernel]
        return sum(work(input) for _ in range(rounds)) & MASK
