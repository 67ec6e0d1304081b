"""The audit log: who asked, downloaded, acknowledged or changed what, and who logged in."""

import time
from typing import Any

from dashboard.state import StateFile

MAX_DETAIL_CHARS = 2000
KEPT_SECONDS = 90 * 86_400


def record(state: StateFile, user: str, action: str, detail: str) -> None:
    """Write one line; lines older than 90 days go."""
    now = time.time()
    with state.open() as connection:
        values = (now, user, action, detail[:MAX_DETAIL_CHARS])
        connection.execute("INSERT INTO audit (at, user, action, detail) VALUES (?, ?, ?, ?)", values)
        connection.execute("DELETE FROM audit WHERE at < ?", (now - KEPT_SECONDS,))


def latest(state: StateFile, limit: int = 20) -> list[dict[str, Any]]:
    """Return the newest lines: at, user, action, detail."""
    with state.open() as connection:
        query = "SELECT at, user, action, detail FROM audit ORDER BY id DESC LIMIT ?"
        return [dict(row) for row in connection.execute(query, (limit,))]
