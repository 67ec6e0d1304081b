"""Events as a hostile producer sends them: what every stage must read without raising, looping or losing any.

`HOSTILE` are named lines, `lines` draws others. Every stage that judges an event takes what is `GOOD`, refuses what is
`BAD`.
"""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

NOW = datetime.now(UTC).replace(microsecond=0)
STAMP = NOW.strftime("%Y-%m-%dT%H:%M:%S.000Z")
STRINGS = ("event_id", "timestamp", "level", "service", "host", "endpoint", "trace_id", "message", "error_type")
NUMBERS = ("status_code", "response_time_ms", "request_bytes", "response_bytes")


def event(**changes: Any) -> dict[str, Any]:
    """Return a sound event of now; `changes` replace keys, and those that are `...` leave theirs out."""
    whole = {
        "event_id": "0193-hostile",
        "timestamp": STAMP,
        "level": "ERROR",
        "service": "payment",
        "host": "host-1",
        "endpoint": "/charges/{id}",
        "status_code": 500,
        "response_time_ms": 12.5,
        "request_bytes": 10,
        "response_bytes": 2000,
        "message": "charge failed",
        "error_type": "Timeout",
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not ...}


def line(**changes: Any) -> bytes:
    """Return a sound event's line, with changes."""
    return json.dumps(event(**changes), separators=(",", ":")).encode()


def written(name: str, text: str) -> bytes:
    """Return a sound event's line in which the value of `name` is written as `text`, whatever that is."""
    return line(**{name: "@@"}).replace(b'"@@"', text.encode())


_TIMES = {
    "year 1 ahead of UTC": "0001-01-01T00:00:00+14:00",
    "year 9999 behind UTC": "9999-12-31T23:59:59-14:00",
    "year 1": "0001-01-01T00:00:00Z",
    "year 9999": "9999-12-31T23:59:59.999999Z",
    "year 0": "0000-01-01T00:00:00Z",
    "year 10000": "10000-01-01T00:00:00Z",
    "epoch": "1970-01-01T00:00:00Z",
    "leap second": "2016-12-31T23:59:60Z",
    "offset of a day": "2026-11-21T12:00:00+24:00",
    "empty time": "",
    "time of NUL": "\0",
    "half a surrogate's time": "\ud800",
    "digits of another script": "٢٠٢٦-11-21T12:00:00Z",
    "long time": "2" * 100_000,
}
_NUMBERS = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "1e400": "1e400",
    "beyond 32 bits": str(2**31),
    "beyond 63 bits": str(2**63),
    "beyond 64 bits": str(2**64),
    "beyond any bits": "9" * 400,
    "below 63 bits": str(-(2**63) - 1),
    "true": "true",
    "text": '"200"',
    "object": '{"a":1}',
    "array": "[1]",
}
GOOD = {
    "sound": line(),
    "negative status": line(status_code=-1),
    "huge status": line(status_code=2**31 - 1),
    "negative duration": line(response_time_ms=-1e308),
    "long duration": line(response_time_ms=1e308),
    "unknown key": line(context={"a": [{"b": None}]}),
    "duplicate key": line()[:-1] + b',"host":"twin"}',
    "NUL in a text": line(message="a\0b", error_type="\0"),
    "line separators": line(message="a\u2028b\u2029c\x85d\rd\ne"),
    "emoji": line(message="\U0001f4a5" * 3000),
    "long message": line(message="x" * 200_000),
    "long everything": line(**dict.fromkeys(("event_id", "host", "endpoint", "trace_id", "error_type"), "ü" * 9000)),
    "names of secrets without end": line(message="a-" * 100_000 + "token="),
    "tokens without end": line(message="eyJ" * 100_000),
    "many services in one": line(service="," * 5000 + "a"),
    "service of nothing": line(service="☃"),
    "reserved service": line(service="log_minutes"),
    "empty texts": line(event_id="", host="", message="", error_type=""),
    "local time": line(timestamp=NOW.strftime("%Y-%m-%dT%H:%M:%S")),
}
BAD = {
    **{name: line(timestamp=text) for name, text in _TIMES.items() if name not in ("year 1", "year 9999", "epoch")},
    **{f"status {name}": written("status_code", text) for name, text in _NUMBERS.items()},
    **{f"size {name}": written("request_bytes", text) for name, text in _NUMBERS.items() if name != "beyond 32 bits"},
    **{f"duration {name}": written("response_time_ms", text) for name, text in _NUMBERS.items() if "bits" not in name},
    **{f"{name} is a number": line(**{name: 7}) for name in STRINGS},
    **{f"{name} is nested": line(**{name: {"a": ["b"]}}) for name in STRINGS},
    "no service": line(service=...),
    "null level": line(level=None),
    "unknown level": line(level="LOUD"),
    "half a surrogate": line(message="\ud800"),
    "deep nesting": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep arrays": b"[" * 100_000,
    "deep unknown key": line()[:-1] + b',"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "array": b"[" + line() + b"]",
    "number": b"42",
    "null": b"null",
    "text": b'"a"',
    "invalid UTF-8": line(message="caf@").replace(b"@", b"\xe9"),
    "no JSON": b"\x00\xff\xfe garbage",
    "truncated": line()[:-9],
    "two objects": line() + line(),
    "broken aggregate": b"\xf3\x89\x9a\xc2" + b"x" * 40,
}
STALE = {name: line(timestamp=_TIMES[name]) for name in ("year 1", "year 9999", "epoch")}
"""Events of a time that no log has: live counts them as late, the delivery stream quarantines, the lake rejects."""
UNDELIVERED = {"blank service": line(service=" \t"), "empty service": line(service="")}
"""Sound events for which the delivery stream has no folder: they lie whole under errors/."""
HOSTILE = {**GOOD, **BAD, **STALE, **UNDELIVERED}

_texts = st.one_of(st.text(max_size=40), st.sampled_from([*_TIMES.values(), "9" * 5000]))
_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=6,
)
_changes = st.dictionaries(st.sampled_from(STRINGS + NUMBERS), st.one_of(_values, _texts), max_size=4)
lines = st.one_of(
    st.binary(max_size=200),
    _changes.map(lambda changes: line(**changes)),
    _values.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([*HOSTILE.values()]),
)
