"""Objects by name: loose ones, a file each, and those in packs. What was read has to have the name that it was asked for by."""

import hashlib
import zlib
from typing import Optional

from errors import damaged, too_large
from files import Files
from packs import MOST_BYTES, Pack

LONGEST_HEAD = 64


class Objects:
    def __init__(self, files: Files):
        self.files = files
        self.listed: Optional[list[Pack]] = None

    def packs(self) -> list[Pack]:
        if self.listed is None:
            names = self.files.names("objects/pack")
            stems = [name[:-4] for name in names if name.endswith(".idx") and name[:-4] + ".pack" in names]
            self.listed = [Pack(self.files, stem) for stem in stems]
        return self.listed

    def in_packs(self, id: bytes) -> Optional[tuple[Pack, int]]:
        for place, pack in enumerate(self.packs()):
            offset = pack.find(id)
            if offset is not None:
                # The one that had it will mostly have the next.
                self.packs().insert(0, self.packs().pop(place))
                return pack, offset
        return None

    def read(self, id: bytes, wanted: Optional[str] = None) -> tuple[str, bytes]:
        found = self.in_packs(id)
        if found is not None:
            pack, offset = found
            kind, content = pack.read(offset)
        else:
            kind, content = self.loose(id)
        head = f"{kind} {len(content)}\0".encode()
        if hashlib.sha1(head + content, usedforsecurity=False).digest() != id:
            damaged(f"object {id.hex()} is not what its name says")
        if wanted is not None and kind != wanted:
            damaged(f"object {id.hex()} is a {kind}, not a {wanted}")
        return kind, content

    def loose(self, id: bytes) -> tuple[str, bytes]:
        name = id.hex()
        compressed = self.files.read(f"objects/{name[:2]}/{name[2:]}", MOST_BYTES)
        if compressed is None:
            self.missing(id)
        machine = zlib.decompressobj()
        try:
            content = machine.decompress(compressed, MOST_BYTES + LONGEST_HEAD)
        except zlib.error:
            damaged(f"object {name} cannot be unpacked")
        kind, size, start = head_of(name, content)
        if size > MOST_BYTES:
            too_large(f"object {name} has {size} bytes")
        if not machine.eof or len(content) - start != size:
            damaged(f"object {name} is cut short")
        return kind, content[start:]

    def size(self, id: bytes) -> int:
        """How long it is. Only its beginning is read."""
        found = self.in_packs(id)
        if found is not None:
            pack, offset = found
            return pack.size(offset)
        name = id.hex()
        path = f"objects/{name[:2]}/{name[2:]}"
        try:
            self.files.count()
            with open(self.files.path(path), "rb", buffering=0) as file:
                start = file.read(LONGEST_HEAD * 2)
        except FileNotFoundError:
            self.missing(id)
        try:
            start = zlib.decompressobj().decompress(start, LONGEST_HEAD)
        except zlib.error:
            damaged(f"object {name} cannot be unpacked")
        return head_of(name, start)[1]

    def missing(self, id: bytes):
        more = "; it may be in another repository, which objects/info/alternates names"
        damaged(f"object {id.hex()} is missing{more if self.files.read('objects/info/alternates', 1 << 16) else ''}")

    def beginning(self, digits: str) -> list[bytes]:
        """At most two names that begin so."""
        if len(digits) == 40:
            return [bytes.fromhex(digits)]
        whole, odd = bytes.fromhex(digits[: len(digits) // 2 * 2]), int(digits[-1], 16) if len(digits) % 2 else None
        found = {id for pack in self.packs() for id in pack.beginning(whole, odd)}
        for name in self.files.names(f"objects/{digits[:2]}"):
            if name.startswith(digits[2:]) and len(name) == 38 and is_hex(name):
                found.add(bytes.fromhex(digits[:2] + name))
        return sorted(found)[:2]


def head_of(name: str, content: bytes) -> tuple[str, int, int]:
    """Kind, length, and where the content begins."""
    end = content.find(b"\0", 0, LONGEST_HEAD)
    kind, _, size = content[:end].decode("ascii", "replace").partition(" ")
    if end < 0 or kind not in ("commit", "tree", "blob", "tag") or not (size.isascii() and size.isdigit()):
        damaged(f"object {name} does not begin like one")
    return kind, int(size), end + 1


def is_hex(text: str) -> bool:
    return all(c in "0123456789abcdef" for c in text)
