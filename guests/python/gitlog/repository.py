"""A repository: where it is, its names, and which commit somebody means."""

import re
from typing import Optional

from commits import Commit, commit_of
from errors import damaged, invalid, not_found, unsupported
from files import Files
from objects import Objects, is_hex
from trees import Trees

# Files that a person or git writes a line or a list into.
MOST_BYTES = 8 << 20
MOST_REFERENCES = 20_000
# A name may stand for another one; git follows five.
MOST_NAMES = 5
MOST_TAGS = 10
# Steps of `~N`: each is a commit that is read.
MOST_STEPS = 10_000
STEP = re.compile(r"([~^])(\d*)")


class Repository:
    def __init__(self, path: str):
        path = path.rstrip("/")
        self.files = Files(f"{path}/.git")
        marker = self.files.read("HEAD", MOST_BYTES)
        if marker is None:
            bare = Files(path)
            marker = bare.read("HEAD", MOST_BYTES)
            if marker is not None:
                self.files = bare
            elif bare.read(".git", MOST_BYTES) is not None:
                unsupported(f"{path} is a second working tree: name the repository that it belongs to")
            else:
                not_found(f"{path} has no .git folder, and is none")
        self.objects = Objects(self.files)
        self.trees = Trees(self.objects)
        self.packed: Optional[dict[str, str]] = None
        shallow = self.files.read("shallow", MOST_BYTES) or b""
        self.cut = set(shallow.decode("ascii", "replace").split())

    def packed_references(self) -> dict[str, str]:
        if self.packed is None:
            self.packed = {}
            text = (self.files.read("packed-refs", MOST_BYTES) or b"").decode("utf-8", "replace")
            for line in text.splitlines():
                id, _, name = line.partition(" ")
                self.must_be_known(id)
                if len(id) == 40 and is_hex(id) and name:
                    self.packed[name] = id
        return self.packed

    def reference(self, name: str) -> Optional[str]:
        """What a name stands for: an id, or `ref: ` and another name."""
        content = self.files.read(name, MOST_BYTES)
        if content is None:
            return self.packed_references().get(name)
        text = content.decode("utf-8", "replace").strip()
        self.must_be_known(text)
        if not (text.startswith("ref: ") or len(text) == 40 and is_hex(text)):
            damaged(f"{name} has neither a name nor an id in it")
        return text

    def must_be_known(self, text: str) -> None:
        """The settings say the same. They may have passwords in them, so they are left alone."""
        if len(text) == 64 and is_hex(text):
            unsupported("its objects are named by SHA-256")
        if text == "ref: refs/heads/.invalid":
            unsupported("its names are in a reftable")

    def resolved(self, name: str) -> Optional[bytes]:
        for _ in range(MOST_NAMES):
            text = self.reference(name)
            if text is None:
                return None
            if not text.startswith("ref: "):
                return bytes.fromhex(text)
            name = text[5:].strip()
            if not is_name(name):
                damaged(f"{name!r} is no name of a commit")
        damaged(f"{name} is one of more than {MOST_NAMES} names for each other")

    def references(self) -> tuple[Optional[str], list[tuple[str, str]]]:
        head = self.reference("HEAD") or ""
        head = head[5:].strip() if head.startswith("ref: ") else None
        names, folders = set(self.packed_references()), ["refs"]
        while folders:
            folder = folders.pop()
            for name in self.files.names(folder):
                path = f"{folder}/{name}"
                if path.count("/") < 20 and self.files.is_folder(path):
                    folders.append(path)
                elif is_name(path):
                    names.add(path)
            if len(names) + len(folders) > MOST_REFERENCES:
                invalid(f"repository: more than {MOST_REFERENCES} names")
        found = []
        for name in sorted(names):
            id = self.resolved(name)
            if id is not None:
                # A name for something else than a commit is told as it is.
                found.append((name, (self.peeled(id) or id).hex()))
        return head, found

    def peeled(self, id: bytes) -> Optional[bytes]:
        """The commit behind tags."""
        for _ in range(MOST_TAGS):
            kind, content = self.objects.read(id)
            if kind == "commit":
                return id
            target = re.match(rb"object ([0-9a-f]{40})\n", content)
            if kind != "tag" or target is None:
                return None
            id = bytes.fromhex(target[1].decode())
        return None

    def find(self, revision: str) -> bytes:
        """The commit that somebody means."""
        name = re.match(r"[^~^]*", revision)[0]
        steps = STEP.findall(revision[len(name) :])
        if "".join(sign + count for sign, count in steps) != revision[len(name) :]:
            invalid(f"revision: {revision!r} is written in a way that is not known here")
        id = self.named(name or "HEAD")
        taken = 0
        for sign, count in steps:
            if len(count) > 6:
                invalid(f"revision: {revision!r} goes too far back")
            number = int(count) if count else 1
            for _ in range(number if sign == "~" else 1):
                if sign == "^" and number == 0:
                    break
                taken += 1
                parents = self.commit(id).parents
                at = 0 if sign == "~" else number - 1
                if at >= len(parents) or taken > MOST_STEPS:
                    not_found(f"{revision}: the history is not that long")
                id = parents[at]
        return id

    def named(self, name: str) -> bytes:
        candidates = [] if not is_name(name) else [name, f"refs/{name}", f"refs/tags/{name}", f"refs/heads/{name}", f"refs/remotes/{name}"]
        for candidate in candidates:
            # Without a slash only names such as HEAD: other files of that folder hold something else.
            if "/" in candidate or re.fullmatch(r"[A-Z_]+", candidate):
                id = self.resolved(candidate)
                if id is not None:
                    return self.must_be_commit(id, name)
        if 4 <= len(name) <= 40 and is_hex(name.lower()):
            found = self.objects.beginning(name.lower())
            commits = [id for id in found if len(found) == 1 or self.objects.read(id)[0] == "commit"]
            if len(commits) > 1:
                invalid(f"revision: {name} is the beginning of more than one commit")
            if commits:
                return self.must_be_commit(commits[0], name)
        if name == "HEAD":
            not_found("HEAD: there is no commit yet")
        not_found(f"{name}: no branch, tag or commit")

    def must_be_commit(self, id: bytes, name: str) -> bytes:
        commit = self.peeled(id)
        if commit is None:
            invalid(f"revision: {name} is no commit")
        return commit

    def commit(self, id: bytes) -> Commit:
        _, content = self.objects.read(id, "commit")
        commit = commit_of(id, content)
        if commit.id in self.cut:
            commit.parents = []
        return commit


def is_name(name: str) -> bool:
    """Whether a name stays inside of the repository. git allows less than this."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") for part in parts) and not any(ord(c) < 32 or c in "\\:?*[~^\x7f" for c in name)
