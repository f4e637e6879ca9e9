"""The history of a git repository; see wit/gitlog.wit.

`repository` finds commits by name, over `objects` and `packs`, which read what `files` opens; `trees` says what a commit changed. Whoever wrote the
repository is a stranger: what is read is bounded and checked, and whatever else goes wrong is an error of the WIT, not a trap.
"""

import datetime
import heapq
from typing import Callable, Optional

import errors
from commits import Commit
from repository import Repository
from trees import Entry
from wit_world import exports
from wit_world.exports import history

REPOSITORY = "/repo"
DEFAULT_COMMITS = 20
MOST_COMMITS = 1000
MOST_LOOKED_AT = 20_000
MOST_CHANGES = 5000
MOST_SIZES = 1000
MODULE = 0o160000
DAY = datetime.timedelta(days=1)


class History(exports.History):
    def log(
        self,
        repository: Optional[str],
        revision: Optional[str],
        author: Optional[str],
        since: Optional[str],
        until: Optional[str],
        message: Optional[str],
        path: Optional[str],
        limit: Optional[int],
    ) -> history.Commits:
        wanted = Wanted(author, since, until, message, path)
        limit = DEFAULT_COMMITS if limit is None else limit
        if limit > MOST_COMMITS:
            errors.invalid(f"limit: more than {MOST_COMMITS} commits")
        return told(lambda: log(Repository(repository or REPOSITORY), revision or "HEAD", wanted, limit))

    def show(self, revision: str, repository: Optional[str]) -> history.Shown:
        return told(lambda: show(Repository(repository or REPOSITORY), revision))

    def refs(self, repository: Optional[str]) -> history.References:
        def list_all() -> history.References:
            head, found = Repository(repository or REPOSITORY).references()
            return history.References(head, [history.Reference(name, id) for name, id in found])

        return told(list_all)


def told(action: Callable):
    try:
        return action()
    except OSError as error:
        raise errors.of_system(error) from None
    except (MemoryError, RecursionError):
        errors.too_large("it does not fit into the memory of this tool")


class Wanted:
    """Which commits are asked for."""

    def __init__(self, author, since, until, message, path):
        self.author = author and author.casefold()
        self.message = message and message.casefold()
        self.since = moment("since", since, datetime.timedelta(0))
        # A day is meant with all of it.
        self.until = moment("until", until, DAY)
        self.path = [part.encode() for part in (path or "").split("/") if part not in ("", ".")]
        if b".." in self.path:
            errors.invalid("path: it is one inside of the repository, without ..")

    def covers(self, commit: Commit) -> bool:
        if self.author and self.author not in f"{commit.author.name} <{commit.author.email}>".casefold():
            return False
        if self.message and self.message not in commit.message.casefold():
            return False
        seconds = commit.author.seconds
        return (self.since is None or seconds >= self.since) and (self.until is None or seconds < self.until)


def moment(what: str, text: Optional[str], day: datetime.timedelta) -> Optional[float]:
    if not text:
        return None
    try:
        when = datetime.datetime.fromisoformat(text)
        if len(text) == 10:
            when += day
        if when.tzinfo is None:
            when = when.replace(tzinfo=datetime.timezone.utc)
        return when.timestamp()
    except (ValueError, OverflowError):
        errors.invalid(f"{what}: {text!r} is no date such as 2026-01-31 or 2026-01-31T09:30:00+01:00")


def log(repository: Repository, revision: str, wanted: Wanted, limit: int) -> history.Commits:
    start = repository.find(revision)
    seen, waiting, found, looked_at = {start}, [], [], 0

    def wait_for(commit: Commit) -> None:
        # The newest first; of the same second, the one that was seen first.
        heapq.heappush(waiting, (-commit.committer.seconds, len(seen), commit))

    wait_for(repository.commit(start))
    while waiting and looked_at < MOST_LOOKED_AT and len(found) < limit:
        commit = heapq.heappop(waiting)[2]
        looked_at += 1
        parents = []
        for id in commit.parents:
            if wanted.path or id not in seen:
                parent = repository.commit(id)
                parents.append(parent)
                if id not in seen:
                    seen.add(id)
                    wait_for(parent)
        if wanted.covers(commit) and (not wanted.path or changes_path(repository, commit, parents, wanted.path)):
            found.append(as_told(commit))
    return history.Commits(found, bool(waiting), looked_at)


def changes_path(repository: Repository, commit: Commit, parents: list[Commit], path: list[bytes]) -> bool:
    """Whether the path is another one than in each parent: a merge that took one side has not changed it."""
    own = repository.trees.at(commit.tree, path)
    if not parents:
        return own is not None
    return all(repository.trees.at(parent.tree, path) != own for parent in parents)


def show(repository: Repository, revision: str) -> history.Shown:
    commit = repository.commit(repository.find(revision))
    before = repository.commit(commit.parents[0]).tree if commit.parents else None
    found, more = [], False
    for change in repository.trees.changes(before, commit.tree):
        if len(found) >= MOST_CHANGES:
            more = True
            break
        found.append(change)

    def size(entry: Optional[Entry]) -> Optional[int]:
        # A module is a commit of another repository.
        if entry is None or entry[0] == MODULE or len(found) > MOST_SIZES:
            return None
        return repository.objects.size(entry[1])

    changes = [history.Change(path.decode("utf-8", "replace"), fate(old, new), size(old), size(new)) for path, old, new in found]
    return history.Shown(as_told(commit), changes, more)


def fate(old: Optional[Entry], new: Optional[Entry]) -> history.Fate:
    if old is None:
        return history.Fate.ADDED
    if new is None:
        return history.Fate.REMOVED
    return history.Fate.CHANGED if old[0] == new[0] else history.Fate.RETYPED


def as_told(commit: Commit) -> history.Commit:
    def signature(of) -> history.Signature:
        return history.Signature(of.name, of.email, of.date())

    parents = [id.hex() for id in commit.parents]
    return history.Commit(commit.id, parents, signature(commit.author), signature(commit.committer), commit.subject(), commit.body())
