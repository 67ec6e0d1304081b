"""Alert rules: what they say, and the YAML file in which they are kept."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from catalog.errors import UsageError
from dashboard.state import Address, write_text
from dashboard.wording import NOTHING, age, duration, share

KINDS = ("error_rate", "p95", "volume_drop", "new_pattern", "stale")
SEVERITIES = ("page", "ticket", "info")
UNITS = {
    "error_rate": "share of events, 0 to 1",
    "p95": "milliseconds",
    "volume_drop": "share missing, 0 to 1",
    "new_pattern": "events of the new pattern",
    "stale": "minutes since the lake was complete",
}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SEEN_MINUTES = 60
MAX_WINDOW_MINUTES = 24 * 60
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, held for each service by itself; it fires after `breaches` evaluations in a row broke the threshold."""

    name: str
    kind: str
    threshold: float
    window_minutes: int = 5
    min_events: int = 1
    services: tuple[str, ...] = ()
    breaches: int = 1
    lookback_hours: int = 24
    seen_minutes: int = SEEN_MINUTES
    """In how many minutes of the lookback a service must have sent something before it is judged."""
    severity: str = "ticket"
    notify: tuple[str, ...] = ()
    is_enabled: bool = True

    @property
    def lookback(self) -> timedelta:
        """How far back it looks for what is usual."""
        return timedelta(hours=self.lookback_hours)


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notifications go: an SNS topic or a webhook."""

    name: str
    kind: str
    target: str


@dataclass(frozen=True)
class RuleBook:
    """The whole file: rules, channels by name, and the address that links begin with where the served one won't do."""

    rules: tuple[Rule, ...] = ()
    channels: Mapping[str, Channel] = field(default_factory=dict)
    link: str = ""

    def address(self, served: str) -> str:
        """Return what links begin with, given where the dashboard is served: a loopback `link` can only mean that."""
        is_elsewhere = self.link and urlsplit(self.link).hostname not in LOOPBACK
        return (self.link if is_elsewhere else served).rstrip("/")


def amount(kind: str, value: float | None) -> str:
    """Return a value or threshold of a kind of rule in words."""
    if value is None:
        return NOTHING
    if kind in ("error_rate", "volume_drop"):
        return share(value)
    return duration(value) if kind == "p95" else age(value * 60) if kind == "stale" else f"{value:g}"


def rule_of(facts: Mapping[str, Any]) -> Rule:
    """Return a rule from plain facts; raise `UsageError` naming the first that won't do."""
    name = str(facts.get("name", ""))
    if not _NAME.fullmatch(name):
        raise UsageError(f"a rule's name must be small letters, digits and dashes; got {name!r}")
    unknown = sorted(set(facts) - set(Rule.__dataclass_fields__))
    if unknown:
        raise UsageError(
            f"a rule has no {unknown[0]!r}; known: {', '.join(Rule.__dataclass_fields__)}; in rule {name!r}"
        )
    _must(facts.get("kind") in KINDS, name, "kind", f"one of {', '.join(KINDS)}", facts.get("kind"))
    severity = facts.get("severity", "ticket")
    _must(severity in SEVERITIES, name, "severity", f"one of {', '.join(SEVERITIES)}", severity)
    numbers = {"threshold": float, "window_minutes": int, "min_events": int, "breaches": int}
    numbers |= {"lookback_hours": int, "seen_minutes": int}
    typed: dict[str, Any] = {"name": name, "kind": facts["kind"], "severity": severity, "threshold": -1.0}
    try:
        typed |= {key: read(facts[key]) for key, read in numbers.items() if key in facts}
        typed |= {key: tuple(map(str, facts[key])) for key in ("services", "notify") if key in facts}
        rule = Rule(**typed, is_enabled=bool(facts.get("is_enabled", True)))
    except (TypeError, ValueError) as error:
        raise UsageError(f"rule {name!r} must hold numbers where numbers belong; got {error}") from error
    _check(rule)
    return rule


