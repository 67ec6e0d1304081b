"""From lines to events: read, recognised, checked against the catalog, with an id that the line itself decides."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Any

import orjson

from catalog.errors import SchemaError
from catalog.schema import parse_timestamp, validate
from producer.shipping.lines import Line, Lines
from producer.shipping.mapping import FieldMapping
from producer.shipping.reading import BYTE_ORDER_MARK, Fields, LineReader
from producer.shipping.recognising import recognised
from producer.shipping.unparsable import Refused, Unparsable

_FIRST = ("event_id", "timestamp", "level", "service")


class LineParser:
    """Understands the lines of one source. `service` is of lines that name none."""

    def __init__(self, mapping: FieldMapping, service: str | None, zone: tzinfo = UTC) -> None:
        self._mapping = mapping
        self._service = service or mapping.service
        self._zone = zone
        self._ruled = frozenset(rule.column for rule in mapping.rules)

    def events(self, lines: Lines) -> tuple[list[bytes], list[Refused]]:
        """Return the events of the lines, and the lines that can't be understood; blank ones are neither."""
        events: list[bytes] = []
        refused: list[Refused] = []
        reader = LineReader(self._mapping.read_as, lines.first_line)
        for line in lines.lines:
            data = line.data if line.offset else line.data.removeprefix(BYTE_ORDER_MARK)
            if not data.strip() or (reader.header and not line.offset):
                continue
            try:
                if line.torn:
                    raise Unparsable("a line must be shorter than 1 MiB")
                found = reader.fields(data)
            except Unparsable as error:
                refused.append(Refused(line, lines.source, str(error)))
                continue
            self._take(found, line, lines.source, events, refused)
        return events, refused

    def _take(
        self, found: Sequence[Fields], line: Line, source: str, events: list[bytes], refused: list[Refused]
    ) -> None:
        """Add the events of one line; when some of several are none, the line is refused for the first of them."""
        reasons = []
        for number, fields in enumerate(found):
            try:
                events.append(self._event(fields, source, line, number))
            except Unparsable as error:
                reasons.append(f"record {number + 1}: {error}" if len(found) > 1 else str(error))
        if reasons:
            of = f"{len(reasons)} of a line's {len(found)} records; " if len(found) > 1 else ""
            refused.append(Refused(line, source, of + reasons[0]))

    def _event(self, fields: Fields, source: str, line: Line, number: int) -> bytes:
        event = self._columns(fields)
        event["service"] = event.get("service") or self._service
        event["event_id"] = event.get("event_id") or event_id_of(event["timestamp"], source, line, number)
        try:
            validate(event)
        except SchemaError as error:
            raise Unparsable(str(error)) from None
        try:
            return orjson.dumps({**{name: event[name] for name in _FIRST}, **event})
        except orjson.JSONEncodeError as error:
            raise Unparsable(f"a line must be JSON; got {error}") from None

    def _columns(self, fields: Fields) -> dict[str, Any]:
        if not self._ruled:
            return recognised(fields, self._zone)
        ruled = self._mapping.columns(fields, self._zone)
        taken = self._mapping.taken
        rest = {name: value for name, value in fields.items() if name not in taken and name not in ruled}
        return {**recognised(rest, self._zone, self._ruled), **ruled}


def event_id_of(timestamp: str, source: str, line: Line, number: int = 0) -> str:
    """Return the id of an event of a line: always the same for the same bytes at the same place of the same source.

    It has the form of a UUIDv7 of the event's time, with a digest of source, offset and bytes where a UUIDv7 is random.
    """
    moment = parse_timestamp(timestamp)
    milliseconds = max(0, int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)) & (1 << 48) - 1
    place = blake2b(f"{source}\n{line.offset}\n".encode(), digest_size=10)
    place.update(line.data)
    if number:
        place.update(b"\n%d" % number)
    digest = int.from_bytes(place.digest(), "big")
    value = milliseconds << 80 | 0x7 << 76 | (digest >> 66 & 0xFFF) << 64 | 0b10 << 62 | digest & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
