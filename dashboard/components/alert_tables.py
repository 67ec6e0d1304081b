"""The tables of the Alerts page: what fires, what did, the rules, the silences and the notifications."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html

from dashboard.alerts.rules import UNITS, Rule, amount
from dashboard.components.plain_table import plain_table, row
from dashboard.links import href
from dashboard.wording import age, day_and_clock, from_epoch, moment

SILENCE_HOURS = (1, 8)
Firing = Mapping[str, Any]


def firing_table(firings: Sequence[Firing], kinds: Mapping[str, str], now: float, zone: str) -> html.Table:
    """Return what fires: since when, by how much, who is on it, and the ways on."""
    return plain_table(
        ("", "What", "Value", "Since", "Who is on it", ""), [_firing(found, kinds, now, zone) for found in firings]
    )


def history_table(firings: Sequence[Firing], kinds: Mapping[str, str], zone: str) -> html.Table:
    """Return what fired and is over."""
    rows = [
        row(
            [html.B(found["rule"]), f" {found['text']}"],
            amount(kinds.get(found["rule"], ""), found["value"]),
            day_and_clock(from_epoch(found["started_at"]), zone),
            age(found["resolved_at"] - found["started_at"]),
            found["acknowledged_by"] or "–",
            dcc.Link("Explore", href=href("/explore", found["query"]), className="text-button small"),
        )
        for found in firings
    ]
    return plain_table(("What", "Value", "Started", "Lasted", "Who was on it", ""), rows)


def rules_table(
    rules: Sequence[Rule], evaluations: Mapping[str, Mapping[str, Any]], now: float, may_edit: bool
) -> html.Table:
    """Return the rules, when each was evaluated, and the way to change it."""
    rows = [_rule(rule, evaluations.get(rule.name), now, may_edit) for rule in rules]
    return plain_table(("Rule", "Breaks above", "Over", "Of", "Severity", "Notifies", "Evaluated", ""), rows)


def silences_table(silences: Sequence[Mapping[str, Any]], zone: str) -> html.Table:
    """Return the silences that hold."""
    rows = [
        row(
            f"{found['rule']}" + (f", {found['subject']}" if found["subject"] else ""),
            day_and_clock(from_epoch(found["until"]), zone),
            found["made_by"],
            _button("End", "alerts-unsilence", found["id"]),
        )
        for found in silences
    ]
    return plain_table(("Silenced", "Until", "By", ""), rows)


def deliveries_table(deliveries: Sequence[Mapping[str, Any]], zone: str) -> html.Table:
    """Return the latest notifications, and what became of each."""
    rows = [
        row(
            day_and_clock(from_epoch(found["made_at"]), zone),
            f"{found['kind']} {found['rule']}: {found['subject']}",
            found["channel"],
            "sent" if found["sent_at"] else found["error"] or "waiting",
        )
        for found in deliveries
    ]
    return plain_table(("Made", "What", "Channel", "State"), rows)


def _firing(found: Firing, kinds: Mapping[str, str], now: float, zone: str) -> html.Tr:
    kind = kinds.get(found["rule"], "")
    since = f"{day_and_clock(from_epoch(found['started_at']), zone)} ({age(now - found['started_at'])})"
    value = f"{amount(kind, found['value'])}, limit {amount(kind, found['threshold'])}"
    who = found["acknowledged_by"] or _button("Acknowledge", "alerts-ack", found["id"])
    subject = found["subject"].partition(": ")[0]
    links = [dcc.Link("Explore", href=href("/explore", found["query"]), className="text-button small")]
    if kind in ("error_rate", "p95", "volume_drop", "new_pattern"):
        range_only = "&".join(part for part in found["query"].split("&") if part.startswith(("from=", "to=")))
        links.append(dcc.Link("Service", href=href(f"/services/{subject}", range_only), className="text-button small"))
    quiet = [_button(f"Silence {hours} h", "alerts-silence", f"{found['id']}:{hours}") for hours in SILENCE_HOURS]
    word = {"page": "▲ page", "ticket": "ticket", "info": "info"}[found["severity"]]
    tone = "badge-worse" if found["severity"] == "page" and found["state"] == "firing" else "badge-calm"
    mark = html.Span(word if found["state"] == "firing" else "pending", className=tone)
    what = [html.B(found["rule"]), html.Div(found["text"], className="alert-text")]
    return html.Tr(
        [
            html.Td(mark),
            html.Td(what),
            html.Td(value, className="nowrap"),
            html.Td(since),
            html.Td(who),
            html.Td(html.Div([*links, *quiet], className="row-actions")),
        ]
    )


def _rule(rule: Rule, evaluated: Mapping[str, Any] | None, now: float, may_edit: bool) -> html.Tr:
    state = "off" if not rule.is_enabled else "not yet" if evaluated is None else f"{age(now - evaluated['at'])} ago"
    if evaluated and evaluated["error"]:
        state = f"▲ unknown since {moment(from_epoch(evaluated['unknown_since']))}: {evaluated['error']}"
    window = "–" if rule.kind == "stale" else f"{rule.window_minutes} min"
    again = f", {rule.breaches} times in a row" if rule.breaches > 1 else ""
    edit = _button("Edit", "alerts-edit", rule.name) if may_edit else ""
    return row(
        html.B(rule.name),
        html.Span(f"{amount(rule.kind, rule.threshold)}{again}", title=UNITS[rule.kind]),
        window,
        "the lake" if rule.kind == "stale" else f"{rule.kind} of {', '.join(rule.services) or 'each service'}",
        rule.severity,
        ", ".join(rule.notify) or "this page only",
        state,
        edit,
    )


def _button(text: str, kind: str, name: object) -> html.Button:
    return html.Button(text, id={"type": kind, "of": str(name)}, type="button", className="text-button small")
