"""What a page shows, as its URL says it: the URL is the state, so a link reproduces the view.

Keys: `from`, `to`, `level`, `service`, `q`, `tz` and `f.<field>` for facets. Everything in a URL may be hostile; what
is unknown or invalid is left out and named in a notice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlencode

from catalog.errors import UsageError
from catalog.schema import LEVELS, OTHER_LEVEL
from dashboard.timerange import TimeRange, parse_zone, resolve

FACETS: tuple[str, ...] = ("status_class", "endpoint", "error_type", "host", "trace_id", "pattern_id", "event_id")
"""Fields that a URL may filter by, besides level and service."""

MAX_VALUES = 30
MAX_CHARS = 200
SEPARATOR = "|"
"""Between values of one key; a value holding it can't be filtered by. A leading `!` on a value excludes it.

`NO_VALUE` asks for what is missing, as a level `OTHER_LEVEL` does."""


@dataclass(frozen=True, slots=True)
class View:
    """The state of a page. Empty `levels` and `services` mean all of them."""

    time_range: TimeRange = field(default_factory=TimeRange)
    levels: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    search: str = ""
    zone: str = "UTC"
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def needs_rows(self) -> bool:
        """Whether the cube can't answer: a text, or a field that the rollup does not hold."""
        return bool(self.search) or any(name not in ("status_class", "endpoint") for name in self.facets)


def parse(query: Mapping[str, str | None], now: datetime) -> tuple[View, tuple[str, ...]]:
    """Return the view that a URL's query asks for, and a notice for each part that was ignored."""
    notices: list[str] = []
    known = {"from", "to", "level", "service", "q", "tz"} | {f"f.{name}" for name in FACETS}
    notices += [f"`{key[:40]}` is not something this page knows" for key in query if key not in known]
    view = View(
        time_range=_time_range(query, now, notices),
        levels=_levels(query.get("level") or "", notices),
        services=_values("service", query.get("service") or "", notices),
        search=_search(query.get("q") or "", notices),
        zone=_zone(query.get("tz") or "UTC", notices),
        facets=_facets(query, notices),
    )
    return view, tuple(notices)


def is_askable(value: str) -> bool:
    """Return whether a view can filter by a value: a URL must carry it as it is."""
    return len(value) <= MAX_CHARS and SEPARATOR not in value and not value.startswith("!") and value == _plain(value)


def _plain(value: str) -> str:
    return value.replace("\0", "")


def query_string(view: View) -> str:
    """Return the view as a URL's query, without the leading `?`; what is default is left out."""
    default = View()
    parts: dict[str, str] = {}
    if view.time_range != default.time_range:
        parts |= {"from": view.time_range.start, "to": view.time_range.end}
    parts |= {"level": SEPARATOR.join(view.levels), "service": SEPARATOR.join(view.services), "q": view.search}
    parts |= {f"f.{name}": SEPARATOR.join(values) for name, values in sorted(view.facets.items())}
    parts |= {"tz": "" if view.zone == default.zone else view.zone}
    return urlencode({key: value for key, value in parts.items() if value}, quote_via=quote, safe="|!:")


def to_store(view: View) -> dict[str, str]:
    """Return the view as the flat mapping that the browser keeps: a URL's keys and values, all of them present."""
    flat = {
        "from": view.time_range.start,
        "to": view.time_range.end,
        "level": SEPARATOR.join(view.levels),
        "service": SEPARATOR.join(view.services),
        "q": view.search,
        "tz": view.zone,
    }
    return flat | {f"f.{name}": SEPARATOR.join(values) for name, values in view.facets.items()}


def _time_range(query: Mapping[str, str | None], now: datetime, notices: list[str]) -> TimeRange:
    default = TimeRange()
    asked = TimeRange((query.get("from") or default.start)[:40], (query.get("to") or default.end)[:40])
    try:
        resolve(asked, now)
    except UsageError as error:
        notices.append(str(error))
        return default
    return asked


def _levels(text: str, notices: list[str]) -> tuple[str, ...]:
    asked = [value.upper() for value in text.split(SEPARATOR) if value]
    known = (*LEVELS, OTHER_LEVEL)
    notices += [
        f"`level` must be one of {', '.join(known)}; got {value[:40]!r}" for value in asked if value not in known
    ]
    return tuple(level for level in known if level in asked)


def _values(key: str, text: str, notices: list[str]) -> tuple[str, ...]:
    values = list(dict.fromkeys(value for value in text.split(SEPARATOR) if value))
    if len(values) > MAX_VALUES or any(len(value) > MAX_CHARS for value in values):
        notices.append(f"`{key}` may hold {MAX_VALUES} values of {MAX_CHARS} characters; got more")
    return tuple(value for value in values[:MAX_VALUES] if len(value) <= MAX_CHARS)


def _search(text: str, notices: list[str]) -> str:
    text = " ".join(text.replace("\0", "").split())
    if len(text) > MAX_CHARS:
        notices.append(f"`q` may hold {MAX_CHARS} characters; got {len(text)}")
    return text[:MAX_CHARS]


def _zone(name: str, notices: list[str]) -> str:
    try:
        return parse_zone(name).key
    except UsageError as error:
        notices.append(str(error)[:200])
        return "UTC"


def _facets(query: Mapping[str, str | None], notices: list[str]) -> dict[str, tuple[str, ...]]:
    found = {name: _values(f"f.{name}", query.get(f"f.{name}") or "", notices) for name in FACETS}
    return {name: values for name, values in found.items() if values}
