import json
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboard.drift import latest_drift

WHEN = datetime(2026, 11, 21, 18, 5, tzinfo=UTC)


def crawl(summary: Any) -> dict[str, Any]:
    return {"StartTime": WHEN, "Summary": summary if isinstance(summary, str) else json.dumps(summary)}


def test_the_newest_new_columns_are_told_with_their_table_and_time() -> None:
    added = {"payment": ["coupon", "card"], "inventory": ["bin"]}
    crawls = [
        crawl({"COLUMN": {"ADD": {}}}),
        crawl({"COLUMN": {"ADD": added}}),
        crawl({"COLUMN": {"ADD": {"x": ["y"]}}}),
    ]
    assert latest_drift(crawls) == "new columns on 21 Nov at 18:05: payment.coupon, payment.card, inventory.bin"


def test_many_new_columns_are_counted() -> None:
    columns = [f"c{n}" for n in range(6)]
    assert latest_drift([crawl({"COLUMN": {"ADD": {"t": columns}}})]).endswith("t.c0, t.c1, t.c2, t.c3 and 2 more")


@pytest.mark.parametrize("summary", ["", "not json", "[]", {"TABLE": {"ADD": ["t"]}}, {"COLUMN": {"ADD": ["t"]}}])
def test_a_summary_without_columns_tells_nothing(summary: Any) -> None:
    assert latest_drift([crawl(summary)]) == ""
