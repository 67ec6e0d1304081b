"""Saved views: a page and its query under a name, a person's own or shared with everybody."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from catalog.errors import UsageError
from dashboard.state import StateFile

PAGES = ("/", "/explore", "/services", "/patterns", "/alerts", "/pipeline", "/sql", "/live")
MAX_NAME_CHARS = 60
MAX_VIEWS = 200


@dataclass(frozen=True, slots=True)
class SavedView:
    """One saved view; `query` is a URL's, without the leading `?`."""

    id: int
    owner: str
    name: str
    is_shared: bool
    page: str
    query: str


def visible(state: StateFile, person: str) -> list[SavedView]:
    """Return a person's own views and the shared ones, by name."""
    query = (
        "SELECT id, owner, name, is_shared, page, query FROM views WHERE owner = ? OR is_shared ORDER BY lower(name)"
    )
    with state.open() as connection:
        return [_view(row) for row in connection.execute(query, (person,))]


def save(state: StateFile, person: str, name: str, page: str, query: str, is_shared: bool, now: float) -> None:
    """Keep a view under a name; the person's own view of that name is replaced."""
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME_CHARS:
        raise UsageError(f"a view's name must have 1 to {MAX_NAME_CHARS} characters; got {len(name)}")
    if page not in PAGES and not page.startswith("/services/"):
        raise UsageError(f"a view must be of a page; got {page!r}")
    with state.open() as connection:
        if connection.execute("SELECT count(*) FROM views WHERE owner = ?", (person,)).fetchone()[0] >= MAX_VIEWS:
            raise UsageError(f"a person may keep {MAX_VIEWS} views; remove some")
        connection.execute(
            "INSERT INTO views (owner, name, is_shared, page, query, saved_at) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (owner, name) DO UPDATE SET is_shared = excluded.is_shared, page = excluded.page, "
            "query = excluded.query, saved_at = excluded.saved_at",
            (person, name, is_shared, page, query[:4000], now),
        )


def remove(state: StateFile, person: str, number: int, may_remove_any: bool = False) -> None:
    """Remove a view of the person's own, or anybody's shared one when allowed."""
    with state.open() as connection:
        values: tuple[Any, ...] = (number, person, may_remove_any)
        connection.execute("DELETE FROM views WHERE id = ? AND (owner = ? OR (? AND is_shared))", values)


def _view(row: sqlite3.Row) -> SavedView:
    return SavedView(row["id"], row["owner"], row["name"], bool(row["is_shared"]), row["page"], row["query"])
