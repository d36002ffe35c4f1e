"""What can go wrong, as sentences: every message says what, where, and the next command to run."""

from __future__ import annotations

import re
from enum import IntEnum

_IN_ADDRESS = re.compile(
    r"(?P<begin>\b[a-z][a-z0-9+.-]*://)(?:[^\s/?#]*@)?(?P<rest>[^\s?#'\"<>)]*)"
    r"(?:\?[^\s'\"<>)]*?(?=[,.;:]?(?:[\s'\"<>)]|$)))?",
    re.IGNORECASE,
)
_IN_HEADER = re.compile(r"\b(Bearer|Basic) +[\w+/=.~-]{8,}")


def without_secrets(text: str) -> str:
    """A text whose addresses have no user, password and query, and which quotes no token of a header."""
    return _IN_HEADER.sub(r"\1 ...", _IN_ADDRESS.sub(r"\g<begin>\g<rest>", text))


class ExitCode(IntEnum):
    """What the `microns` command returns to the shell."""

    OK = 0
    """Done."""
    CHECKS_FAILED = 1
    """`microns check` found rows that break a rule."""
    USAGE = 2
    """The command line names something that does not exist."""
    SOURCE = 3
    """The remote service could not be reached, or refused (unknown and expired versions included)."""
    DATA = 4
    """Local data are missing, incomplete or damaged, or the disk is full."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C; the message says what is true then."""


class WarehouseError(Exception):
    """Base of all errors of this project that a user can act on."""

    exit_code = ExitCode.DATA

    def __init__(self, sentence: str = "") -> None:
        """Take the sentence; addresses in it lose what only their user may know."""
        super().__init__(without_secrets(sentence))


class UsageError(WarehouseError):
    """A name, version or option that does not exist."""

    exit_code = ExitCode.USAGE


class QueryTooLong(UsageError):
    """A query took longer than it may."""

    @classmethod
    def after(cls, seconds: float | None) -> QueryTooLong:
        """With the sentence that says so."""
        return cls(f"the query took longer than {seconds:g} s and was stopped; ask for less, or for fewer cells")


class SnapshotNotFound(WarehouseError):
    """There is no such version in this folder."""


class SnapshotIncomplete(WarehouseError):
    """A version is only partly here: its job was stopped, or a table failed."""


class SnapshotDamaged(WarehouseError):
    """A file does not hold what the manifest says it holds."""


class SchemaDrift(WarehouseError):
    """The source's columns are not those the registry declares."""


class FolderBusy(WarehouseError):
    """Another process holds a file or the lock that this one needs."""


class ViewError(WarehouseError):
    """A file under sql/ breaks the rules for views."""


class ChecksFailed(WarehouseError):
    """`microns check` found rows that break a rule."""

    exit_code = ExitCode.CHECKS_FAILED


class SourceError(WarehouseError):
    """The remote side of a snapshot failed."""

    exit_code = ExitCode.SOURCE


class SourceUnavailable(SourceError):
    """The source did not answer, or not in time; trying again later can help."""


class SourceRefused(SourceError):
    """The source answered and said no: token, terms, version or table."""


def sentence_of_refusal(error: Exception) -> str:
    """The sentence with which a view or macro refuses, out of DuckDB's error (its InvalidInputException)."""
    return str(error).removeprefix("Invalid Input Error: ")


class NotThere(SourceRefused):
    """The version or table is not on the server."""
