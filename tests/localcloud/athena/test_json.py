"""JSON tables: what a line's keys and values become, and what a malformed line does."""

import gzip
import json

import pytest

from tests.localcloud.athena.conftest import JSON_SERDE, table_input

pytestmark = pytest.mark.local

HIVE_SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
COLUMNS = {
    "name": "string", "age": "int", "home": "struct<street:string,no:int>", "tags": "array<string>",
    "places": "array<struct<lat:double,lon:double>>", "counts": "map<string,int>",
}  # fmt: skip
LOWER = {
    "name": "ann", "age": 5, "home": {"street": "a", "no": 1}, "tags": ["x"], "places": [{"lat": 1.5, "lon": 2.0}],
    "counts": {"K": 1},
}  # fmt: skip
UPPER = {
    "Name": "bob", "AGE": 6, "Home": {"Street": "b", "NO": 2}, "Tags": [], "places": [{"LAT": 2.5, "lon": 3.0}],
    "Counts": {"K": 2},
}  # fmt: skip


def lines(*values):
    return "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values).encode()


def make(lake, name, body, serde=JSON_SERDE, columns=COLUMNS, key="part.json", **parameters):
    lake.s3.put_object(Bucket="lake", Key=f"json/{name}/{key}", Body=body)
    table = table_input(name, f"s3://lake/json/{name}/", columns, {}, serde)
    table["StorageDescriptor"]["SerdeInfo"]["Parameters"] = parameters
    lake.glue.create_table(DatabaseName="app_logs_db", TableInput=table)


EVERYTHING = (
    "SELECT name, age, home.street, home.no, cardinality(tags), places[1].lat, counts['K'] FROM {} ORDER BY name"
)


@pytest.mark.parametrize("serde", [JSON_SERDE, HIVE_SERDE])
def test_keys_are_compared_ignoring_their_case_nested_ones_too(lake, serde):
    name = f"cased_{'openx' if 'openx' in serde else 'hive'}"
    make(lake, name, gzip.compress(lines(LOWER, UPPER)), serde, key="part.json.gz")
    assert lake.rows(EVERYTHING.format(name)) == [
        ["ann", "5", "a", "1", "1", "1.5", "1"],
        ["bob", "6", "b", "2", "0", "2.5", "2"],
    ]


def test_missing_keys_and_values_of_another_type_are_null(lake):
    make(lake, "holes", lines({"name": "ann", "age": "old", "home": {"no": 3}}, {"name": 7, "age": None}, {}))
    assert lake.rows("SELECT name, age, home.street, home.no, tags FROM holes ORDER BY name") == [
        ["7", None, None, None, None],
        ["ann", None, None, "3", None],
        [None, None, None, None, None],
    ]


def test_a_malformed_line_fails_the_query_and_says_where(lake):
    make(lake, "torn", lines(LOWER, '{"name": "b', LOWER))
    assert lake.failure("SELECT name FROM torn") == (
        "HIVE_CURSOR_ERROR: Row is not a valid JSON Object: s3://lake/json/torn/part.json, line 2; "
        "with the SerDe property 'ignore.malformed.json' = 'true' such rows are NULL"
    )


@pytest.mark.parametrize("body", [lines(LOWER, "{torn"), lines(UPPER, "{torn")])
def test_a_malformed_line_is_nulls_where_the_table_says_so(lake, body):
    name = f"tolerant_{len(body)}"
    make(lake, name, body, **{"ignore.malformed.json": "TRUE"})
    assert [row[0] is None for row in lake.rows(f"SELECT name FROM {name} ORDER BY name")] == [False, True]


def test_openx_names_the_key_of_a_column(lake):
    make(lake, "mapped", lines({"ts": 1, "a": 2}), columns={"at": "int", "a": "int"}, **{"mapping.at": "ts"})
    assert lake.rows("SELECT at, a FROM mapped") == [["1", "2"]]
    make(lake, "dotted", lines({"a.b": 1}), columns={"a_b": "int"}, **{"dots.in.keys": "true"})
    assert "dots.in.keys is not supported" in lake.failure("SELECT a_b FROM dotted")


def test_case_counts_where_the_table_says_so(lake):
    make(lake, "exact", lines({"A": 1}), columns={"a": "int"}, **{"case.insensitive": "FALSE"})
    assert lake.rows("SELECT a FROM exact") == [[None]]
