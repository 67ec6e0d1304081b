"""INSERT INTO, CREATE TABLE AS and UNLOAD: rows go to local files first, then to S3, then into the catalog.

As on Athena, what was put before a failure stays: nothing refers to it but the manifest, which is written last.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from localcloud.athena.column_types import literal, quoted, to_duckdb, to_hive
from localcloud.athena.ddl import FORMATS
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import TableCatalog
from localcloud.athena.objects import is_data, split_uri
from localcloud.athena.purposes import Purpose
from localcloud.athena.results import text_sql
from localcloud.athena.targets import Columns, Target, hive_text

MAX_PARTITIONS = 100


class Writing:
    """Writes what a query answers."""

    def __init__(self, catalog: TableCatalog, glue: Callable[[], Any], s3: Callable[[], Any]) -> None:
        self._catalog = catalog
        self._glue = glue
        self._s3 = s3

    def copy_sql(self, query: str, target: Target, columns: Columns, folder: Path) -> str:
        """Return the COPY that writes the query's rows as files under `folder`."""
        chosen = {
            name: f"CAST(c{place} AS {to_duckdb(type_)})" for place, (name, type_) in enumerate(target.columns.items())
        }
        if target.table is not None:
            everything = {**target.table.columns, **target.table.partition_keys}
            chosen = {name: chosen.get(name, f"CAST(NULL AS {to_duckdb(type_)})") for name, type_ in everything.items()}
        if target.format == "csv":
            kinds = dict(zip(target.columns, (kind for _, kind in columns), strict=True))
            chosen = {name: _text(name, value, kinds, target) for name, value in chosen.items()}
        if target.format == "json":  # COPY's own JSON does not partition
            values = ", ".join(f"{literal(name)}: {chosen[name]}" for name in chosen if name not in target.keys)
            chosen = {"line": f"CAST(to_json({{{values}}}) AS VARCHAR)"} | {key: chosen[key] for key in target.keys}
        fields = ", ".join(f"{value} AS {quoted(name)}" for name, value in chosen.items())
        positions = ", ".join(f"c{place}" for place in range(len(columns)))
        lines = f"FORMAT csv, HEADER false, DELIM {literal(target.delimiter)}, QUOTE '', ESCAPE '', NULLSTR '\\N'"
        options = ("FORMAT parquet" if target.format == "parquet" else lines) + f", COMPRESSION {target.codec}"
        if target.keys:
            options += f", PARTITION_BY ({', '.join(quoted(key) for key in target.keys)})"
        place = folder if target.keys else folder / "data"
        return f"COPY (SELECT {fields} FROM ({query}) AS q({positions})) TO {literal(str(place))} ({options})"

    def publish(self, target: Target, folder: Path, execution_id: str) -> list[str]:
        """Put the files under `folder` to S3, add the partitions that are new, and return the objects' URIs."""
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        partitions = {path.parent.relative_to(folder) for path in files} if target.keys else {Path()}
        if len(partitions) > MAX_PARTITIONS:
            raise QueryFailure(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MAX_PARTITIONS} open writers for partitions/buckets",
            )
        known = self._known_locations(target)
        ending = ".gz" if target.codec == "gzip" and target.format != "parquet" else ""
        stamp = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
        written = []
        for number, path in enumerate(files):
            values = _values(path.parent.relative_to(folder))
            place = known.get(values) or target.location + str(path.parent.relative_to(folder)) + "/"
            place = target.location if not target.keys else place
            written.append(f"{place}{stamp}_{number:05}_{execution_id}{ending}")
            bucket, key = split_uri(written[-1])
            assert is_data(key)
            self._s3().upload_file(str(path), bucket, key)
        if target.table is not None and not target.table.projected:
            for partition in sorted(partitions):
                if target.keys and _values(partition) not in known:
                    self.add_partition(target.table.database, target.table.name, target.location, partition)
        return written

    def _known_locations(self, target: Target) -> dict[tuple[str, ...], str]:
        if target.table is None or target.table.projected or not target.keys:
            return {}
        found = self._catalog.partitions(target.table)
        return {partition.values: partition.location.rstrip("/") + "/" for partition in found}

    def add_partition(self, database: str, name: str, location: str, folder: Path) -> None:
        """Register the partition whose objects lie in `folder` under `location`; one that is there already stays."""
        glue = self._glue()
        storage = dict(glue.get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"])
        values = {"Values": list(_values(folder)), "StorageDescriptor": {**storage, "Location": f"{location}{folder}/"}}
        with suppress(glue.exceptions.AlreadyExistsException):
            glue.create_partition(DatabaseName=database, TableName=name, PartitionInput=values)

    def create_table(self, purpose: Purpose, database: str, target: Target, folder: Path) -> None:
        """Put the table that CREATE TABLE AS made into the catalog, with its partitions."""
        input_format, output_format, serde = FORMATS[{"csv": "TEXTFILE"}.get(target.format, target.format.upper())]
        columns = [
            {"Name": name, "Type": hive_text(type_)}
            for name, type_ in target.columns.items()
            if name not in target.keys
        ]
        keys = [{"Name": key, "Type": hive_text(target.columns[key])} for key in target.keys]
        delimiters = {"field.delim": target.delimiter, "serialization.format": target.delimiter}
        storage = {
            "Columns": columns,
            "Location": target.location,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "SerdeInfo": {
                "SerializationLibrary": serde,
                "Parameters": delimiters if target.format == "csv" else {},
            },
        }
        table = {"Name": purpose.name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys}
        parameters = {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "transactional": "false"}
        schema = purpose.database or database
        self._glue().create_table(
            DatabaseName=schema, TableInput={**table, "Parameters": parameters, "StorageDescriptor": storage}
        )
        found = {path.parent.relative_to(folder) for path in folder.rglob("*") if path.is_file()} if keys else set()
        for partition in sorted(found):
            self.add_partition(schema, purpose.name, target.location, partition)


def _text(name: str, value: str, kinds: Mapping[str, Any], target: Target) -> str:
    if name in target.keys or name not in kinds:
        return value
    if target.columns[name].children:
        raise QueryFailure(
            "NOT_SUPPORTED", f"column {name}: {hive_text(target.columns[name])} in TEXTFILE is not supported"
        )
    return text_sql(value, kinds[name]) if hive_text(target.columns[name]) == to_hive(kinds[name]) else value


def _values(folder: Path) -> tuple[str, ...]:
    return tuple(unquote(part.partition("=")[2]) for part in folder.parts)
