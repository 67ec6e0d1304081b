"""The live page's words: its state, its tiles, its commonest errors."""

from collections.abc import Sequence
from typing import Any

from dash import html

from catalog.live_feed import State
from dashboard.live.ticks import Facts, Tick
from dashboard.wording import NOTHING, age, count, duration, share

_WORDS = {
    "live": ("Live", "pill-good"),
    "silent": ("Silent", "pill-warn"),
    "behind": ("Behind", "pill-warn"),
    "stopped": ("Stopped", "pill-bad"),
    "none": ("No consumer", "pill-bad"),
}


def state_line(state: State, tick: Tick, is_paused: bool) -> list[html.Span]:
    """Return what the tail is doing, in a pill and a sentence, and what it does not show."""
    word, tone = _WORDS[state.word]
    parts = [html.Span(word, className=f"pill {tone}"), html.Span(_sentence(state))]
    if is_paused:
        parts.append(html.Span(f"paused, {count(tick.waiting)} waiting", className="status-warn"))
    if tick.kept < tick.seen:
        parts.append(html.Span(f"sampled: {count(tick.kept)} of {count(tick.seen)} events kept, errors first"))
    if tick.thinned:
        parts.append(html.Span(f"{count(tick.thinned)} of a tick not shown, errors first"))
    rejected = sum(n for name, n in state.totals.items() if name.startswith("rejected"))
    if rejected:
        reasons = "; ".join(f"{n:,} {name}" for name, n in state.totals.items() if name.startswith("rejected"))
        parts.append(html.Span(f"{count(rejected)} rejected so far", title=reasons, className="status-warn"))
    return parts


def _sentence(state: State) -> str:
    match state.word:
        case "none":
            return (
                "no consumer has run here yet: start one with 'loglake consume', or the whole chain with 'loglake up'"
            )
        case "stopped":
            return "the consumer does not run; what you see is what it left: start it with 'loglake consume'"
        case "behind":
            return f"the consumer is {age(state.lag_seconds)} behind the stream and catching up"
        case "silent":
            return f"no records for {age(state.silent_seconds)}; the consumer reads on"
    return f"{state.lag_seconds:.1f} s behind the stream, {state.shards} shard{'s' if state.shards != 1 else ''}"


def tiles(facts: Facts | None, state: State) -> list[html.Div]:
    """Return the last minute as four cards."""
    lag = f"{state.lag_seconds:.1f} s" if state.word in ("live", "silent") else age(state.lag_seconds)
    values = [
        ("Events", "of the chosen levels and services, per second over the last minute", _rate(facts)),
        (
            "Error rate",
            "ERROR and CRITICAL of all events, over the last minute",
            share(facts.error_rate if facts else None),
        ),
        ("p95", "95 of 100 responses of the last minute were faster", duration(facts.p95 if facts else None)),
        ("Behind the stream", "how long ago all was read that had arrived", NOTHING if state.word == "none" else lag),
    ]
    return [
        html.Div(
            [html.Div(title, className="tile-title"), html.Div(value, className="tile-value")],
            className="tile tile-plain",
            title=hint,
        )
        for title, hint, value in values
    ]


def _rate(facts: Facts | None) -> str:
    if facts is None:
        return NOTHING
    return f"{facts.rate:,.1f}/s" if facts.rate < 100 else f"{facts.rate:,.0f}/s"


def errors(found: Sequence[tuple[tuple[str, str], int]]) -> Any:
    """Return the commonest errors of the last five minutes as a table, or that there are none."""
    if not found:
        return html.P("No errors in the last five minutes.", className="panel-note")
    rows = [
        html.Tr(
            [html.Td(service), html.Td(text, className="raw-line", title=text), html.Td(f"{n:,}", className="number")]
        )
        for (service, text), n in found
    ]
    head = html.Thead(html.Tr([html.Th("Service"), html.Th("Error"), html.Th("Events", className="number")]))
    return html.Table([head, html.Tbody(rows)], className="plain-table")
