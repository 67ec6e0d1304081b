"""What repeats another file: `queries.yaml` and the tables of `pipeline.yaml` the catalog, the guide the template.

`python -m cloudformation.sections` rewrites them in place; a test fails while they differ.
"""

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.named_queries import NamedQuery, named_queries
from catalog.schema import Column
from catalog.tables import TABLES, Table
from cloudformation.diagram import mermaid
from cloudformation.template import CODE_PARAMETERS, parse_template

TEMPLATE = Path(__file__).with_name("pipeline.yaml")
QUERIES = TEMPLATE.with_name("queries.yaml")
BOARD = TEMPLATE.with_name("board.yaml")
GUIDE = TEMPLATE.parent.parent / "docs" / "deploy.md"

_QUERIES_HEAD = """\
# Written by `python -m cloudformation.sections` from catalog/queries/.
AWSTemplateFormatVersion: '2010-09-09'
Description: Loglake's named queries, a nested stack of pipeline.yaml

Parameters:
  DatabaseName:
    Type: String
    Description: Glue database that the queries read
  WorkGroup:
    Type: String
    Description: Athena workgroup that lists them

Resources:
"""


def logical_id(name: str, suffix: str) -> str:
    """Return a resource's logical id: `log_minutes`, `Table` -> `LogMinutesTable`."""
    return "".join(word.capitalize() for word in name.replace("-", "_").split("_")) + suffix


def table_resource(table: Table) -> str:
    """Return the YAML of one curated table."""
    columns = _wrapped(", ".join(_column(column).replace(" ", "\0") for column in table.columns)).replace("\0", " ")
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
          SerdeInfo: {{SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe}}
          Columns: [
{columns}]
"""


def query_resource(query: NamedQuery) -> str:
    """Return the YAML of one named query, its database a parameter."""
    lines = "".join(f"        {line}".rstrip() + "\n" for line in query.template.split("\n"))
    return f"""\
  {logical_id(query.name, "Query")}:
    Type: AWS::Athena::NamedQuery
    Properties:
      Name: {query.name}
      Description: {_quoted(query.description)}
      Database: !Ref DatabaseName
      WorkGroup: !Ref WorkGroup
      QueryString: !Sub |-
{lines}"""


def render(template: str) -> str:
    """Return the template's text with its tables as the catalog has them."""
    head, _, rest = template.partition("  # begin tables")
    begin, _, rest = rest.partition("\n")
    _, end, tail = rest.partition("  # end tables")
    return f"{head}  # begin tables{begin}\n{''.join(map(table_resource, TABLES))}{end}{tail}"


def render_queries() -> str:
    """Return the text of the nested template: every named query of the catalog."""
    return _QUERIES_HEAD + "".join(map(query_resource, named_queries()))


def render_guide(guide: str, template: str) -> str:
    """Return the guide's text with the diagram, the parameters and the outputs as the template has them."""
    body = parse_template(template)
    parameters = "".join(
        f"| `{name}` | {_default(parameter)} | {parameter['Description']} |\n"
        for name, parameter in body["Parameters"].items()
        if name not in CODE_PARAMETERS
    )
    outputs = "".join(f"| `{name}` | {output['Description']} |\n" for name, output in body["Outputs"].items())
    guide = _filled(guide, "diagram", f"```mermaid\n{mermaid(body)}```\n")
    guide = _filled(guide, "parameters", f"| parameter | default | |\n|---|---|---|\n{parameters}")
    return _filled(guide, "outputs", f"| output | what it names |\n|---|---|\n{outputs}")


def _default(parameter: Mapping[str, Any]) -> str:
    return f"`{parameter['Default']}`" if parameter.get("Default", "") != "" else "none"


def _filled(guide: str, table: str, rows: str) -> str:
    head, begin, rest = guide.partition(f"<!-- {table} -->\n")
    _, end, tail = rest.partition(f"<!-- end {table} -->")
    return f"{head}{begin}{rows}{end}{tail}"


def _column(column: Column) -> str:
    # No comment: what the columns mean is in catalog/tables.py.
    return f"{{Name: {column.name}, Type: {_quoted(column.type) if '<' in column.type else column.type}}}"


def _wrapped(text: str) -> str:
    indent = " " * 12
    return textwrap.fill(text, width=118, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    QUERIES.write_text(render_queries(), encoding="utf-8")
    TEMPLATE.write_text(render(TEMPLATE.read_text(encoding="utf-8")), encoding="utf-8")
    written = render_guide(GUIDE.read_text(encoding="utf-8"), TEMPLATE.read_text(encoding="utf-8"))
    GUIDE.write_text(written, encoding="utf-8")
