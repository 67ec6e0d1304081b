"""How a load of a view stands: in one value, made from what the broker says of each of its questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dashboard.athena import CANCELLED, FAILED, RUNNING, SUCCEEDED, read_csv
from dashboard.broker import Answer
from dashboard.timerange import Window


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a load stands. `token` names the cube once it is whole; the rest is what the status line says."""

    state: str
    window: Window
    token: str = ""
    asked_at: float = 0.0
    scanned_bytes: int = 0
    engine_ms: int = 0
    complete_to: datetime | None = None
    error: str = ""
    execution_id: str = ""
    running_seconds: float = 0.0
    was_cached: bool = True
    is_revalidating: bool = False
    """Whether newer data is being looked for behind this answer."""


def complete_moment(content: bytes | None) -> datetime | None:
    """Return the moment up to which the lake is complete; None before anything was curated."""
    rows = read_csv(content)[1] if content else []
    return datetime.fromtimestamp(int(float(rows[0][0])), UTC) if rows and rows[0] and rows[0][0] else None


def standing(window: Window, answers: Sequence[Answer], complete_to: datetime | None = None) -> Loaded:
    """Return how an unfinished load stands: its first failure, else that it runs."""
    bad = next((answer for answer in answers if answer.state in (FAILED, CANCELLED)), None)
    longest = max((answer.running_seconds for answer in answers), default=0.0)
    if bad:
        return Loaded(bad.state, window, error=bad.error, execution_id=bad.execution_id, complete_to=complete_to)
    return Loaded(RUNNING, window, running_seconds=longest, complete_to=complete_to, was_cached=False)


def finished(
    window: Window, token: str, manifests: Sequence[Answer], answers: Sequence[Answer], complete_to: datetime | None
) -> Loaded:
    """Return a whole load; a manifest that could not be asked again makes it a failed one that still shows old data."""
    ran = [answer for answer in [*manifests, *answers] if answer.state in (SUCCEEDED, RUNNING)]
    failed = next((answer for answer in manifests if answer.state in (FAILED, CANCELLED)), None)
    oldest = failed or min(manifests, key=lambda manifest: manifest.asked_at)
    return Loaded(
        FAILED if failed else SUCCEEDED,
        window,
        token,
        asked_at=oldest.asked_at,
        scanned_bytes=sum(answer.scanned_bytes for answer in ran),
        engine_ms=max((answer.engine_ms for answer in ran), default=oldest.engine_ms),
        complete_to=complete_to,
        error=oldest.error,
        execution_id=oldest.execution_id,
        was_cached=not answers and all(manifest.was_cached for manifest in manifests),
        is_revalidating=any(manifest.state == RUNNING for manifest in manifests),
    )
