"""Views as Athena keeps them in the Glue catalog: the SQL and its columns, as base64 of JSON in a comment."""

import base64
import json
from typing import Any

from localcloud.athena.column_types import parse_hive, to_hive, to_trino
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable, TableCatalog
from localcloud.athena.purposes import Purpose
from localcloud.athena.targets import Columns

_MARK = "/* Presto View:"
_OTHERS = {"json": "string", "timestamp with time zone": "timestamp", "time": "string", "uuid": "string"}
"""Types that a view's column may have and a table's may not, as the catalog writes them down."""


def view_text(table: GlueTable) -> str:
    """Return the SQL of a view, as Athena (`/* Presto View: base64 */`) or Hive keeps it."""
    text = (table.view_sql or "").strip()
    if text.startswith(_MARK):
        document = json.loads(base64.b64decode(text.removeprefix(_MARK).removesuffix("*/").strip()))
        return str(document["originalSql"])
    return text


def view_input(purpose: Purpose, schema: str, columns: Columns) -> dict[str, Any]:
    """Return Glue's `TableInput` for a view of a query with these columns."""
    hive = [(name.lower(), _OTHERS.get(kind.id) or to_hive(kind)) for name, kind in columns]
    document = {
        "originalSql": purpose.query,
        "catalog": "awsdatacatalog",
        "schema": schema,
        "columns": [{"name": name, "type": to_trino(parse_hive(kind))} for name, kind in hive],
    }
    encoded = base64.b64encode(json.dumps(document).encode()).decode()
    return {
        "Name": purpose.name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "ViewOriginalText": f"{_MARK} {encoded} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind} for name, kind in hive],
            "Location": "",
            "SerdeInfo": {},
        },
    }


def create_view(catalog: TableCatalog, glue: Any, purpose: Purpose, database: str, columns: Columns) -> None:
    """Put a view into the catalog; raise Athena's failure when something of that name stands in its way."""
    schema = purpose.database or database
    if catalog.database(schema) is None:
        raise QueryFailure("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{schema}' does not exist")
    known = catalog.table(schema, purpose.name)
    name = f"awsdatacatalog.{schema}.{purpose.name}"
    if known is not None and known.view_sql is None:
        raise QueryFailure("TABLE_ALREADY_EXISTS", f"line 1:1: Table already exists: '{name}'")
    if known is not None and not purpose.flag:
        raise QueryFailure("VIEW_ALREADY_EXISTS", f"line 1:1: View already exists: '{name}'")
    names = [name.lower() for name, _ in columns]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise QueryFailure("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{twice[0]}' specified more than once")
    described = view_input(purpose, schema, columns)
    if known is None:
        glue.create_table(DatabaseName=schema, TableInput=described)
    else:
        glue.update_table(DatabaseName=schema, TableInput=described)
