"""Statements that change the Glue catalog: databases, external tables, partitions. They never touch objects."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError
from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable, TableCatalog
from localcloud.athena.objects import split_uri

NAME = r'(?:["`]?(?P<database>[\w-]+)["`]?\.)?["`]?(?P<table>[\w$-]+)["`]?'
_IF_NOT = r"(?P<if_not>\s+IF\s+NOT\s+EXISTS)?"
_IF = r"(?P<if>\s+IF\s+EXISTS)?"

FORMATS: Mapping[str, tuple[str, str, str]] = {
    "PARQUET": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "JSON": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.openx.data.jsonserde.JsonSerDe",
    ),
    "TEXTFILE": (
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
    ),
}

Change = Callable[[re.Match[str], str], None]


class Definitions:
    """Makes and drops databases, tables and partitions through the Glue API."""

    def __init__(self, catalog: TableCatalog, glue: Callable[[], Any], s3: Callable[[], Any]) -> None:
        self._catalog = catalog
        self._glue = glue
        self._s3 = s3
        self._forms: Mapping[str, Change] = {
            rf"CREATE\s+(?:DATABASE|SCHEMA){_IF_NOT}\s+[\"`]?(?P<name>[\w-]+)[\"`]?.*": self._create_database,
            rf"DROP\s+(?:DATABASE|SCHEMA){_IF}\s+[\"`]?(?P<name>[\w-]+)[\"`]?(?:\s+CASCADE)?": self._drop_database,
            rf"CREATE\s+EXTERNAL\s+TABLE{_IF_NOT}\s+{NAME}\s*\(.*": self._create_table,
            rf"DROP\s+(?P<kind>TABLE|VIEW){_IF}\s+{NAME}": self._drop_table,
            rf"ALTER\s+TABLE\s+{NAME}\s+ADD{_IF_NOT}\s+(?P<partitions>PARTITION.*)": self._add_partitions,
            rf"ALTER\s+TABLE\s+{NAME}\s+DROP{_IF}\s+(?P<partitions>PARTITION.*)": self._drop_partitions,
            rf"MSCK\s+REPAIR\s+TABLE\s+{NAME}": self._repair,
        }

    def run(self, text: str, database: str) -> bool:
        """Carry out a statement; tell whether it was one of these. Raises `QueryFailure` when it can't be."""
        for form, change in self._forms.items():
            found = re.fullmatch(form, text, re.IGNORECASE | re.DOTALL)
            if found:
                try:
                    change(found, database)
                except ClientError as error:
                    raise QueryFailure("FAILED", f"{error.response['Error']['Message']}") from error
                finally:
                    self._catalog.memory.forget()
                return True
        return False

    def _create_database(self, found: re.Match[str], database: str) -> None:
        if found["if_not"] and self._catalog.database(found["name"].lower()):
            return
        self._glue().create_database(DatabaseInput={"Name": found["name"].lower()})

    def _drop_database(self, found: re.Match[str], database: str) -> None:
        if found["if"] and not self._catalog.database(found["name"].lower()):
            return
        self._glue().delete_database(Name=found["name"].lower())

    def _create_table(self, found: re.Match[str], database: str) -> None:
        schema, name = (found["database"] or database).lower(), found["table"].lower()
        if found["if_not"] and self._catalog.table(schema, name):
            return
        self._glue().create_table(DatabaseName=schema, TableInput=table_input(found[0], name))

    def _drop_table(self, found: re.Match[str], database: str) -> None:
        schema, name = (found["database"] or database).lower(), found["table"].lower()
        table, kind = self._catalog.table(schema, name), found["kind"].capitalize()
        if table is None and found["if"]:
            return
        if table is None or (table.view_sql is not None) != (kind == "View"):
            raise QueryFailure("TABLE_NOT_FOUND", f"line 1:1: {kind} 'awsdatacatalog.{schema}.{name}' does not exist")
        self._glue().delete_table(DatabaseName=schema, Name=name)

    def _table(self, found: re.Match[str], database: str) -> GlueTable:
        schema, name = (found["database"] or database).lower(), found["table"].lower()
        table = self._catalog.table(schema, name)
        if table is None:
            raise QueryFailure("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{schema}.{name}' does not exist")
        return table

    def _add(self, table: GlueTable, values: list[str], location: str) -> None:
        storage = dict((self._catalog.description(table.database, table.name) or {})["StorageDescriptor"])
        partition = {"Values": values, "StorageDescriptor": {**storage, "Location": location}}
        try:
            self._glue().create_partition(DatabaseName=table.database, TableName=table.name, PartitionInput=partition)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            raise QueryFailure("FAILED", f"Partition already exists: {values}") from None

    def _add_partitions(self, found: re.Match[str], database: str) -> None:
        table = self._table(found, database)
        known = {partition.values for partition in self._catalog.partitions(table)}
        for values, location in partition_clauses(found["partitions"], table):
            if found["if_not"] and tuple(values) in known:
                continue
            self._add(table, values, location or _folder(table, values))

    def _drop_partitions(self, found: re.Match[str], database: str) -> None:
        table = self._table(found, database)
        for values, _ in partition_clauses(found["partitions"], table):
            self._glue().delete_partition(DatabaseName=table.database, TableName=table.name, PartitionValues=values)

    def _repair(self, found: re.Match[str], database: str) -> None:
        table = self._table(found, database)
        known = {partition.values for partition in self._catalog.partitions(table)}
        for values in self._folders(table):
            if tuple(values) not in known:
                self._add(table, values, _folder(table, values))

    def _folders(self, table: GlueTable) -> list[list[str]]:
        """Return the values of the `key=value` folders under a table's location."""
        bucket, prefix = split_uri(table.location.rstrip("/") + "/")
        found: list[tuple[str, list[str]]] = [(prefix, [])]
        for key in table.partition_keys:
            deeper = []
            for place, values in found:
                pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=place, Delimiter="/")
                for folder in (common["Prefix"] for page in pages for common in page.get("CommonPrefixes", [])):
                    name, _, value = folder[len(place) : -1].partition("=")
                    deeper += [(folder, [*values, value])] if name.lower() == key else []
            found = deeper
        return [values for _, values in found]


