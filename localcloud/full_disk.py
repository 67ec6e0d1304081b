"""A full disk, told from other failures: what its user must do differs, and no traceback says it."""

import errno
import sqlite3

MEND = (
    "the disk of the data directory is full; free some space: nothing acknowledged is lost, and all goes on by itself"
)

_SQLITE_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_WORDS = ("no space left on device", "disk is full", "disk quota exceeded")


def is_full(error: BaseException | None) -> bool:
    """Tell whether a failure, or what it came from, is that of a full disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_CODES:
            return True
        if any(words in str(error).lower() for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False
