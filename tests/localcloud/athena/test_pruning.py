"""Pruning leaves out only partitions whose rows the WHERE clause leaves out."""

from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.athena.column_types import parse_hive
from localcloud.athena.failures import QueryFailure
from localcloud.athena.glue_tables import GlueTable, Partition
from localcloud.athena.projection import projected_partitions
from localcloud.athena.pruning import conjuncts_for, prune
from localcloud.athena.translation import parse, to_duckdb

KEYS = {"year": parse_hive("string"), "month": parse_hive("string"), "n": parse_hive("int")}
PARTITIONS = [
    Partition((year, month, n), f"s3://b/{year}/{month}/{n}/")
    for year in ("2025", "2026")
    for month in ("01", "06", "12")
    for n in ("1", "7")
]

column = st.sampled_from(["year", "month", "year || month", "CAST(month AS integer)", "n", "concat(year, '-', month)"])
value = st.sampled_from(["'2026'", "'06'", "'202606'", "6", "7", "'2026-12'", "'x'", "NULL"])
comparison = st.builds(
    lambda left, sign, right: f"{left} {sign} {right}",
    column,
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    value,
)
membership = st.builds(lambda left, first, second: f"{left} IN ({first}, {second})", column, value, value)
between = st.builds(lambda left, low, high: f"{left} BETWEEN {low} AND {high}", column, value, value)
other = st.sampled_from(["x > 1", "x IS NULL", "month = x", "year IS NOT NULL", "month LIKE '0%'"])
leaf = comparison | membership | between | other
predicate = st.recursive(
    leaf,
    lambda inner: (
        st.builds("({} AND {})".format, inner, inner)
        | st.builds("({} OR {})".format, inner, inner)
        | st.builds("NOT ({})".format, inner)
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def connection():
    connection = duckdb.connect()
    rows = [(*partition.values, x) for partition in PARTITIONS for x in ("1", "2", None)]
    connection.execute("CREATE TABLE t (year VARCHAR, month VARCHAR, n INTEGER, x VARCHAR)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    return connection


def kept(connection, sql):
    select = parse(sql)
    conjuncts = conjuncts_for(select, "t", KEYS)
    predicates = [to_duckdb(part, sql)[0] for part in conjuncts.predicates]
    return prune(connection, PARTITIONS, KEYS, predicates, conjuncts.outer)


@settings(max_examples=300, deadline=None)
@given(predicate)
def test_a_pruned_query_answers_as_an_unpruned_one(connection, where):
    from localcloud.athena.macros import MACROS, definitions

    for definition in definitions(" ".join(MACROS)):
        connection.execute(definition)
    sql = f"SELECT year, month, n, x FROM t WHERE {where}"
    text, _ = to_duckdb(parse(sql), sql)
    try:
        everything = connection.execute(text).fetchall()
    except duckdb.Error:
        return
    partitions = {partition.values for partition in kept(connection, sql)}
    assert [row for row in everything if (row[0], row[1], str(row[2])) in partitions] == everything


def test_pruning_keeps_only_what_is_asked_for(connection):
    assert [
        found.values for found in kept(connection, "SELECT 1 FROM t WHERE year || month = '202606' AND x = '1'")
    ] == [
        ("2026", "06", "1"),
        ("2026", "06", "7"),
    ]
    assert len(kept(connection, "SELECT 1 FROM t WHERE n > 5")) == 6
    assert len(kept(connection, "SELECT 1 FROM t WHERE year = '2026' OR x = '1'")) == 12


def table(parameters, keys=("service", "dt")):
    strings = dict.fromkeys(keys, parse_hive("string"))
    return GlueTable("db", "t", "s3://b/t/", "json", {}, strings, {"projection.enabled": "true", **parameters})


NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_projection_spells_out_enums_and_dates():
    projected = table(
        {
            "projection.service.type": "enum",
            "projection.service.values": "a,b",
            "projection.dt.type": "date",
            "projection.dt.range": "NOW-1DAYS,NOW",
            "projection.dt.format": "yyyy-MM-dd",
        }
    )
    assert [found.location for found in projected_partitions(projected, {"service": {"b"}}, NOW)] == [
        "s3://b/t/service=b/dt=2026-11-20/",
        "s3://b/t/service=b/dt=2026-11-21/",
    ]


def test_projection_pads_integers_and_follows_the_template():
    projected = table(
        {
            "projection.month.type": "integer",
            "projection.month.range": "9,10",
            "projection.month.digits": "2",
            "storage.location.template": "s3://c/${month}/",
        },
        ("month",),
    )
    assert [found.location for found in projected_partitions(projected, {})] == ["s3://c/09/", "s3://c/10/"]


def test_an_injected_column_needs_an_equality():
    projected = table({"projection.service.type": "injected"}, ("service",))
    assert [found.values for found in projected_partitions(projected, {"service": {"x"}})] == [("x",)]
    with pytest.raises(QueryFailure, match="injected projected partition column service"):
        list(projected_partitions(projected, {}))


def test_a_column_without_projection_is_named():
    with pytest.raises(QueryFailure, match=r"missing projection configuration: \[service\]"):
        list(projected_partitions(table({}), {}))