def _folder(table: GlueTable, values: list[str]) -> str:
    pairs = zip(table.partition_keys, values, strict=True)
    return table.location.rstrip("/") + "/" + "/".join(f"{key}={value}" for key, value in pairs) + "/"


def partition_clauses(text: str, table: GlueTable) -> list[tuple[list[str], str | None]]:
    """Return values and location of each `PARTITION (k = 'v', …) [LOCATION 's3://…']`."""
    clauses = []
    for inner, location in re.findall(r"PARTITION\s*\(([^)]*)\)(?:\s*LOCATION\s*'([^']*)')?", text, re.IGNORECASE):
        pairs = {
            name.lower(): quoted or bare
            for name, quoted, bare in re.findall(r"`?(\w+)`?\s*=\s*(?:'([^']*)'|([\w.-]+))", inner)
        }
        if set(pairs) != set(table.partition_keys):
            raise QueryFailure(
                "FAILED", f"a partition of {table.name} must name {', '.join(table.partition_keys)}; got {inner!r}"
            )
        clauses.append(([pairs[key] for key in table.partition_keys], location or None))
    return clauses


def table_input(sql: str, name: str) -> dict[str, Any]:
    """Return Glue's `TableInput` for a CREATE EXTERNAL TABLE in Hive's words."""
    try:
        create = parse_one(sql, dialect="hive")
    except ParseError as error:
        raise QueryFailure("SYNTAX_ERROR", str(error).splitlines()[0]) from None
    properties = list(create.find_all(exp.Property))
    location = next((found.name for found in properties if isinstance(found, exp.LocationProperty)), "")
    if not location:
        raise QueryFailure("FAILED", f"CREATE EXTERNAL TABLE {name} must have a LOCATION")
    columns = [_column(found) for found in create.this.expressions if isinstance(found, exp.ColumnDef)]
    partitioned = next((found for found in properties if isinstance(found, exp.PartitionedByProperty)), None)
    keys = [_column(found) for found in partitioned.this.expressions] if partitioned else []
    kind = next(
        (
            found.this.name.upper()
            for found in properties
            if isinstance(found, exp.FileFormatProperty) and found.this.name
        ),
        "TEXTFILE",
    )
    input_format, output_format, serde = FORMATS.get(kind, FORMATS["TEXTFILE"])
    named = re.search(r"ROW\s+FORMAT\s+SERDE\s+'([^']+)'", sql, re.IGNORECASE)
    serde_properties = re.search(r"SERDEPROPERTIES\s*\((.*?)\)\s*(?:STORED|LOCATION|TBLPROPERTIES|$)", sql, re.I | re.S)
    table_properties = re.search(r"TBLPROPERTIES\s*\((.*)\)", sql, re.I | re.S)
    parameters = _pairs(serde_properties) | _delimiters(sql)
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": keys,
        "Parameters": {"EXTERNAL": "TRUE"} | _pairs(table_properties),
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {"SerializationLibrary": named[1] if named else serde, "Parameters": parameters},
        },
    }


def _column(found: exp.Expr) -> dict[str, str]:
    kind = found.args["kind"].sql(dialect="hive").lower().replace(", ", ",").replace(": ", ":")
    return {"Name": found.name.lower(), "Type": kind}


def _pairs(found: re.Match[str] | None) -> dict[str, str]:
    return dict(re.findall(r"""['"]([^'"]+)['"]\s*=\s*['"]([^'"]*)['"]""", found[1])) if found else {}


def _delimiters(sql: str) -> dict[str, str]:
    found = re.search(r"FIELDS\s+TERMINATED\s+BY\s+'([^']+)'", sql, re.IGNORECASE)
    return {"field.delim": found[1], "serialization.format": found[1]} if found else {}
