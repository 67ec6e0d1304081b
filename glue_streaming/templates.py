"""Which words of message patterns vary, learned from the patterns met, batch after batch. Plain Python, no Spark.

`patterns` masks what looks like a value. A name, a city or a category does not: it is told by its company. Where
`MIN_FILLERS` different texts have stood in one gap between the same words, the gap varies, and from then on whatever
stands there is masked too. A route or a key never is: a gap holds plain words only, at most `MAX_GAP`, and at least
`MIN_CONTEXT` of the words around it must be plain. A template is all there is to know of a pattern: its id is a hash of
its text, so the same one learned in another lake or in another order has the same id.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLACEHOLDER = "<*>"
MIN_FILLERS = 8
MIN_CONTEXT = 2
MAX_GAP = 3
MAX_KNOWN = 2000
"""Patterns remembered in case one of their words turns out to vary, the newest."""
MAX_TEMPLATES = 1000
_MAX_WORDS = 40
_MAX_AT_ONCE = 50
_TOKENS = re.compile(r"\s+|[^\s,;]+|[,;]")
_PLAIN = re.compile(r"[^\W\d_][\w.'&-]*")

Gap = tuple[str, str]
"""The text before a gap and the text after it."""


@dataclass(frozen=True, slots=True)
class Templates:
    """What has been learned: the `gaps` that vary, and patterns `known` so far, each as general as can be told."""

    gaps: frozenset[Gap] = field(default_factory=frozenset)
    known: Sequence[str] = ()

    def template(self, text: str) -> str:
        """Return the template of a pattern: its text with every gap masked that is known to vary."""
        seen = {text}
        while True:
            found = next((gap for gap, _ in gaps_of(text) if gap in self.gaps), None)
            if found is None:
                return text
            text = PLACEHOLDER.join(found)
            if text in seen:
                return text
            seen.add(text)

    def learned(self, texts: Iterable[str]) -> "Templates":
        """Return what is known after `texts` as well; the same texts in any order teach the same."""
        new = dict.fromkeys(map(self.template, sorted(texts)))
        if new.keys() <= set(self.known):
            return self
        gaps = self.gaps
        pool = list(dict.fromkeys((*self.known, *new)))
        for _ in range(_MAX_AT_ONCE):
            now = Templates(gaps)
            pool = list(dict.fromkeys(map(now.template, pool)))
            widest = _widest(pool)
            if widest is None or len(gaps) >= MAX_TEMPLATES:
                break
            gaps |= {widest}
        return Templates(gaps, tuple(pool[-MAX_KNOWN:]))

    def to_json(self) -> dict[str, Any]:
        return {"gaps": sorted(map(list, self.gaps)), "known": list(self.known)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Templates":
        return cls(frozenset((before, after) for before, after in document["gaps"]), tuple(document["known"]))


def gaps_of(text: str) -> Iterator[tuple[Gap, str]]:
    """Yield every gap that plain words of a pattern may stand in, with these words; nothing for a very long pattern."""
    tokens = _TOKENS.findall(text)
    words = [place for place, token in enumerate(tokens) if not token.isspace() and token not in ",;"]
    plain = {place for place in words if _PLAIN.fullmatch(tokens[place])}
    if len(words) > _MAX_WORDS:
        return
    for first in range(len(words)):
        for last in range(first, min(first + MAX_GAP, len(words))):
            start, end = words[first], words[last] + 1
            if not all(place in plain or tokens[place].isspace() for place in range(start, end)):
                break
            if len(plain) - (last + 1 - first) >= MIN_CONTEXT:
                yield ("".join(tokens[:start]), "".join(tokens[end:])), "".join(tokens[start:end])


def _widest(pool: Iterable[str]) -> Gap | None:
    """Return the gap that most different texts stand in, if these are enough and begin and end differently."""
    fillers: dict[Gap, set[str]] = {}
    for text in pool:
        for gap, filler in gaps_of(text):
            fillers.setdefault(gap, set()).add(filler)
    varying = [(len(texts), gap) for gap, texts in fillers.items() if len(texts) >= MIN_FILLERS and _differ(texts)]
    return max(varying)[1] if varying else None


def _differ(texts: set[str]) -> bool:
    """Return whether the texts share neither their first nor their last word: else the gap is wider than it must be."""
    words = [text.split() for text in texts]
    return len({each[0] for each in words}) > 1 and len({each[-1] for each in words}) > 1
