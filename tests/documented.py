"""The commands that the README and docs/ tell a reader to type."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import REPOSITORY

PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md")))
_COMMAND = re.compile(
    r"(?:[A-Z_]+=\S+ )?(?:loglake|eval|aws|make|git|docker|pip|python|cfn-guard|checkov|find|export)\b"
)
_CRON = re.compile(r"[\d*]+ [\d*]+ \* \* \* +")


def commands(page: Path) -> list[str]:
    """Return the commands of a page's code blocks, in order, without their remarks."""
    return [command for text in _lines(page) if _COMMAND.match(command := _without_remark(_CRON.sub("", text)))]


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
