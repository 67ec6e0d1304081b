"""The page on Glue names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_test_that_the_page_names_exists() -> None:
    page = (ROOT / "docs" / "glue-on-a-laptop.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:crawler|jobs)/test_\w+\.py)::(test_\w+)`", page)

    missing = [name for file, name in named if f"def {name}(" not in (ROOT / "tests/localcloud" / file).read_text()]

    assert len(named) > 20
    assert missing == []
