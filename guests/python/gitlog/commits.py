"""A commit as git writes it."""

import datetime
import re

from errors import damaged

PERSON = re.compile(rb"(.*?)\s*<([^<>\n]*)> (-?\d{1,12}) ([+-]\d{4})", re.DOTALL)
LONGEST_BODY = 20_000
# A name with an address and a date. In a longer line the expression above could look for ever.
LONGEST_PERSON = 2000
# Encodings of text, as git's users have them. Python knows others, some of which take long for a long text.
ENCODING = re.compile(r"utf-?8|(iso|windows|cp|koi8|euc|shift|latin|big|gb)[-_a-z0-9]{1,12}|ascii", re.IGNORECASE)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


class Signature:
    def __init__(self, line: bytes, encoding: str):
        line = line[:LONGEST_PERSON]
        found = PERSON.fullmatch(line)
        name, email, seconds, zone = found.groups() if found else (line, b"", b"0", b"+0000")
        self.name = decoded(name, encoding)
        self.email = decoded(email, encoding)
        self.seconds = int(seconds)
        minutes = int(zone[1:3]) * 60 + int(zone[3:5])
        self.offset = datetime.timedelta(minutes=min(minutes, 1439) * (-1 if zone[:1] == b"-" else 1))

    def date(self) -> str:
        try:
            return (EPOCH + datetime.timedelta(seconds=self.seconds)).astimezone(datetime.timezone(self.offset)).isoformat()
        except (OverflowError, ValueError):
            return f"{self.seconds} seconds after 1970"


class Commit:
    def __init__(self, id: bytes, tree: bytes, parents: list[bytes], author: Signature, committer: Signature, message: str):
        self.id = id.hex()
        self.tree = tree
        self.parents = parents
        self.author = author
        self.committer = committer
        self.message = message

    def subject(self) -> str:
        return self.message.strip("\n").partition("\n")[0]

    def body(self) -> str:
        return self.message.strip("\n").partition("\n")[2].strip("\n")[:LONGEST_BODY]


def commit_of(id: bytes, content: bytes) -> Commit:
    head, _, message = content.partition(b"\n\n")
    fields: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        # A line that begins with a blank goes on with the one before, which is a signature.
        key, _, value = line.partition(b" ")
        if key:
            fields.setdefault(key, []).append(value)
    trees, parents = fields.get(b"tree", []), fields.get(b"parent", [])
    ids = trees[:1] + parents
    if not trees or any(re.fullmatch(rb"[0-9a-f]{40}", id) is None for id in ids):
        damaged(f"commit {id.hex()} does not name its tree and parents")
    encoding = fields.get(b"encoding", [b"utf-8"])[0].decode("ascii", "replace")
    encoding = encoding if ENCODING.fullmatch(encoding) else "utf-8"
    tree, *parents = (bytes.fromhex(id.decode()) for id in ids)
    author = Signature(fields.get(b"author", [b""])[0], encoding)
    committer = Signature(fields.get(b"committer", [b""])[0], encoding)
    return Commit(id, tree, parents, author, committer, decoded(message, encoding))


def decoded(text: bytes, encoding: str) -> str:
    try:
        return text.decode(encoding, "replace").replace("\0", "\ufffd")
    except (LookupError, ValueError):
        return text.decode("utf-8", "replace").replace("\0", "\ufffd")
