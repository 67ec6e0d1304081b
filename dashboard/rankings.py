"""Rankings of what a cube holds: services, endpoints, message patterns and facet values, beside the period before."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard.columns import Columns
from dashboard.cube import (
    ERROR_LEVELS,
    Cube,
    countable,
    counting,
    quantiles_by,
    rates_by,
    slots_of,
    step_seconds,
)
from dashboard.patterns import pattern_id
from dashboard.statements import COUNTS, ENDPOINT_LATENCY, ENDPOINTS, LATENCY, PATTERNS
from dashboard.view import View

NOTABLE_EVENTS = 10
"""Fewer events than this, now and before, are neither rising nor falling."""
ONE_BAR = (np.zeros(1, dtype="int64"), 1)
"""The bars, and their seconds, of a whole window: what lies beyond the last bar counts in it."""


def by_service(cube: Cube, view: View) -> list[dict[str, Any]]:
    """Return one record per service: events, error_rate, p95, each with `previous_…`, and series; most changed first.

    The series are `series`, of events, and `errors_series`, of the error rate.
    """
    names = [service for service in cube.services if not view.services or service in view.services]
    columns: dict[str, Any] = {"service": names}
    for prefix, window in (("", cube.window), ("previous_", cube.window.previous)):
        counts, places = _of_services(cube.rows(COUNTS, window), names)
        sums = rates_by(places, len(names), counts, *ONE_BAR)
        columns[f"{prefix}events"], columns[f"{prefix}error_rate"] = sums["events"][:, 0], sums["rate"][:, 0]
        latency, of = _of_services(cube.rows(LATENCY, window), names)
        columns[f"{prefix}p95"] = quantiles_by(of, len(names), latency, (0.95,))[0]
    step = step_seconds(cube.window, 60, cube.grains.get(COUNTS, 60))
    counts, places = _of_services(cube.rows(COUNTS, cube.window), names)
    rates = rates_by(places, len(names), counts, slots_of(cube.window, step), step)
    columns["series"], columns["errors_series"] = (rates[name].tolist() for name in ("events", "rate"))
    order = np.argsort(-_surprise(columns), kind="stable")
    return [{name: values[place] for name, values in columns.items()} for place in order.tolist()]


def by_endpoint(cube: Cube, view: View) -> pd.DataFrame:
    """Return one row per service and endpoint: events, errors, error_rate, mean and p95; most errors first."""
    rows = cube.rows(ENDPOINTS, cube.window, View(services=view.services, facets=countable(view)))
    columns = ["service", "endpoint", "events", "errors", "error_rate", "mean", "p95", "max", "previous_error_rate"]
    if not len(rows):
        return pd.DataFrame(columns=columns)
    table = _endpoint_sums(rows.frame())
    before = _endpoint_sums(cube.rows(ENDPOINTS, cube.window.previous, View(services=view.services)).frame())
    table["previous_error_rate"] = before["error_rate"].reindex(table.index) if len(before) else np.nan
    latency = cube.rows(ENDPOINT_LATENCY, cube.window, View(services=view.services))
    groups = latency.frame().groupby(["service", "endpoint"], observed=True)
    names = groups.size().index
    p95 = quantiles_by(groups.ngroup().to_numpy(), len(names), latency, (0.95,))[0]
    table["p95"] = pd.Series(dict(zip(names, p95, strict=True)), dtype=float).reindex(table.index)
    return table.reset_index().sort_values(["errors", "events"], ascending=False)[columns].reset_index(drop=True)


def by_pattern(cube: Cube, view: View) -> pd.DataFrame:
    """Return one row per message pattern, most events first, with its verdict, course, levels and services.

    Columns: pattern, pattern_id, events, previous_events, verdict (`new`, `gone`, `rising`, `falling` or empty against
    the period before), level (the commonest), services (most events first), first_slot, last_slot and series.
    """
    columns = ["pattern", "pattern_id", "events", "previous_events", "verdict", "level", "services"]
    columns += ["first_slot", "last_slot", "series"]
    now, before = (cube.rows(PATTERNS, window, view).frame() for window in (cube.window, cube.window.previous))
    has_before = bool(len(cube.rows(PATTERNS, cube.window.previous)))
    events, previous = (_pattern_sums(rows) for rows in (now, before))
    table = pd.DataFrame({"events": events, "previous_events": previous}).fillna(0).astype("int64")
    if table.empty:
        return pd.DataFrame(columns=columns)
    facts = pd.concat([now, before[~before["pattern"].isin(events[events > 0].index)]])
    table["level"] = _commonest(facts, "level")
    table["services"] = _services(facts)
    slots = now.groupby("pattern", observed=True)["slot"]
    table["first_slot"], table["last_slot"] = slots.min(), slots.max()
    table["series"] = _pattern_courses(now, cube)
    table["verdict"] = [
        verdict(int(row.events), int(row.previous_events), has_before) for row in table.itertuples(index=False)
    ]
    table["pattern_id"] = [pattern_id(str(text)) for text in table.index]
    table = table.reset_index(names="pattern").sort_values(["events", "previous_events"], ascending=False)
    return table[columns].reset_index(drop=True)


def verdict(events: int, previous: int, has_before: bool) -> str:
    """Return how a pattern stands against the period before; small numbers are not worth a word."""
    if not has_before:
        return ""
    if not previous:
        return "new"
    if not events:
        return "gone"
    if max(events, previous) < NOTABLE_EVENTS:
        return ""
    return "rising" if events >= 2 * previous else "falling" if previous >= 2 * events else ""


def facet_counts(cube: Cube, view: View, column: str, limit: int = 10) -> list[tuple[str, int]]:
    """Return the most frequent values of a column and their events, under every filter but the column's own."""
    kind = ENDPOINTS if column == "endpoint" else counting(cube, view)
    facets = {name: values for name, values in view.facets.items() if name != column}
    other = View(
        levels=() if column == "level" else view.levels,
        services=() if column == "service" else view.services,
        facets=facets,
    )
    rows = cube.rows(kind, cube.window, other)
    texts = rows.texts[column]
    sums = np.bincount(texts.codes, rows["events"], len(texts.values))
    counts = [(value, int(events)) for value, events in zip(texts.values, sums, strict=True) if events]
    return sorted(counts, key=lambda counted: (-counted[1], counted[0]))[:limit]


