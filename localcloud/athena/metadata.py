"""Athena's view of the Glue catalog: databases and tables."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from localcloud.athena.glue_tables import TableCatalog
from localcloud.engine import Operation, Parameters, ServiceError

CATALOG = "AwsDataCatalog"


class Metadata:
    """GetDatabase, ListDatabases, GetTableMetadata, ListTableMetadata."""

    def __init__(self, catalog: TableCatalog) -> None:
        self._catalog = catalog
        self.operations: Mapping[str, Operation] = {
            "GetDatabase": self.get_database,
            "ListDatabases": self.list_databases,
            "GetTableMetadata": self.get_table_metadata,
            "ListTableMetadata": self.list_table_metadata,
        }

    def _check(self, request: Parameters) -> str:
        if (request.get("CatalogName") or CATALOG).lower() != CATALOG.lower():
            raise ServiceError("MetadataException", f"Catalog {request['CatalogName']} does not exist")
        return str(request.get("DatabaseName") or "default").lower()

    def get_database(self, request: Parameters) -> Parameters:
        name = self._check(request)
        found = self._catalog.database(name)
        if found is None:
            raise ServiceError("MetadataException", f"Database {name} not found.")
        return {"Database": _database(found)}

    def list_databases(self, request: Parameters) -> Parameters:
        self._check(request)
        shown, more = _page([_database(found) for found in self._catalog.databases()], request)
        return {"DatabaseList": shown, **more}

    def get_table_metadata(self, request: Parameters) -> Parameters:
        database, name = self._check(request), str(request.get("TableName") or "").lower()
        found = self._catalog.description(database, name)
        if found is None:
            raise ServiceError(
                "MetadataException",
                f"EntityNotFoundException: Entity Not Found; no table {name!r} in database {database!r}",
            )
        return {"TableMetadata": _table(found)}

    def list_table_metadata(self, request: Parameters) -> Parameters:
        database = self._check(request)
        if self._catalog.database(database) is None:
            raise ServiceError("MetadataException", f"Database {database} not found.")
        wanted = request.get("Expression")
        tables = [found for found in self._catalog.tables(database) if not wanted or _matches(found["Name"], wanted)]
        shown, more = _page([_table(found) for found in tables], request)
        return {"TableMetadataList": shown, **more}


def _matches(name: str, expression: str) -> bool:
    import re

    try:
        return re.fullmatch(expression.replace("*", ".*").replace("..*", ".*"), name, re.IGNORECASE) is not None
    except re.error:
        return False


def _page(items: Sequence[Any], request: Parameters) -> tuple[Sequence[Any], dict[str, str]]:
    token, size = request.get("NextToken") or "0", int(request.get("MaxResults") or 50)
    if not token.isdigit():
        raise ServiceError("InvalidRequestException", f"NextToken must be one that this operation gave; got {token!r}")
    start = int(token)
    return items[start : start + size], {"NextToken": str(start + size)} if start + size < len(items) else {}


def _database(found: Mapping[str, Any]) -> dict[str, Any]:
    described = {"Description": found["Description"]} if found.get("Description") else {}
    return {"Name": found["Name"], "Parameters": found.get("Parameters") or {}, **described}


def _column(column: Mapping[str, Any]) -> dict[str, Any]:
    comment = {"Comment": column["Comment"]} if column.get("Comment") else {}
    return {"Name": column["Name"], "Type": column["Type"], **comment}


def _seconds(moment: Any) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else time.time()


def _table(found: Mapping[str, Any]) -> dict[str, Any]:
    storage = found.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    parameters = dict(found.get("Parameters") or {})
    parameters |= {
        "location": storage.get("Location") or "",
        "inputformat": storage.get("InputFormat") or "",
        "outputformat": storage.get("OutputFormat") or "",
        "serde.serialization.lib": serde.get("SerializationLibrary") or "",
    }
    parameters |= {f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()}
    return {
        "Name": found["Name"],
        "CreateTime": _seconds(found.get("CreateTime")),
        "LastAccessTime": _seconds(found.get("LastAccessTime")),
        "TableType": found.get("TableType") or "EXTERNAL_TABLE",
        "Columns": [_column(column) for column in storage.get("Columns") or []],
        "PartitionKeys": [_column(column) for column in found.get("PartitionKeys") or []],
        "Parameters": parameters,
    }
