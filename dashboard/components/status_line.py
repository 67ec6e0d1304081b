"""The status line: how old the answer is, what it scanned and cost, and how far the data reaches."""

from datetime import datetime

from dash import html

from dashboard.athena import CANCELLED, FAILED, RUNNING
from dashboard.components.attributes import attributes
from dashboard.loading import Loaded
from dashboard.timerange import Window
from dashboard.wording import age, clock, dollars, size

STALE_SECONDS = 300
LATE_SECONDS = 1800


def status_line(loaded: Loaded, now: float, zone: str, has_previous: bool = True) -> list[html.Span]:
    """Return the parts of the line: `Cached 42 s · 412 MB scanned · $0.0021 · 1.4 s · data complete to 20:28:40`."""
    parts = [_pill(loaded, now)]
    if loaded.state == RUNNING:
        parts.append(html.Span("Athena is reading" + ("; what you see is the previous result" if has_previous else "")))
    if loaded.error:
        parts.append(
            html.Span(loaded.error, className="status-error", title=f"execution {loaded.execution_id or 'none'}")
        )
    if loaded.token:
        parts += [
            html.Span(f"{size(loaded.scanned_bytes)} scanned"),
            html.Span(dollars(loaded.scanned_bytes)),
            html.Span(f"{loaded.engine_ms / 1000:.1f} s"),
        ]
    if loaded.is_revalidating:
        parts.append(html.Span("looking for newer data"))
    return [*parts, _reach(loaded, now, zone)]


def sampled(window: Window, compare_from: datetime | None, zone: str) -> list[html.Span]:
    """Return the words for a window that compares with nothing, since events before `compare_from` are a sample."""
    if compare_from is None or window.previous.start >= compare_from:
        return []
    return [html.Span(f"before {clock(compare_from, zone)} history is a sample: nothing is compared with it")]


def _pill(loaded: Loaded, now: float) -> html.Span:
    if loaded.state == RUNNING:
        return html.Span(f"Running {loaded.running_seconds:.1f} s", className="pill pill-running")
    if loaded.state in (FAILED, CANCELLED):
        return html.Span("Failed" if loaded.state == FAILED else "Cancelled", className="pill pill-bad")
    seconds = max(0.0, now - loaded.asked_at)
    word = "Stale" if seconds > STALE_SECONDS else "Cached" if loaded.was_cached else "Fresh"
    tone = "pill-warn" if word == "Stale" else "pill-good"
    since = attributes({"data-since": f"{loaded.asked_at:.0f}", "data-word": word})
    return html.Span(f"{word} {age(seconds)}", className=f"pill {tone}", **since)


def _reach(loaded: Loaded, now: float, zone: str) -> html.Span:
    if loaded.complete_to is None and loaded.state == RUNNING:
        return html.Span("")
    if loaded.complete_to is None and loaded.state in (FAILED, CANCELLED):
        return html.Span("how far the data reaches is not known")
    if loaded.complete_to is None:
        return html.Span("nothing curated yet: run 'loglake curate'", className="status-warn")
    late = now - loaded.complete_to.timestamp()
    text = f"data complete to {clock(loaded.complete_to, zone)} (lag {age(late)}) · {zone}"
    return html.Span(text, className="status-warn" if late > LATE_SECONDS else "")
