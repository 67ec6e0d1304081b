"""From a parsed query to a plan: which objects it reads, how many bytes these are, and DuckDB's SQL over them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp

from localcloud.athena import scan
from localcloud.athena.column_types import Type
from localcloud.athena.failures import QueryFailure, locate
from localcloud.athena.glue_tables import GlueTable, Partition, TableCatalog
from localcloud.athena.json_scan import folds_case
from localcloud.athena.macros import definitions
from localcloud.athena.objects import DataObject, ObjectStore, split_uri
from localcloud.athena.projection import projected_partitions
from localcloud.athena.pruning import Conjuncts, conjuncts_for, prune
from localcloud.athena.reading import mentioned, read
from localcloud.athena.scopes import VIEW, definition_of
from localcloud.athena.translation import parse, to_duckdb
from localcloud.athena.views import view_text
from localcloud.athena.zones import zones_of

CATALOG = "awsdatacatalog"
MAX_VIEW_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: `macros` first, then `sql`; `prefixes` are the only places that it may read."""

    sql: str
    macros: Sequence[str]
    prefixes: Sequence[str]
    scanned_bytes: int
    zones: Mapping[int, str]
    """The time zones that result columns are shown in, by position, where it is not UTC."""


@dataclass(slots=True)
class _Planning:
    """One query being planned."""

    source: str
    database: str
    connection: Any
    lenient: bool
    scans: dict[str, str] = field(default_factory=dict)
    prefixes: set[str] = field(default_factory=set)
    types: dict[str, Type] = field(default_factory=dict)
    scanned_bytes: int = 0


