"""Exclude patterns of a crawler's S3 target.

Glue's own rules: relative to the include path, `*` stays within a folder, `**` crosses folders, `?` is one character,
`[a-c]` and `[!a-c]` are sets, `{a,b}` alternatives, `\\` escapes.
https://docs.aws.amazon.com/glue/latest/dg/define-crawler.html#crawler-data-stores-exclude
"""

import re
from collections.abc import Callable, Sequence

Exclusion = Callable[[str], bool]


def exclusion(patterns: Sequence[str]) -> Exclusion:
    """Return a function that says whether a key, relative to the include path, is excluded by any pattern."""
    compiled = [re.compile(_regex(pattern.lstrip("/")), re.DOTALL) for pattern in patterns]
    return lambda relative_key: any(pattern.fullmatch(relative_key) for pattern in compiled)


def _regex(pattern: str) -> str:
    parts: list[str] = []
    position, depth = 0, 0
    while position < len(pattern):
        text, position, depth = _token(pattern, position, depth)
        parts.append(text)
    return "".join(parts) + ")" * depth


def _token(pattern: str, position: int, depth: int) -> tuple[str, int, int]:
    """Return the regular expression of the token at `position`, the position after it, and how many groups are open."""
    character = pattern[position]
    if character == "*":
        return (
            (".*", position + 2, depth) if pattern[position : position + 2] == "**" else ("[^/]*", position + 1, depth)
        )
    if character == "?":
        return "[^/]", position + 1, depth
    if character == "\\" and position + 1 < len(pattern):
        return re.escape(pattern[position + 1]), position + 2, depth
    if character == "[" and "]" in pattern[position + 2 :]:
        return _set(pattern, position, depth)
    if character == "{":
        return "(?:", position + 1, depth + 1
    if character == "}" and depth:
        return ")", position + 1, depth - 1
    if character == "," and depth:
        return "|", position + 1, depth
    return re.escape(character), position + 1, depth


def _set(pattern: str, position: int, depth: int) -> tuple[str, int, int]:
    end = pattern.index("]", position + 2)
    body = pattern[position + 1 : end]
    negated = body.startswith("!")
    inner = body[1:] if negated else body
    inner = inner.replace("\\", "\\\\").replace("^", "\\^").replace("[", "\\[")
    return f"(?!/)[{'^' if negated else ''}{inner}]", end + 1, depth
