"""The seam for the live page: what a consumer of the stream must give it.

`pages/live.py` shows an explanation until an application is made with a source: put an object that keeps this promise
into `server.extensions["loglake-live"]` in `app.create_app`. Nothing else of the dashboard needs to know it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dashboard.view import View

MAX_EVENTS = 200


@dataclass(frozen=True, slots=True)
class Tail:
    """What arrived since a cursor: at most `MAX_EVENTS`, newest first, the next cursor, and what was left out."""

    events: Sequence[dict[str, str | None]]
    cursor: int
    arrived: int = 0
    skipped: int = 0
    silent_seconds: float = 0.0


class LiveSource(Protocol):
    """A ring of recent events that a consumer process fills; reading it must cost no Kinesis call."""

    def since(self, cursor: int, view: View, services: Sequence[str]) -> Tail:
        """Return what arrived after `cursor` and passes the view's filters, of `services` alone when there are any."""