class Planner:
    """Plans queries against the Glue catalog and S3."""

    def __init__(self, catalog: TableCatalog, objects: ObjectStore) -> None:
        self._catalog = catalog
        self._objects = objects

    def forget(self) -> None:
        """Forget what the catalog and S3 said: it is out of date."""
        self._catalog.forget()
        self._objects.memory.forget()

    def plan(self, expression: exp.Expr, source: str, database: str, connection: Any, lenient: bool = False) -> Plan:
        """Return the plan of a parsed query; `connection` is its own DuckDB instance, which evaluates the pruning.

        With `lenient`, a JSON value that does not fit its column's type is NULL instead of an error of DuckDB's.

        Raises `QueryFailure` for a table that does not exist, a function or a format that is not known.
        """
        planning = _Planning(source, database, connection, lenient)
        expression = expression.copy()
        self._bind(expression, planning, 0)
        _name_columns(expression)
        sql, _ = to_duckdb(expression, source, planning.types)
        for name, text in planning.scans.items():
            sql = sql.replace(f'"{name}"', f"({text})")
        return Plan(sql, definitions(sql), sorted(planning.prefixes), planning.scanned_bytes, zones_of(expression))

    def _bind(self, expression: exp.Expr, planning: _Planning, depth: int) -> None:
        tables = [table for table in expression.find_all(exp.Table) if definition_of(table) is None]
        for node in tables:
            if not isinstance(node.this, exp.Identifier):
                name = str(getattr(node.this, "this", node.this)).lower()
                raise QueryFailure(
                    "FUNCTION_NOT_FOUND", f"{locate(planning.source, name)}: Table function '{name}' not registered"
                )
            table = self._resolve(node, planning)
            if table.view_sql is not None:
                self._expand_view(node, table, planning, depth)
            else:
                self._scan(node, table, planning)
        for column in expression.find_all(exp.Column):
            column.set("db", None)
            column.set("catalog", None)

    def _resolve(self, node: exp.Table, planning: _Planning) -> GlueTable:
        catalog, database, name = node.catalog.lower(), node.db.lower() or planning.database, node.name.lower()
        if catalog and catalog != CATALOG:
            raise QueryFailure(
                "CATALOG_NOT_FOUND", f"{locate(planning.source, node.catalog)}: Catalog '{catalog}' does not exist"
            )
        table = self._catalog.table(database, name)
        if table is None and self._catalog.database(database) is None:
            raise QueryFailure(
                "SCHEMA_NOT_FOUND", f"{locate(planning.source, node.name)}: Schema '{database}' does not exist"
            )
        if table is None:
            at = locate(planning.source, node.db or node.name)
            raise QueryFailure("TABLE_NOT_FOUND", f"{at}: Table '{CATALOG}.{database}.{name}' does not exist")
        for column, kind in table.columns.items():
            agreed = planning.types.get(column, kind) == kind
            planning.types[column] = kind if agreed else Type("ambiguous")
        return table

    def _expand_view(self, node: exp.Table, table: GlueTable, planning: _Planning, depth: int) -> None:
        if depth >= MAX_VIEW_DEPTH:
            raise QueryFailure("INVALID_VIEW", f"View '{table.database}.{table.name}' refers to itself")
        query = parse(view_text(table))
        inner = replace(planning, database=table.database, scanned_bytes=0)
        alias = node.alias or node.name
        columns = node.args["alias"].columns if node.args.get("alias") else []
        named = exp.TableAlias(this=exp.to_identifier(alias, quoted=True), columns=columns)
        _name_columns(query)
        expanded = exp.Subquery(this=query, alias=named)
        expanded.meta[VIEW] = True
        node.replace(expanded)  # first, so that what is asked of the view reaches its tables
        self._bind(query, inner, depth + 1)
        planning.scanned_bytes += inner.scanned_bytes

    def _scan(self, node: exp.Table, table: GlueTable, planning: _Planning) -> None:
        select = node.find_ancestor(exp.Select)
        alias = node.alias or node.name
        conjuncts = conjuncts_for(select, alias, table.partition_keys)
        needed, used = mentioned(select, alias), read(select)
        if used is not None and needed is not None:
            used &= needed
        partitions = self._partitions(table, conjuncts, planning)
        listed = self._objects.under([partition.location for partition in partitions])
        pairs = [(partition, objects) for partition, objects in zip(partitions, listed, strict=True) if objects]
        planned = scan.Planned(table, pairs, self._folds(table, pairs), planning.lenient)
        footers = self._objects.footers(planned.objects) if table.format == "parquet" else []
        name = f"scan_{secrets.token_hex(8)}"
        planning.scans[name] = scan.scan_sql(planned, needed, footers)
        planning.scanned_bytes += scan.scanned_bytes(planned, needed if used is None else used, footers)
        for partition, _ in pairs:
            bucket, prefix = split_uri(partition.location)
            planning.prefixes.add(f"s3://{bucket}/{prefix.rstrip('/')}{'/' if prefix else ''}")
        columns = node.args["alias"].columns if node.args.get("alias") else []
        named = exp.TableAlias(this=exp.to_identifier(alias, quoted=True), columns=columns)
        bound = exp.Table(this=exp.to_identifier(name, quoted=True), alias=named)
        for part in ("joins", "sample"):
            if node.args.get(part):
                bound.set(part, node.args[part])
        node.replace(bound)

    def _folds(self, table: GlueTable, pairs: Sequence[tuple[Partition, Sequence[DataObject]]]) -> bool:
        if table.format != "json" or not folds_case(table):
            return False
        return self._objects.have_capital_keys([found for _, objects in pairs for found in objects])

    def _partitions(self, table: GlueTable, conjuncts: Conjuncts, planning: _Planning) -> list[Partition]:
        if not table.partition_keys:
            return [Partition((), table.location)]
        if table.projected:
            pinned = {} if conjuncts.outer else conjuncts.pinned()
            partitions = list(projected_partitions(table, pinned))
        else:
            partitions = self._catalog.partitions(table)
        predicates = []
        for predicate in conjuncts.predicates:
            text, macros = to_duckdb(predicate, planning.source, planning.types)
            for macro in macros:
                planning.connection.execute(macro)
            predicates.append(text)
        return prune(planning.connection, partitions, table.partition_keys, predicates, conjuncts.outer)


def _name_columns(expression: exp.Expr) -> None:
    """Name unnamed result columns as Trino does: `_col0`, `_col1`, by position."""
    for select in expression.find_all(exp.Select):
        for index, projection in enumerate(select.expressions):
            unnamed = not isinstance(projection, (exp.Alias, exp.Column, exp.Star, exp.Dot))
            if unnamed:
                select.expressions[index] = exp.alias_(projection.copy(), f"_col{index}", quoted=True)
                select.expressions[index].parent = select