def _check(rule: Rule) -> None:
    is_share = rule.kind in ("error_rate", "volume_drop")
    _must(rule.threshold > 0, rule.name, "threshold", "above 0", rule.threshold)
    _must(not is_share or rule.threshold <= 1, rule.name, "threshold", "at most 1", rule.threshold)
    in_range = 1 <= rule.window_minutes <= MAX_WINDOW_MINUTES
    _must(in_range, rule.name, "window_minutes", f"1 to {MAX_WINDOW_MINUTES}", rule.window_minutes)
    _must(1 <= rule.breaches <= 60, rule.name, "breaches", "1 to 60", rule.breaches)
    _must(
        0 <= rule.seen_minutes <= MAX_WINDOW_MINUTES,
        rule.name,
        "seen_minutes",
        f"0 to {MAX_WINDOW_MINUTES}",
        rule.seen_minutes,
    )
    _must(1 <= rule.lookback_hours <= 144, rule.name, "lookback_hours", "1 to 144", rule.lookback_hours)


def _must(holds: bool, rule: str, key: str, what: str, value: object) -> None:
    if not holds:
        raise UsageError(f"`{key}` of rule {rule!r} must be {what}; got {value!r}")


class RuleFile:
    """The rules of a state folder, made from the defaults on first need."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "alerts.yaml"

    def read(self) -> RuleBook:
        """Return what the file says; raise `UsageError` naming what is wrong with it."""
        if not self.path.exists():
            write_text(self.path, files("dashboard.alerts").joinpath("default.yaml").read_text(encoding="utf-8"))
        return parse(self.path.read_text(encoding="utf-8"))

    def served(self) -> str:
        """Return where the dashboard of this folder is served."""
        return Address(self.path.parent).read()

    def address(self) -> str:
        """Return what links into the dashboard begin with, also while the file can't be read."""
        try:
            return self.read().address(self.served())
        except UsageError:
            return self.served()

    def put(self, rule: Rule) -> None:
        """Add a rule, or replace the one of the same name."""
        book = self.read()
        kept = [other for other in book.rules if other.name != rule.name]
        place = next((n for n, other in enumerate(book.rules) if other.name == rule.name), len(kept))
        self._write(book, [*kept[:place], rule, *kept[place:]])

    def remove(self, name: str) -> None:
        """Remove a rule."""
        book = self.read()
        self._write(book, [rule for rule in book.rules if rule.name != name])

    def _write(self, book: RuleBook, rules: list[Rule]) -> None:
        content = {
            "channels": {channel.name: {channel.kind: channel.target} for channel in book.channels.values()},
            "link": book.link,
            "rules": [_plain(rule) for rule in rules],
        }
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
        write_text(self.path, "# Alert rules of the Loglake dashboard; see docs/dashboard.md.\n" + text)


def parse(text: str) -> RuleBook:
    """Return the rule book that a YAML text holds."""
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise UsageError(f"the alert rules must be YAML; got {error}") from error
    if not isinstance(found, dict):
        raise UsageError(f"the alert rules must be a mapping with `rules`; got {type(found).__name__}")
    channels = {str(name): _channel(str(name), facts) for name, facts in (found.get("channels") or {}).items()}
    rules = tuple(rule_of(facts) for facts in found.get("rules") or [])
    names = [rule.name for rule in rules]
    for rule in rules:
        _must(names.count(rule.name) == 1, rule.name, "name", "the only one of that name", rule.name)
        for name in rule.notify:
            _must(name in channels, rule.name, "notify", f"one of the channels {', '.join(channels)}", name)
    return RuleBook(rules, channels, str(found.get("link") or ""))


def _channel(name: str, facts: Any) -> Channel:
    kinds = [kind for kind in ("sns", "webhook") if isinstance(facts, dict) and facts.get(kind)]
    if len(kinds) != 1:
        raise UsageError(f"channel {name!r} must have `sns` or `webhook`; got {facts!r}")
    target = str(facts[kinds[0]])
    if kinds[0] == "webhook" and urlsplit(target).scheme not in ("http", "https"):
        raise UsageError(f"channel {name!r} must be an http or https address; got {target!r}")
    return Channel(name, kinds[0], target)


def _plain(rule: Rule) -> dict[str, Any]:
    default = Rule("x", "stale", 1)
    facts = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(rule).items()}
    must = ("name", "kind", "threshold", "severity", "window_minutes")
    return {key: value for key, value in facts.items() if key in must or value != _listed(getattr(default, key))}


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
