r"""Texts of a pattern: a small part of regular expressions, read so that it writes.

Letters stand for themselves; `\d` a digit, `\w` a letter, digit or underscore, `[A-F0-9]` one of these, `.` a letter
or digit, `(web|ios)` one of these texts; each may be followed by `?`, `{3}` or `{1,4}`. A backslash takes a sign as it
is.
"""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MAX_REPEATS = 1000
_CLASSES = {"d": string.digits, "w": string.ascii_letters + string.digits + "_", "s": " "}
_PIECE = re.compile(
    r"(?P<escaped>\\.)|\[(?P<set>(?:\\.|[^\]\\])+)\]|\((?P<texts>[^()]*)\)|(?P<any>\.)|(?P<plain>[^\\\[\](){}?*+|^$.])",
    re.DOTALL,
)
_REPEAT = re.compile(r"\?|\{(\d+)(?:,(\d+))?\}")


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a pattern: one of `texts`, `least` to `most` times."""

    texts: tuple[str, ...]
    least: int
    most: int

    def draw(self, random: np.random.Generator, count: int) -> list[str]:
        """Return `count` texts."""
        if self.most == 1 == self.least and len(self.texts) == 1:
            return [self.texts[0]] * count
        picks = random.integers(0, len(self.texts), (count, self.most))
        if self.least == self.most == 1:
            return [self.texts[pick] for pick in picks[:, 0].tolist()]
        lengths = random.integers(self.least, self.most + 1, count).tolist()
        return [
            "".join(self.texts[pick] for pick in row[:length])
            for row, length in zip(picks.tolist(), lengths, strict=True)
        ]


def parse_pattern(pattern: str) -> tuple[Part, ...]:
    """Return the parts of a pattern; raise `ValueError` that says what can't be read and where."""
    return tuple(_parts(pattern))


def draw_pattern(parts: tuple[Part, ...], random: np.random.Generator, count: int) -> list[str]:
    """Return `count` texts of a pattern."""
    return list(map("".join, zip(*(part.draw(random, count) for part in parts), strict=True)))


def _parts(pattern: str) -> Iterator[Part]:
    position = 0
    while position < len(pattern):
        piece = _PIECE.match(pattern, position)
        if not piece:
            raise ValueError(f"{pattern[position]!r} at character {position + 1}, which is not of this part of regex")
        position = piece.end()
        repeat = _REPEAT.match(pattern, position)
        least, most = _repeats(repeat)
        position = repeat.end() if repeat else position
        yield Part(_texts(piece), least, most)


def _repeats(repeat: re.Match[str] | None) -> tuple[int, int]:
    if not repeat:
        return 1, 1
    if repeat[0] == "?":
        return 0, 1
    least, most = int(repeat[1]), int(repeat[2] or repeat[1])
    if not least <= most <= MAX_REPEATS or not most:
        raise ValueError(f"{repeat[0]}, where 1 to {MAX_REPEATS} repeats are possible, the lower number first")
    return least, most


def _texts(piece: re.Match[str]) -> tuple[str, ...]:
    if piece["escaped"]:
        return tuple(_CLASSES.get(piece["escaped"][1], piece["escaped"][1]))
    if piece["set"]:
        return tuple(_set(piece["set"]))
    if piece["any"]:
        return tuple(string.ascii_letters + string.digits)
    return tuple(piece["texts"].split("|")) if piece["plain"] is None else (piece["plain"],)


def _set(content: str) -> list[str]:
    if content.startswith("^"):
        raise ValueError("[^…], and what is not in a set is too much to choose from")
    signs: list[str] = []
    for escaped, first, last, single in re.findall(r"(\\.)|([^\\])-([^\\])|([^\\])", content, re.DOTALL):
        if escaped:
            signs += _CLASSES.get(escaped[1], escaped[1])
        elif single:
            signs.append(single)
        elif first > last:
            raise ValueError(f"the range {first}-{last}, whose ends must be in order")
        else:
            signs += map(chr, range(ord(first), ord(last) + 1))
    return signs