def _of_services(rows: Columns, names: Sequence[str]) -> tuple[Columns, np.ndarray]:
    """Return the rows of services, and for each row the place of its service among `names`."""
    places = rows.texts["service"].places(names)
    is_there = places >= 0
    return (rows, places) if is_there.all() else (rows.taken(is_there), places[is_there])


def _surprise(now: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return how much each service changed: its error rate above all, then its p95, then its events."""
    rate, previous_rate = (np.nan_to_num(now[f"{prefix}error_rate"]) for prefix in ("", "previous_"))
    p95, events = np.nan_to_num(now["p95"], nan=1.0), np.nan_to_num(now["events"])
    previous_p95, previous = (
        np.where(np.isnan(before), otherwise, before)
        for before, otherwise in ((now["previous_p95"], p95), (now["previous_events"], events))
    )
    by_p95 = np.abs(np.log((p95 + 1) / (previous_p95 + 1)))
    by_events = np.abs(np.log((events + 50) / (previous + 50)))
    return np.asarray(8 * np.abs(rate - previous_rate) + by_p95 + 0.5 * by_events)


def _endpoint_sums(rows: pd.DataFrame) -> pd.DataFrame:
    errors = rows["events"].where(rows["level"].isin(ERROR_LEVELS), 0)
    groups = rows.assign(errors=errors).groupby(["service", "endpoint"], observed=True)
    table = groups.agg(
        events=("events", "sum"),
        errors=("errors", "sum"),
        response_time_ms=("response_time_ms", "sum"),
        max=("response_time_ms_max", "max"),
    )
    return table.assign(error_rate=table["errors"] / table["events"], mean=table["response_time_ms"] / table["events"])


def _pattern_sums(rows: pd.DataFrame) -> pd.Series:
    """Return each pattern's events, by its text: two categorical indexes of unlike sizes can't be joined."""
    sums = rows.groupby("pattern", observed=True)["events"].sum()
    return sums.set_axis(sums.index.astype(str))


def _commonest(rows: pd.DataFrame, column: str) -> pd.Series:
    counts = rows.groupby(["pattern", column], observed=True)["events"].sum().reset_index()
    best = counts.sort_values("events", ascending=False).drop_duplicates("pattern")
    return best.set_index("pattern")[column].astype(str)


def _services(rows: pd.DataFrame) -> pd.Series:
    """Return each pattern's services, most events first."""
    counts = rows.groupby(["pattern", "service"], observed=True)["events"].sum().reset_index()
    found: dict[str, tuple[str, ...]] = {}
    ranked = counts.sort_values("events", ascending=False)
    for pattern, service in zip(ranked["pattern"], ranked["service"], strict=True):
        found[str(pattern)] = (*found.get(str(pattern), ()), str(service))
    return pd.Series(found, dtype=object)


def _pattern_courses(rows: pd.DataFrame, cube: Cube) -> pd.Series:
    step = step_seconds(cube.window, 40, cube.grains.get(PATTERNS, 300))
    slots = slots_of(cube.window, step)
    table = rows.assign(slot=rows["slot"] // step * step).pivot_table(
        index="pattern", columns="slot", values="events", aggfunc="sum", fill_value=0, observed=True
    )
    table = table.reindex(columns=slots, fill_value=0)
    courses = [tuple(float(value) for value in values) for values in table.to_numpy()]
    return pd.Series(courses, index=table.index, dtype=object)
