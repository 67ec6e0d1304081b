"""Tables as the Glue catalog describes them, remembered for a moment so that a burst of queries asks once."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from localcloud.athena.column_types import Type, parse_hive

T = TypeVar("T")
REMEMBERED_SECONDS = 0.25
"""Long enough for a page full of charts, short enough that nobody waits for a new partition."""
UNCHANGED_SECONDS = 30.0
"""How long a table's partitions are remembered while no request changes the catalog."""

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
"""The partition value that stands for NULL."""


class Memory:
    """Answers kept for `seconds`; safe to use from threads (two may compute the same thing once each)."""

    def __init__(self, seconds: float = REMEMBERED_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._answers: dict[Any, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def get(self, key: Any, compute: Callable[[], T]) -> T:
        """Return the answer to `key`, computed unless one younger than `seconds` is known."""
        now = self._clock()
        with self._lock:
            known = self._answers.get(key)
            if known and now - known[0] < self._seconds:
                return known[1]  # type: ignore[no-any-return]
        answer = compute()
        with self._lock:
            self._answers = {k: v for k, v in self._answers.items() if now - v[0] < self._seconds}
            self._answers[key] = (now, answer)
        return answer

    def forget(self) -> None:
        """Drop every answer, after a statement that changed the catalog."""
        with self._lock:
            self._answers.clear()


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition: its values as text, in the order of the keys, and where its objects lie."""

    values: tuple[str, ...]
    location: str


@dataclass(frozen=True, slots=True)
class GlueTable:
    """What a query needs to know of a table. Column names are lower case."""

    database: str
    name: str
    location: str
    format: str
    columns: Mapping[str, Type]
    partition_keys: Mapping[str, Type]
    parameters: Mapping[str, str] = field(default_factory=dict)
    serde_parameters: Mapping[str, str] = field(default_factory=dict)
    view_sql: str | None = None

    @property
    def projected(self) -> bool:
        return self.parameters.get("projection.enabled", "").lower() == "true"


def format_of(description: Mapping[str, Any]) -> str:
    """Return `json`, `csv`, `opencsv`, `parquet`, or the name of the SerDe that this engine does not read."""
    storage = description.get("StorageDescriptor") or {}
    serde = (storage.get("SerdeInfo") or {}).get("SerializationLibrary") or ""
    lowered = serde.lower()
    if "opencsv" in lowered:
        return "opencsv"
    for mark, name in (
        ("json", "json"),
        ("parquet", "parquet"),
        ("lazysimple", "csv"),
        ("orc", "ORC"),
        ("avro", "Avro"),
    ):
        if mark in lowered:
            return name
    classification = (description.get("Parameters") or {}).get("classification", "").lower()
    return classification if not serde and classification in {"json", "csv", "parquet"} else serde or "unknown"


def from_description(description: Mapping[str, Any], database: str) -> GlueTable:
    """Return the table that a `GetTable` answer describes."""
    storage = description.get("StorageDescriptor") or {}
    parameters = dict(description.get("Parameters") or {})
    return GlueTable(
        database,
        description["Name"].lower(),
        storage.get("Location") or "",
        format_of(description),
        {column["Name"].lower(): parse_hive(column["Type"]) for column in storage.get("Columns") or []},
        {column["Name"].lower(): parse_hive(column["Type"]) for column in description.get("PartitionKeys") or []},
        parameters,
        dict((storage.get("SerdeInfo") or {}).get("Parameters") or {}),
        description.get("ViewOriginalText") if description.get("TableType") == "VIRTUAL_VIEW" else None,
    )


class TableCatalog:
    """Reads tables and partitions through the Glue API."""

    def __init__(
        self, glue: Callable[[], Any], memory: Memory | None = None, changes: Callable[[], int] | None = None
    ) -> None:
        self._glue = glue
        self.memory = memory or Memory()
        self._changes = changes
        self._unchanged = Memory(UNCHANGED_SECONDS)

    def forget(self) -> None:
        """Drop every answer, when what they said proved out of date."""
        self.memory.forget()
        self._unchanged.forget()

    def description(self, database: str, name: str) -> Mapping[str, Any] | None:
        """Return Glue's own description of a table; None when there is no such table or database."""

        def read() -> Mapping[str, Any] | None:
            try:
                return self._glue().get_table(DatabaseName=database, Name=name)["Table"]  # type: ignore[no-any-return]
            except ClientError as error:
                if error.response["Error"]["Code"] == "EntityNotFoundException":
                    return None
                raise

        return self.memory.get(("table", database, name), read)

    def table(self, database: str, name: str) -> GlueTable | None:
        """Return a table; None when there is no such table or database."""
        description = self.description(database, name)
        return None if description is None else from_description(description, database)

    def database(self, name: str) -> Mapping[str, Any] | None:
        """Return Glue's description of a database; None when there is none so called."""
        try:
            return self._glue().get_database(Name=name)["Database"]  # type: ignore[no-any-return]
        except ClientError as error:
            if error.response["Error"]["Code"] == "EntityNotFoundException":
                return None
            raise

    def databases(self) -> list[Mapping[str, Any]]:
        """Return every database, by name."""
        pages = self._glue().get_paginator("get_databases").paginate()
        return sorted((found for page in pages for found in page["DatabaseList"]), key=lambda found: found["Name"])

    def tables(self, database: str) -> list[Mapping[str, Any]]:
        """Return Glue's description of every table of a database, by name."""
        pages = self._glue().get_paginator("get_tables").paginate(DatabaseName=database)
        return sorted((found for page in pages for found in page["TableList"]), key=lambda found: found["Name"])

    def partitions(self, table: GlueTable) -> list[Partition]:
        """Return the registered partitions of a table, as they are since the last change of the catalog."""

        def read() -> list[Partition]:
            pages = (
                self._glue()
                .get_paginator("get_partitions")
                .paginate(DatabaseName=table.database, TableName=table.name, ExcludeColumnSchema=True)
            )
            return [
                Partition(tuple(found["Values"]), found["StorageDescriptor"]["Location"])
                for page in pages
                for found in page["Partitions"]
            ]

        name = ("partitions", table.database, table.name)
        if self._changes is None:
            return self.memory.get(name, read)
        return self._unchanged.get((*name, self._changes()), read)
