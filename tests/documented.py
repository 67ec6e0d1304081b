"""The commands that the README and docs/ tell a reader to type."""

import re
import shlex
from collections.abc import Iterator
from itertools import dropwhile, groupby
from pathlib import Path

from tests.conftest import REPOSITORY

PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
_COMMAND = re.compile(
    r"(?:[A-Z_]+=\S+ )?(?:loglake|eval|aws|make|git|docker|pip|python|cfn-guard|checkov|find|export|echo)\b|\w+=\$\("
)
_CALL = re.compile(r"(?:^|[|;&(])\s*(?:[A-Z_]+=\S+ )?(?:\S*/)?(?:loglake|aws)\s+[a-z]")
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
_CRON = re.compile(r"[\d*]+ [\d*]+ \* \* \* +")


def commands(page: Path) -> list[str]:
    """Return the commands of a page's code blocks, in order, without their remarks."""
    return [command for text in _lines(page) if _COMMAND.match(command := _without_remark(_CRON.sub("", text)))]


def missed(page: Path) -> list[str]:
    """Return the lines of a page's code blocks that call a command and are not told as one."""
    return [line for line in _lines(page) if _CALL.search(line) and not _COMMAND.match(_CRON.sub("", line))]


def mentions(page: Path) -> list[str]:
    """Return what a page's sentences name of the form `loglake …`; such a mention may leave values away."""
    text = re.sub(r"^(?:```.*?^```|    [^\n]*)$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return [" ".join(found.split()) for found in re.findall(r"`(loglake\s[^`]*)`", text)]


def calls(command: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of `loglake` in a command, also in its pipes and substitutions."""
    for inner in re.findall(r"\$\(([^()]*)\)", command):
        yield from calls(inner)
    if not re.search(r"\bloglake\s", command):
        return
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for is_operator, group in groupby(words, lambda word: bool(word) and set(word) <= set("|&;<>()")):
        call = list(dropwhile(_ASSIGNMENT.fullmatch, group))
        if not is_operator and call and call[0].rpartition("/")[2] == "loglake":
            yield call[1:]


def _lines(page: Path) -> Iterator[str]:
    """Yield the lines of indented code, those that end in a backslash joined with what follows."""
    whole = ""
    for line in re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S).split("\n"):
        if not line.startswith("    "):
            whole = ""
            continue
        whole += line.strip()
        if whole.endswith("\\"):
            whole = whole[:-1]
            continue
        yield whole
        whole = ""


def _without_remark(text: str) -> str:
    return re.split(r"\s{2,}#|\s# ", text)[0].strip()
