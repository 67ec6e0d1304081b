"""Schema drift: the columns that the crawler's runs found new."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

SHOWN_COLUMNS = 4


def latest_drift(crawls: Sequence[Mapping[str, Any]]) -> str:
    """Return what the newest crawl with new columns found, and when; empty when none of `crawls` found any.

    `crawls` are Glue's `ListCrawls`, newest first. Only the laptop's crawler tells columns in its summary.
    """
    for crawl in crawls:
        columns = [f"{table}.{column}" for table, names in _added(crawl).items() for column in names]
        if columns:
            more = f" and {len(columns) - SHOWN_COLUMNS} more" if len(columns) > SHOWN_COLUMNS else ""
            return f"new columns on {crawl['StartTime']:%d %b at %H:%M}: {', '.join(columns[:SHOWN_COLUMNS])}{more}"
    return ""


def _added(crawl: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    try:
        summary = json.loads(crawl.get("Summary") or "{}")
        added = summary["COLUMN"]["ADD"]
    except (ValueError, LookupError, TypeError):
        return {}
    return added if isinstance(added, dict) else {}
