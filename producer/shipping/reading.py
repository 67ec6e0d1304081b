"""From a line to the fields of the events in it: JSON, an access log, or a row of CSV; which one, each line shows."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from producer.shipping.access_log import access_event
from producer.shipping.known_names import KNOWN
from producer.shipping.lines import Splitter
from producer.shipping.otlp import ENVELOPE, log_records
from producer.shipping.unparsable import Unparsable

Fields = Mapping[str, Any]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COLOUR = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
_NO_TEXT = re.compile("[\udc80-\udcff]")
_ACCESS = re.compile(r"\S+ \S+ \S+ \[")
_DELIMITERS = (",", ";", "\t")
_INNER = ("@message", "log")
"""What may hold a whole line again: CloudWatch Logs Insights' column, and the key of Docker's json-file driver."""


class LineReader:
    """Reads the lines of one source as `read_as` says; `auto` goes by the line, and by the source's first one."""

    def __init__(self, read_as: str, first_line: bytes) -> None:
        self._read_as = read_as
        self._delimiter = ","
        self.header: list[str] = []
        if read_as in ("auto", "csv"):
            self._learn_header(first_line.removeprefix(BYTE_ORDER_MARK))

    def fields(self, line: bytes) -> Sequence[Fields]:
        """Return the fields of each event in a line; raise `Unparsable` for one that is none."""
        if b"\x1b" in line:
            line = _COLOUR.sub(b"", line)
        if self._read_as == "json" or (self._read_as == "auto" and line.lstrip()[:1] == b"{"):
            return _unfolded(_json_fields(line))
        if self.header or self._read_as == "csv":
            return (_with_inner(self._row_fields(text_of(line))),)
        text = text_of(line).strip()
        if self._read_as == "access" or _ACCESS.match(text):
            return (access_event(text),)
        raise Unparsable(
            f"a line must be a JSON object, one of an access log, or a CSV row below its header; got {text[:40]!r}"
        )

    def _learn_header(self, first_line: bytes) -> None:
        text = text_of(first_line)
        if self._read_as == "auto":
            if text[:1] in "{[" or _ACCESS.match(text):
                return
            self._delimiter = max(_DELIMITERS, key=text.count)
        try:
            names = _row(text, self._delimiter)
        except Unparsable:
            return
        if self._read_as == "csv" or (len(names) > 1 and any(_is_moment(name) for name in names)):
            self.header = names

    def _row_fields(self, text: str) -> Fields:
        if not self.header:
            raise Unparsable("the first line must be a CSV row of the columns' names")
        row = _row(text, self._delimiter)
        if len(row) != len(self.header):
            raise Unparsable(f"a row must have the header's {len(self.header)} columns; got {len(row)}")
        return {name: value or None for name, value in zip(self.header, row, strict=True)}


def splitter_of(read_as: str, first_line: bytes) -> Splitter:
    """Return what cuts a source into lines whose first one is known."""
    return Splitter(quoted=bool(LineReader(read_as, first_line).header))


def text_of(line: bytes, escape: str = "\\") -> str:
    """Return a line as text. A byte that is no UTF-8 reads as `\\xE9`, as nginx writes it."""
    text = line.decode("utf-8", "surrogateescape")
    if not text.isascii():
        text = _NO_TEXT.sub(lambda byte: f"{escape}x{ord(byte[0]) & 0xFF:02X}", text)
    return text


def _json_fields(line: bytes) -> Fields:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        fields = _mended(line, error)
    if not isinstance(fields, dict):
        raise Unparsable(f"a line must be a JSON object; got {type(fields).__name__}")
    return fields


def _mended(line: bytes, error: orjson.JSONDecodeError) -> Any:
    """Return a line that is JSON but for bytes that are no text."""
    try:
        return orjson.loads(text_of(line, "\\\\"))
    except orjson.JSONDecodeError:
        raise Unparsable(f"a line must be JSON; got {error}") from None


def _unfolded(fields: Fields) -> Sequence[Fields]:
    if ENVELOPE in fields:
        return tuple(log_records(fields))
    return (_with_inner(fields),)


def _with_inner(fields: Fields) -> Fields:
    """Return the fields with those of a whole JSON line that one of them holds, which go first."""
    for name in _INNER:
        held = fields.get(name)
        if isinstance(held, str) and held[:1] == "{":
            try:
                inner = orjson.loads(held)
            except orjson.JSONDecodeError:
                continue
            if isinstance(inner, dict):
                return {**{key: value for key, value in fields.items() if key != name}, **inner}
    return fields


def _row(text: str, delimiter: str) -> list[str]:
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Unparsable(f"a line must be one CSV row; got {error}") from None
    return rows[0] if rows else []


def _is_moment(name: str) -> bool:
    return any(known.column == "timestamp" for known in KNOWN.get(name, ()))
