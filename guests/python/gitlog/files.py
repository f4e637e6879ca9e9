"""The only part that touches the file system: whole small files, and pieces of large ones."""

import os
from collections import OrderedDict
from typing import Optional

from errors import damaged, too_large

# Commits of a pack lie close together: a page often has the next one too.
PAGE = 32 << 10
PAGES = 512
# Each file that is opened is a record of the host, which keeps no more than 100000 of a call.
MOST_OPENED = 20_000


class Files:
    def __init__(self, root: str):
        self.root = root
        self.opened = 0
        self.large: dict[str, "Large"] = {}

    def path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def count(self) -> None:
        self.opened += 1
        if self.opened > MOST_OPENED:
            too_large(f"more than {MOST_OPENED} files of the repository would have to be read: pack it with git gc")

    def read(self, name: str, limit: int) -> Optional[bytes]:
        """None where there is no such file."""
        self.count()
        try:
            with open(self.path(name), "rb", buffering=0) as file:
                content = read_up_to(file, limit + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        if len(content) > limit:
            damaged(f"{name} has more than {limit} bytes")
        return content

    def names(self, name: str) -> list[str]:
        """What is in a folder, in order; nothing where there is no such folder."""
        try:
            return sorted(os.listdir(self.path(name)))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def is_folder(self, name: str) -> bool:
        return os.path.isdir(self.path(name))

    def pieces(self, name: str) -> "Large":
        if name not in self.large:
            self.count()
            self.large[name] = Large(name, open(self.path(name), "rb", buffering=0))
        return self.large[name]


class Large:
    """A file that is read in pieces."""

    def __init__(self, name: str, file):
        self.name = name
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        self.pages: OrderedDict[int, bytes] = OrderedDict()

    def page(self, number: int) -> bytes:
        page = self.pages.get(number)
        if page is None:
            self.file.seek(number * PAGE)
            page = self.pages[number] = read_up_to(self.file, PAGE)
            if len(self.pages) > PAGES:
                self.pages.popitem(last=False)
        return page

    def at(self, offset: int, length: int) -> bytes:
        """Exactly so many bytes, or the file is damaged."""
        piece = b"".join(self.some(offset, length))
        if len(piece) != length:
            damaged(f"{self.name} ends in the middle of something")
        return piece

    def some(self, offset: int, length: int):
        """Pieces from there on, up to so many bytes."""
        while length > 0 and 0 <= offset < self.size:
            page = self.page(offset // PAGE)
            piece = page[offset % PAGE : offset % PAGE + length]
            if not piece:
                return
            yield piece
            offset += len(piece)
            length -= len(piece)


def read_up_to(file, limit: int) -> bytes:
    pieces, length = [], 0
    while length < limit and (piece := file.read(min(limit - length, 1 << 20))):
        pieces.append(piece)
        length += len(piece)
    return b"".join(pieces)
