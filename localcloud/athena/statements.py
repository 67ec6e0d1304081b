"""Statements about the catalog: SHOW, DESCRIBE, CREATE, ALTER, DROP. They read no data and leave a `.txt` result."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localcloud.athena.ddl import NAME, Definitions
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable, TableCatalog
from localcloud.athena.purposes import Purpose, strip
from localcloud.athena.views import view_text

_KINDS: Mapping[str, tuple[str, str]] = {
    "insert": ("DML", "INSERT"),
    "unload": ("DML", "UNLOAD"),
    "ctas": ("DDL", "CREATE_TABLE_AS_SELECT"),
    "view": ("DDL", "CREATE_VIEW"),
    "explain": ("UTILITY", "EXPLAIN"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The answer to a statement about the catalog: lines of text under named columns."""

    columns: Sequence[str]
    lines: list[str]


def kind_of(sql: str, purpose: Purpose | None) -> tuple[str, str]:
    """Return Athena's `StatementType` and `SubstatementType` of a statement that has this purpose."""
    if purpose is not None:
        return _KINDS[purpose.kind]
    words = re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL).split()
    first = words[0].upper().strip("(") if words else ""
    if first in {"SELECT", "WITH", "VALUES", "EXECUTE", "TABLE"}:
        return "DML", "SELECT" if first in {"WITH", "VALUES", "TABLE"} else first
    if first in {"SHOW", "DESCRIBE", "DESC"}:
        return "UTILITY", "_".join(word.upper() for word in words[:2]) if first == "SHOW" else first
    return "DDL", "_".join(word.upper() for word in words[:2])


class Statements:
    """Answers statements about the catalog through the Glue API."""

    def __init__(self, catalog: TableCatalog, glue: Callable[[], Any], s3: Callable[[], Any]) -> None:
        self._catalog = catalog
        self._definitions = Definitions(catalog, glue, s3)
        self._forms: Mapping[str, Callable[[re.Match[str], str], Words]] = {
            r"SHOW\s+(?:DATABASES|SCHEMAS)(?:\s+LIKE\s+'(?P<like>[^']*)')?": self._show_databases,
            r"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+[\"`]?(?P<database>[\w-]+)[\"`]?)?(?:\s+'(?P<like>[^']*)')?": (
                self._show_tables
            ),
            r"SHOW\s+VIEWS(?:\s+(?:IN|FROM)\s+[\"`]?(?P<database>[\w-]+)[\"`]?)?(?:\s+LIKE\s+'(?P<like>[^']*)')?": (
                self._show_views
            ),
            rf"SHOW\s+PARTITIONS\s+{NAME}": self._show_partitions,
            rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{NAME}": self._show_columns,
            rf"SHOW\s+CREATE\s+(?:TABLE|VIEW)\s+{NAME}": self._show_create,
            rf"DESC(?:RIBE)?\s+(?:EXTENDED\s+|FORMATTED\s+)?{NAME}": self._describe,
        }

    def run(self, sql: str, database: str) -> Words | None:
        """Answer a statement about the catalog; None when it is a query, raise `QueryFailure` for what is refused."""
        text = strip(sql)
        for form, answer in self._forms.items():
            found = re.fullmatch(form, text, re.IGNORECASE | re.DOTALL)
            if found:
                return answer(found, database)
        if self._definitions.run(text, database):
            return Words([], [])
        kind, name = kind_of(text, None)
        if kind == "DML" and name in {"SELECT", "EXECUTE"}:
            return None
        raise QueryFailure("NOT_SUPPORTED", f"line 1:1: {name.replace('_', ' ')} is not supported by this engine")

    def _table(self, found: re.Match[str], database: str) -> GlueTable:
        schema, name = (found["database"] or database).lower(), found["table"].lower()
        table = self._catalog.table(schema, name)
        if table is None:
            raise QueryFailure("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{schema}.{name}' does not exist")
        return table

    def _show_databases(self, found: re.Match[str], database: str) -> Words:
        names = [description["Name"] for description in self._catalog.databases()]
        return Words(["database_name"], _matching(names, found["like"]))

    def _show_tables(self, found: re.Match[str], database: str) -> Words:
        schema = (found["database"] or database).lower()
        if self._catalog.database(schema) is None:
            raise QueryFailure("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{schema}' does not exist")
        return Words(["tab_name"], _matching([table["Name"] for table in self._catalog.tables(schema)], found["like"]))

    def _show_views(self, found: re.Match[str], database: str) -> Words:
        tables = self._catalog.tables((found["database"] or database).lower())
        names = [table["Name"] for table in tables if table.get("TableType") == "VIRTUAL_VIEW"]
        return Words(["views"], _matching(names, found["like"]))

    def _show_partitions(self, found: re.Match[str], database: str) -> Words:
        table = self._table(found, database)
        if not table.partition_keys:
            raise QueryFailure("INVALID_TABLE", f"Table {table.name} is not a partitioned table")
        partitions = [] if table.projected else self._catalog.partitions(table)
        lines = [
            "/".join(f"{key}={value}" for key, value in zip(table.partition_keys, partition.values, strict=True))
            for partition in partitions
        ]
        return Words(["partition"], sorted(lines))

    def _show_columns(self, found: re.Match[str], database: str) -> Words:
        table = self._table(found, database)
        return Words(["field"], [f"{name:<20}" for name in [*table.columns, *table.partition_keys]])

    def _describe(self, found: re.Match[str], database: str) -> Words:
        table = self._table(found, database)
        description = self._catalog.description(table.database, table.name) or {}
        columns = (description.get("StorageDescriptor") or {}).get("Columns") or []
        keys = description.get("PartitionKeys") or []
        lines = [_described(column) for column in [*columns, *keys]]
        if keys:
            lines += [
                "\t \t ",
                "# Partition Information\t \t ",
                f"{'# col_name':<20}\t{'data_type':<20}\t{'comment':<20}",
                "\t \t ",
            ]
            lines += [_described(key) for key in keys]
        return Words(["col_name", "data_type", "comment"], lines)

    def _show_create(self, found: re.Match[str], database: str) -> Words:
        table = self._table(found, database)
        description = self._catalog.description(table.database, table.name) or {}
        if table.view_sql is not None:
            return Words(["Create View"], f'CREATE VIEW "{table.name}" AS\n{view_text(table)}'.split("\n"))
        return Words(["createtab_stmt"], create_statement(description, table).split("\n"))


