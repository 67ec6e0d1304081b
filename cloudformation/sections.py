"""The sections of `pipeline.yaml` that repeat the catalog, because a template can't import.

`python -m cloudformation.sections` rewrites them in place; a test fails while they differ.
"""

import json
from pathlib import Path

from catalog.named_queries import NamedQuery, named_queries
from catalog.schema import Column
from catalog.tables import TABLES, Table

TEMPLATE = Path(__file__).with_name("pipeline.yaml")
DATABASE = "app_logs_db"
"""The database that the query files name; the template puts its parameter in its place."""


def logical_id(name: str, suffix: str) -> str:
    """Return a resource's logical id: `log_minutes`, `Table` -> `LogMinutesTable`."""
    return "".join(word.capitalize() for word in name.replace("-", "_").split("_")) + suffix


def table_resource(table: Table) -> str:
    """Return the YAML of one curated table."""
    columns = "".join(f"            - {_column(column)}\n" for column in table.columns)
    keys = ", ".join(f"{{Name: {key}, Type: string}}" for key in table.partition_keys)
    return f"""\
  {logical_id(table.name, "Table")}:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: {table.name}
        Description: {_quoted(table.doc)}
        TableType: EXTERNAL_TABLE
        Parameters: {{classification: parquet, EXTERNAL: 'TRUE'}}
        PartitionKeys: [{keys}]
        StorageDescriptor:
          Location: !Sub 's3://${{LakeBucket}}/{table.prefix}'
          InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
          SerdeInfo:
            SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe
            Parameters: {{serialization.format: '1'}}
          Columns:
{columns}"""


def query_resource(query: NamedQuery) -> str:
    """Return the YAML of one named query, its database a parameter."""
    sql = query.sql.replace(f'"{DATABASE}"', '"${DatabaseName}"')
    lines = "".join(f"        {line}".rstrip() + "\n" for line in sql.split("\n"))
    return f"""\
  {logical_id(query.name, "Query")}:
    Type: AWS::Athena::NamedQuery
    Properties:
      Name: {query.name}
      Description: {_quoted(query.description)}
      Database: !Ref Database
      WorkGroup: !Ref WorkGroup
      QueryString: !Sub |-
{lines}"""


def render(template: str) -> str:
    """Return the template's text with both sections as the catalog has them."""
    template = _replaced(template, "tables", "".join(table_resource(table) for table in TABLES))
    return _replaced(template, "named queries", "".join(query_resource(query) for query in named_queries()))


def _column(column: Column) -> str:
    comment = f", Comment: {_quoted(column.doc)}" if column.doc else ""
    return f"{{Name: {column.name}, Type: {_quoted(column.type) if '<' in column.type else column.type}{comment}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _replaced(template: str, section: str, body: str) -> str:
    head, _, rest = template.partition(f"  # begin {section}")
    begin, _, rest = rest.partition("\n")
    _, end, tail = rest.partition(f"  # end {section}")
    return f"{head}  # begin {section}{begin}\n{body}{end}{tail}"


if __name__ == "__main__":
    TEMPLATE.write_text(render(TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")
