"""What goes wrong, as an error of the WIT. Everything else that is raised would end the call as a trap."""

from typing import NoReturn

from componentize_py_types import Err
from wit_world.exports.history import (
    GitError_Damaged,
    GitError_Invalid,
    GitError_NotFound,
    GitError_NotPermitted,
    GitError_Other,
    GitError_TooLarge,
    GitError_Unsupported,
)


def damaged(why: str) -> NoReturn:
    raise Err(GitError_Damaged(why)) from None


def invalid(why: str) -> NoReturn:
    raise Err(GitError_Invalid(why)) from None


def not_found(what: str) -> NoReturn:
    raise Err(GitError_NotFound(what)) from None


def too_large(what: str) -> NoReturn:
    raise Err(GitError_TooLarge(what)) from None


def unsupported(what: str) -> NoReturn:
    raise Err(GitError_Unsupported(what)) from None


def of_system(error: OSError) -> Err:
    """What the host refuses is an ordinary error here."""
    path = str(error.filename) if error.filename else "a file of the repository"
    if isinstance(error, PermissionError):
        return Err(GitError_NotPermitted(path))
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return Err(GitError_NotFound(path))
    return Err(GitError_Other(f"{path}: {error.strerror or error}"))