def _matching(names: Sequence[str], like: str | None) -> list[str]:
    if like is None:
        return list(names)
    pattern = ".*".join(re.escape(part) for part in re.split(r"[*%]|\.\*", like))
    return [name for name in names if any(re.fullmatch(part, name) for part in pattern.split(r"\|"))]


def _described(column: Mapping[str, Any]) -> str:
    return f"{column['Name']:<20}\t{column['Type']:<20}\t{column.get('Comment') or '':<20}"


def create_statement(description: Mapping[str, Any], table: GlueTable) -> str:
    """Return the CREATE EXTERNAL TABLE that would make a table again."""
    storage = description.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}

    def columns(described: Sequence[Mapping[str, Any]]) -> str:
        return ", \n".join(f"  `{column['Name']}` {column['Type']}" for column in described)

    def properties(values: Mapping[str, str]) -> str:
        return ", \n".join(f"  '{name}'='{value}'" for name, value in sorted(values.items()))

    parts = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(\n{columns(storage.get('Columns') or [])})"]
    if description.get("PartitionKeys"):
        parts.append(f"PARTITIONED BY ( \n{columns(description['PartitionKeys'])})")
    parts.append(f"ROW FORMAT SERDE \n  '{serde.get('SerializationLibrary', '')}' ")
    if serde.get("Parameters"):
        parts.append(f"WITH SERDEPROPERTIES ( \n{properties(serde['Parameters'])}) ")
    parts.append(f"STORED AS INPUTFORMAT \n  '{storage.get('InputFormat', '')}' ")
    parts.append(f"OUTPUTFORMAT \n  '{storage.get('OutputFormat', '')}'")
    parts.append(f"LOCATION\n  '{table.location}'")
    if table.parameters:
        parts.append(f"TBLPROPERTIES (\n{properties(table.parameters)})")
    return "\n".join(parts)
