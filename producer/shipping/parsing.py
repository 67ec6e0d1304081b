"""From lines to events: read as the user said, checked against the catalog, with an id that the line itself decides."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Any

import orjson

from catalog.errors import SchemaError
from catalog.schema import EVENT_COLUMNS, LEVEL_ALIASES, LEVELS, parse_timestamp, validate
from producer.shipping.access_log import access_event
from producer.shipping.lines import Line, Lines
from producer.shipping.mapping import FieldMapping, normal_timestamp
from producer.shipping.unparsable import Refused, Unparsable

_NUMBERS = {column.name: int if column.type in ("int", "bigint") else float for column in EVENT_COLUMNS}
_NUMBERS = {column.name: _NUMBERS[column.name] for column in EVENT_COLUMNS if column.type != "string"}
_FIRST = ("event_id", "timestamp", "level", "service")


class LineParser:
    """Understands the lines of one kind of source."""

    def __init__(self, mapping: FieldMapping, service: str | None, zone: tzinfo = UTC) -> None:
        self._mapping = mapping
        self._service = service or mapping.service
        self._zone = zone

    def events(self, lines: Lines) -> tuple[list[bytes], list[Refused]]:
        """Return the events of the lines, and the lines that can't be understood; blank ones are neither."""
        events, refused = [], []
        header = _csv_row(lines.first_line) if self._mapping.read_as == "csv" else []
        for line in lines.lines:
            if not line.data.strip() or (header and not line.offset):
                continue
            try:
                events.append(self._event(line, lines.source, header))
            except Unparsable as error:
                refused.append(Refused(line, lines.source, str(error)))
        return events, refused

    def _event(self, line: Line, source: str, header: Sequence[str]) -> bytes:
        if line.torn:
            raise Unparsable("a line must be shorter than 1 MiB")
        fields = self._mapping.event(self._fields(line.data, header), self._zone)
        event = self._completed(fields)
        event["event_id"] = event.get("event_id") or event_id_of(event["timestamp"], source, line)
        try:
            validate(event)
        except SchemaError as error:
            raise Unparsable(str(error)) from None
        try:
            return orjson.dumps({**{name: event[name] for name in _FIRST}, **event})
        except orjson.JSONEncodeError as error:
            raise Unparsable(f"a line must be JSON; got {error}") from None

    def _fields(self, data: bytes, header: Sequence[str]) -> Mapping[str, Any]:
        if self._mapping.read_as == "access":
            return access_event(data)
        if self._mapping.read_as == "csv":
            row = _csv_row(data)
            if len(row) != len(header):
                raise Unparsable(f"a row must have the header's {len(header)} columns; got {len(row)}")
            return {name: value or None for name, value in zip(header, row, strict=True)}
        try:
            fields = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise Unparsable(f"a line must be JSON; got {error}") from None
        if not isinstance(fields, dict):
            raise Unparsable(f"a line must be a JSON object; got {type(fields).__name__}")
        return fields

    def _completed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Bring timestamp, level, service and numbers into the catalog's form."""
        if fields.get("timestamp") is not None:
            fields["timestamp"] = normal_timestamp(fields["timestamp"], self._zone)
        else:
            raise Unparsable("`timestamp` must be present; got nothing")
        level = fields.get("level")
        if isinstance(level, str) and level not in LEVELS:
            fields["level"] = LEVEL_ALIASES.get(level.upper(), level.upper())
            fields["level_raw"] = level
        fields["service"] = fields.get("service") or self._service
        for name, number in _NUMBERS.items():
            if isinstance(fields.get(name), str):
                fields[name] = _number(name, fields[name], number)
        return fields


def event_id_of(timestamp: str, source: str, line: Line) -> str:
    """Return the id of a line: always the same for the same bytes at the same place of the same source.

    It has the form of a UUIDv7 of the event's time, with a digest of source, offset and bytes where a UUIDv7 is random.
    """
    moment = parse_timestamp(timestamp)
    milliseconds = max(0, int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)) & (1 << 48) - 1
    place = blake2b(f"{source}\n{line.offset}\n".encode(), digest_size=10)
    place.update(line.data)
    digest = int.from_bytes(place.digest(), "big")
    value = milliseconds << 80 | 0x7 << 76 | (digest >> 66 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _csv_row(data: bytes) -> list[str]:
    try:
        rows = list(csv.reader([data.decode("utf-8")], strict=True))
    except UnicodeDecodeError:
        raise Unparsable("a line must be UTF-8") from None
    except csv.Error as error:
        raise Unparsable(f"a line must be one CSV row; got {error}") from None
    return rows[0] if rows else []


def _number(name: str, text: str, number: type[int] | type[float]) -> int | float:
    try:
        return number(text)
    except ValueError:
        raise Unparsable(f"`{name}` must be {number.__name__}; got {text!r}") from None
