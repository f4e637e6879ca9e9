"""Objects in packs: an index by name, and objects as they are or as changes to others."""

import zlib
from typing import Optional

from errors import damaged, too_large, unsupported
from files import Files, Large

KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
OFS_DELTA, REF_DELTA = 6, 7
# git makes chains of 50 and refuses to make ones of more than 4095.
LONGEST_CHAIN = 4096
# What is looked at whole: commits, trees and tags. A tree of a large folder has some hundred kilobytes.
MOST_BYTES = 16 << 20
# Changes to an object that is used again and again are made to what is kept of it.
KEPT_BYTES = 24 << 20
# What keeping something costs beside it.
KEPT_MORE = 200


class Pack:
    def __init__(self, files: Files, name: str):
        self.name = name
        self.index: Large = files.pieces(f"objects/pack/{name}.idx")
        self.data: Large = files.pieces(f"objects/pack/{name}.pack")
        if self.index.at(0, 8) != b"\xfftOc\0\0\0\2":
            unsupported(f"{name}.idx is not an index of version 2")
        if self.data.at(0, 4) != b"PACK":
            damaged(f"{name}.pack is no pack")
        self.count = self.word(8 + 255 * 4)
        # 24 bytes for each object, beside the tables around them.
        if self.count * 24 > self.index.size:
            damaged(f"{name}.idx is too short for what it lists")
        self.kept: dict[int, tuple[str, bytes]] = {}
        self.kept_bytes = 0

    def word(self, offset: int) -> int:
        return int.from_bytes(self.index.at(offset, 4), "big")

    def position(self, id: bytes) -> int:
        """How many names in the index are less than this one, or than all that begin so."""
        first = id[0] if id else 0
        low = self.word(8 + (first - 1) * 4) if first else 0
        high = self.word(8 + first * 4)
        if not low <= high <= self.count:
            damaged(f"{self.name}.idx is not in order")
        while low < high:
            middle = (low + high) // 2
            if self.id(middle) < id:
                low = middle + 1
            else:
                high = middle
        return low

    def id(self, number: int) -> bytes:
        return self.index.at(8 + 1024 + number * 20, 20)

    def find(self, id: bytes) -> Optional[int]:
        """Where the object is."""
        number = self.position(id)
        if number >= self.count or self.id(number) != id:
            return None
        offset = self.word(8 + 1024 + self.count * 24 + number * 4)
        if offset & 0x80000000:
            far = 8 + 1024 + self.count * 28 + (offset & 0x7FFFFFFF) * 8
            offset = int.from_bytes(self.index.at(far, 8), "big")
        if not 12 <= offset < self.data.size:
            damaged(f"{self.name}.idx points outside of its pack")
        return offset

    def beginning(self, prefix: bytes, odd: Optional[int]) -> list[bytes]:
        """At most two names that begin so; `odd` is half a byte more."""
        found, number = [], self.position(prefix)
        while number < self.count and len(found) < 2:
            id = self.id(number)
            if not id.startswith(prefix):
                break
            if odd is None or id[len(prefix)] >> 4 == odd:
                found.append(id)
            number += 1
        return found

    def header(self, offset: int) -> tuple[int, int, int]:
        """Kind, length, and where the rest begins."""
        byte = self.data.at(offset, 1)[0]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        offset += 1
        while byte & 0x80:
            if shift > 60:
                damaged(f"{self.name}.pack has a length without an end")
            byte = self.data.at(offset, 1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            offset += 1
        return kind, size, offset

    def base(self, kind: int, offset: int, rest: int) -> tuple[Optional[int], bytes, int]:
        """Where the object is that this one changes, or its name; and where the changes begin."""
        if kind == REF_DELTA:
            return None, self.data.at(rest, 20), rest + 20
        byte = self.data.at(rest, 1)[0]
        rest += 1
        back = byte & 0x7F
        while byte & 0x80:
            if back > self.data.size:
                damaged(f"{self.name}.pack points outside of itself")
            byte = self.data.at(rest, 1)[0]
            rest += 1
            back = (back + 1) << 7 | byte & 0x7F
        if not 0 < back <= offset - 12:
            damaged(f"{self.name}.pack points outside of itself")
        return offset - back, b"", rest

    def inflate(self, offset: int, size: int, wanted: Optional[int] = None) -> bytes:
        """The bytes that are compressed there; only the first ones where so many are wanted."""
        stop = size if wanted is None else min(size, wanted)
        machine, out, length = zlib.decompressobj(), [], 0
        try:
            # What is compressed is a little longer than itself at most.
            for piece in self.data.some(offset, size + size // 1000 + 1024):
                while piece and length < stop:
                    out.append(machine.decompress(piece, stop - length))
                    length += len(out[-1])
                    piece = machine.unconsumed_tail
                if length >= stop or machine.eof:
                    break
        except zlib.error:
            damaged(f"{self.name}.pack has something at {offset} that cannot be unpacked")
        if length != stop:
            damaged(f"{self.name}.pack ends in the middle of the object at {offset}")
        return b"".join(out)

    def read(self, offset: int) -> tuple[str, bytes]:
        """The kind and the bytes. Changes are gone through from the object that is whole."""
        changes: list[tuple[int, bytes]] = []
        while offset not in self.kept:
            kind, size, rest = self.header(offset)
            if size > MOST_BYTES:
                too_large(f"an object of {size} bytes in {self.name}.pack")
            if kind in KINDS:
                self.keep(offset, KINDS[kind], self.inflate(rest, size))
                break
            if kind not in (OFS_DELTA, REF_DELTA):
                damaged(f"{self.name}.pack has an object of no known kind")
            base, name, rest = self.base(kind, offset, rest)
            changes.append((offset, self.inflate(rest, size)))
            if len(changes) > LONGEST_CHAIN:
                damaged(f"{self.name}.pack has changes to changes without an end")
            if base is None:
                base = self.find(name)
                if base is None:
                    damaged(f"{self.name}.pack changes an object that is not in it")
            offset = base
        what, content = self.kept[offset]
        for at, change in reversed(changes):
            content = applied(content, change, self.name)
            self.keep(at, what, content)
        return what, content

    def keep(self, offset: int, what: str, content: bytes) -> None:
        if self.kept_bytes + len(content) > KEPT_BYTES:
            self.kept.clear()
            self.kept_bytes = 0
        self.kept[offset] = (what, content)
        self.kept_bytes += len(content) + KEPT_MORE

    def size(self, offset: int) -> int:
        """How long the object is, without making it."""
        kind, size, rest = self.header(offset)
        if kind in KINDS:
            return size
        if kind not in (OFS_DELTA, REF_DELTA):
            damaged(f"{self.name}.pack has an object of no known kind")
        _, _, rest = self.base(kind, offset, rest)
        start = self.inflate(rest, size, 40)
        _, at = number(start, 0, self.name)
        return number(start, at, self.name)[0]


def number(change: bytes, at: int, name: str) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(change) or shift > 63:
            damaged(f"{name}.pack has changes that are cut short")
        byte = change[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def applied(base: bytes, change: bytes, name: str) -> bytes:
    before, at = number(change, 0, name)
    after, at = number(change, at, name)
    if before != len(base):
        damaged(f"{name}.pack has changes to another object than it says")
    if after > MOST_BYTES:
        too_large(f"an object of {after} bytes in {name}.pack")
    out, length = [], 0
    while at < len(change):
        order = change[at]
        at += 1
        if order & 0x80:
            words = [0, 0]
            for bit in range(7):
                if order >> bit & 1:
                    if at >= len(change):
                        damaged(f"{name}.pack has changes that are cut short")
                    words[bit // 4] |= change[at] << bit % 4 * 8
                    at += 1
            start, size = words[0], words[1] or 0x10000
            piece = base[start : start + size]
        elif order:
            size = order
            piece = change[at : at + size]
            at += size
        else:
            damaged(f"{name}.pack has a change of no known kind")
        length += len(piece)
        if len(piece) != size or length > after:
            damaged(f"{name}.pack has changes that do not fit")
        out.append(piece)
    if length != after:
        damaged(f"{name}.pack has changes that do not fit")
    return b"".join(out)
