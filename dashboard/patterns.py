"""Message patterns as the rollup counts them: a message's text with `<*>` for what varies, and the id of that text."""

import hashlib

from catalog.schema import NO_VALUE

PLACEHOLDER = "<*>"
OTHER = "<other>"
"""What the rollup calls the patterns beyond the commonest of a row."""


def pattern_id(text: str) -> str:
    """Return a pattern's id as the curated `logs` hold it: the first 16 hexadecimal digits of the MD5 of its text.

    A missing pattern has no id: it is asked for as any missing value is.
    """
    if text == NO_VALUE:
        return NO_VALUE
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:16]


def like(text: str) -> str:
    r"""Return the pattern as an argument of SQL's `LIKE … ESCAPE '\'`; a longer message's further lines may follow."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace(PLACEHOLDER, "%") + "%"
