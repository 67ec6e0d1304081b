"""Result objects as Athena writes them: the CSV, and the binary metadata beside it."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.athena.column_types import literal, precision_of, quoted, trino_name
from localcloud.athena.zones import duckdb_zone


@dataclass(frozen=True, slots=True)
class ResultColumn:
    """One column of a result: its name and its DuckDB type."""

    name: str
    duckdb_type: str

    def column_info(self) -> dict[str, Any]:
        """Return the `ColumnInfo` that GetQueryResults gives."""
        precision, scale = precision_of(self.duckdb_type)
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": trino_name(self.duckdb_type),
            "Precision": precision,
            "Scale": scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": trino_name(self.duckdb_type) == "varchar",
        }


def text_sql(value: str, type_: Any, nested: bool = False) -> str:
    """Return SQL that says `value` (an expression of a DuckDB type) as Athena prints it; NULL stays NULL."""
    kind = type_.id
    if kind in {"list", "array"}:
        inner = text_sql("e", dict(type_.children)["child"], True)
        items = f"array_to_string(list_transform({value}, lambda e: coalesce({inner}, 'null')), ', ')"
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE '[' || {items} || ']' END"
    if kind == "map":
        children = dict(type_.children)
        key, item = text_sql("e.key", children["key"], True), text_sql("e.value", children["value"], True)
        pairs = f"list_transform(map_entries({value}), lambda e: {key} || '=' || coalesce({item}, 'null'))"
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE '{{' || array_to_string({pairs}, ', ') || '}}' END"
    if kind == "struct":
        fields = []
        for index, (name, child) in enumerate(type_.children):
            reference = f"struct_extract({value}, {literal(name)})" if name else f"struct_extract({value}, {index + 1})"
            label = name or f"field{index}"
            fields.append(f"{literal(label + '=')} || coalesce({text_sql(reference, child, True)}, 'null')")
        joined = " || ', ' || ".join(fields)
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE '{{' || {joined} || '}}' END"
    if kind == "blob":
        return f"trino_blob_text({value})"
    if kind in {"varchar", "json", "boolean", "date", "decimal"} or kind.endswith("int") or kind.startswith("int"):
        return f"CAST({value} AS VARCHAR)"
    if kind in {"double", "float"}:
        text = f"CAST({value} AS VARCHAR)"  # DuckDB's digits are Java's but for very large and very small numbers
        return f"CASE WHEN abs({value}) >= 1e-3 AND abs({value}) < 1e7 THEN {text} ELSE trino_double_text({text}) END"
    return f"trino_text({value})"


def zoned_text_sql(value: str, zone: str) -> str:
    """Return SQL that says a moment as Athena prints it in a time zone."""
    return f"trino_text(timezone({literal(duckdb_zone(zone))}, {value})) || {literal(f' {zone}')}"


def copy_sql(query: str, columns: Sequence[tuple[str, Any]], zones: Mapping[int, str], path: Path) -> str:
    """Return the COPY that writes the query's rows to `path` as Athena's CSV: fields quoted, NULL nothing at all."""
    positions = [f"c{index}" for index in range(len(columns))]
    fields = ", ".join(
        f"{zoned_text_sql(position, zones[place]) if place in zones else text_sql(position, type_)} AS {position}"
        for place, (position, (_, type_)) in enumerate(zip(positions, columns, strict=True))
    )
    return (
        f"COPY (SELECT {fields} FROM ({query}) AS q({', '.join(positions)})) TO {literal(str(path))} "
        "(FORMAT csv, HEADER false, FORCE_QUOTE *, QUOTE '\"', ESCAPE '\"', NULLSTR '')"
    )


def header_line(names: Sequence[str]) -> bytes:
    """Return the CSV's first line."""
    return (",".join(quoted(name) for name in names) + "\n").encode()


def metadata_bytes(columns: Sequence[ResultColumn]) -> bytes:
    """Return the `.csv.metadata` object: protobuf, field 4 a message per column as Athena's JDBC driver reads it."""
    out = io.BytesIO()
    for column in columns:
        info = column.column_info()
        message = b"".join(
            (
                _string(1, info["CatalogName"]),
                _string(4, info["Name"]),
                _string(5, info["Label"]),
                _string(6, info["Type"]),
                _varint(7, info["Precision"]),
                _varint(8, info["Scale"]),
                _varint(9, 3),
                _varint(10, int(info["CaseSensitive"])),
            )
        )
        out.write(_bytes(4, message))
    return out.getvalue()


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(field: int, payload: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(payload)) + payload


def _string(field: int, text: str) -> bytes:
    return _bytes(field, text.encode())


def _varint(field: int, value: int) -> bytes:
    return _number(field << 3) + _number(value)


def parse_csv(text: str) -> Iterator[list[str | None]]:
    """Yield the rows of a result's CSV; a field without quotes is NULL."""
    position, row, length = 0, [], len(text)  # type: int, list[str | None], int
    while position < length:
        value: str | None = None
        if text[position] == '"':
            end = position + 1
            while True:
                end = text.index('"', end)
                if text[end + 1 : end + 2] != '"':
                    break
                end += 2
            value = text[position + 1 : end].replace('""', '"')
            position = end + 1
        row.append(value)
        if position < length and text[position] == ",":
            position += 1
            if position == length or text[position] == "\n":
                row.append(None)
        if position >= length or text[position] == "\n":
            yield row
            row = []
            position += 1
