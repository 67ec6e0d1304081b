"""What a user finds on the terminal and in the logs: tracebacks, and the lines that are no plain progress."""

import re
from collections import Counter
from pathlib import Path

NUMBERS = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{32,}\b|\d+")
TROUBLE = re.compile(r"\b(ERROR|CRITICAL|WARNING|WARN|failed|died|can't|cannot|must)\b|(Error|Exception)\b")
MOST = 60


def collect(files: list[Path]) -> dict[str, dict[str, int]]:
    """Return the tracebacks (by file and last line) and the troubled lines of the files, with how often each came."""
    tracebacks: Counter[str] = Counter()
    lines: Counter[str] = Counter()
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        tracebacks.update(f"{path.name}: {last}" for last in traceback_ends(text))
        lines.update(f"{path.name}: {shape(line)}" for line in text.splitlines() if TROUBLE.search(line))
    return {"tracebacks": dict(tracebacks.most_common(MOST)), "lines": dict(lines.most_common(MOST))}


def traceback_ends(text: str) -> list[str]:
    """Return the last line of every traceback: what was raised."""
    ends, inside = [], False
    for line in text.splitlines():
        if line.startswith("Traceback (most recent call last)"):
            inside = True
        elif inside and line and not line.startswith((" ", "|", "+")):
            ends.append(shape(line))
            inside = False
    return ends


def shape(line: str) -> str:
    """Return a line without the numbers and ids in which it differs from others of its kind."""
    return NUMBERS.sub("#", line.strip())[:220]
