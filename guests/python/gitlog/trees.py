"""Folders of a commit, and where two of them differ."""

from typing import Iterator, Optional

from errors import damaged, too_large
from objects import Objects

# Names are made one below the other: deeper than a path of the system can be.
DEEPEST = 200
# Files and folders of trees that are kept, as most of them are the same in the next commit.
KEPT = 100_000

# Mode and id.
Entry = tuple[int, bytes]
FOLDER = 0o040000


class Trees:
    def __init__(self, objects: Objects):
        self.objects = objects
        self.kept: dict[bytes, dict[bytes, Entry]] = {}
        self.kept_entries = 0

    def read(self, id: bytes) -> dict[bytes, Entry]:
        entries = self.kept.get(id)
        if entries is None:
            _, content = self.objects.read(id, "tree")
            entries = entries_of(id, content)
            if self.kept_entries > KEPT:
                self.kept.clear()
                self.kept_entries = 0
            self.kept[id] = entries
            self.kept_entries += len(entries) + 1
        return entries

    def at(self, tree: bytes, path: list[bytes]) -> Optional[Entry]:
        """What is at a path."""
        entry: Entry = (FOLDER, tree)
        for part in path:
            if not is_folder(entry):
                return None
            found = self.read(entry[1]).get(part)
            if found is None:
                return None
            entry = found
        return entry

    def changes(self, before: Optional[bytes], after: bytes) -> Iterator[tuple[bytes, Optional[Entry], Optional[Entry]]]:
        """Each file that is not the same, in the order of paths, with what it was and is."""
        stack = [(b"", (FOLDER, before) if before else None, (FOLDER, after))]
        while stack:
            path, old, new = stack.pop()
            if path.count(b"/") > DEEPEST:
                too_large(f"folders inside each other, more than {DEEPEST}")
            # A folder in the place of a file, or the other way round: each is told for itself.
            old_folder, new_folder = old is not None and is_folder(old), new is not None and is_folder(new)
            if old is not None and not old_folder or new is not None and not new_folder:
                yield path, None if old_folder else old, None if new_folder else new
            if not old_folder and not new_folder:
                continue
            left = self.read(old[1]) if old_folder else {}
            right = self.read(new[1]) if new_folder else {}
            names = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
            for name in reversed(names):
                stack.append((path + b"/" + name if path else name, left.get(name), right.get(name)))


def is_folder(entry: Entry) -> bool:
    return entry[0] == FOLDER


def entries_of(id: bytes, content: bytes) -> dict[bytes, Entry]:
    entries, at = {}, 0
    while at < len(content):
        blank = content.find(b" ", at, at + 8)
        end = content.find(b"\0", blank + 1)
        mode = content[at:blank]
        if blank < 0 or end < 0 or end + 21 > len(content) or not mode.isdigit() or any(c > 0x37 for c in mode):
            damaged(f"tree {id.hex()} is cut short or no tree")
        entries[content[blank + 1 : end]] = (int(mode, 8), content[end + 1 : end + 21])
        at = end + 21
    return entries
