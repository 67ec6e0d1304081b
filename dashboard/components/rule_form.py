"""The form of one alert rule."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import html

from dashboard.alerts.rules import KINDS, SEVERITIES, UNITS, Rule

FIELDS = (
    *("name", "kind", "threshold", "window_minutes", "min_events", "services", "breaches"),
    *("lookback_hours", "seen_minutes"),
)
CHOICES = ("severity", "notify", "is_enabled")


def rule_form(rule: Rule, channels: list[str]) -> list[Any]:
    """Return the fields of a form, filled with a rule."""
    return [
        _labelled("Name", _text("name", rule.name)),
        _labelled("Kind", _select("kind", KINDS, rule.kind)),
        _labelled(
            "Breaks above (" + "; ".join(f"{kind}: {UNITS[kind]}" for kind in KINDS) + ")",
            _text("threshold", f"{rule.threshold:g}"),
        ),
        _labelled("Window, minutes", _text("window_minutes", str(rule.window_minutes))),
        _labelled("Least events to judge by", _text("min_events", str(rule.min_events))),
        _labelled("Services, comma-separated; empty is each", _text("services", ", ".join(rule.services))),
        _labelled("Breaches in a row before it fires", _text("breaches", str(rule.breaches))),
        _labelled(
            "Lookback, hours: what is usual, which messages are known",
            _text("lookback_hours", str(rule.lookback_hours)),
        ),
        _labelled("Least minutes in which a service was seen", _text("seen_minutes", str(rule.seen_minutes))),
        _labelled("Severity", _select("severity", SEVERITIES, rule.severity)),
        _labelled(
            f"Notify, comma-separated; channels: {', '.join(channels) or 'none yet'}",
            _text("notify", ", ".join(rule.notify)),
        ),
        _labelled("State", _select("is_enabled", ("on", "off"), "on" if rule.is_enabled else "off")),
    ]


def facts_of(names: list[str], values: list[Any]) -> dict[str, Any]:
    """Return what a form holds as `rules.rule_of` takes it."""
    facts: dict[str, Any] = dict(zip(names, values, strict=True))
    for name in ("services", "notify"):
        facts[name] = [part.strip() for part in str(facts.get(name) or "").split(",") if part.strip()]
    facts["is_enabled"] = facts.get("is_enabled") != "off"
    return facts


def _labelled(text: str, field: Any) -> html.Label:
    return html.Label([html.Span(text, className="control-label"), field], className="form-field")


def _text(name: str, value: str) -> dbc.Input:
    return dbc.Input(id={"type": "alerts-field", "name": name}, value=value, size="sm", autocomplete="off")


def _select(name: str, values: tuple[str, ...], value: str) -> dbc.Select:
    options = [{"label": found, "value": found} for found in values]
    return dbc.Select(id={"type": "alerts-field", "name": name}, options=options, value=value, size="sm")
