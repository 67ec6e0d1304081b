"""What is asked of a table from outside its select prunes it, and never changes an answer."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from localcloud.athena.macros import MACROS, definitions
from localcloud.athena.pruning import conjuncts_for, prune
from localcloud.athena.reading import read
from localcloud.athena.scopes import definition_of
from localcloud.athena.translation import parse, to_duckdb
from tests.localcloud.athena.test_pruning import KEYS, PARTITIONS, predicate

SHAPES = (
    "SELECT * FROM (SELECT * FROM t) q WHERE {0}",
    "SELECT q.* FROM (SELECT t.* FROM t WHERE {1}) q WHERE {0}",
    "WITH c AS (SELECT year, month, n, x FROM t WHERE {1}) SELECT * FROM c WHERE {0}",
    "WITH c(month, year, n, x) AS (SELECT year, month, n, x FROM t) SELECT * FROM c WHERE {0}",
    "WITH c AS (SELECT * FROM t) SELECT year, n FROM c WHERE {0} UNION ALL SELECT month, n FROM c WHERE {1}",
    "WITH c AS (SELECT * FROM t), d AS (SELECT * FROM c WHERE {1}) SELECT * FROM d WHERE {0}",
    "WITH c AS (SELECT * FROM t) SELECT * FROM (SELECT * FROM c WHERE {0}) a WHERE x IN (SELECT x FROM c WHERE {1})",
    "SELECT * FROM (SELECT month AS year, year AS month, n, x FROM t) q WHERE {0}",
    "SELECT * FROM (SELECT month, year, n, x FROM t) q(year, month, n, x) WHERE {0}",
    "SELECT * FROM (SELECT year, month, n, MAX(x) AS x, COUNT(*) AS c FROM t GROUP BY year, month, n) q WHERE {0}",
    "SELECT * FROM (SELECT year, MAX(month) AS month, MIN(n) AS n, MIN(x) AS x FROM t GROUP BY 1) q WHERE {0}",
    "SELECT * FROM (SELECT year, month, n, MAX(x) AS x FROM t GROUP BY CUBE (year, month, n)) q WHERE {0}",
    "SELECT * FROM (SELECT MAX(year) AS year, MIN(month) AS month, 1 AS n, 'a' AS x FROM t) q WHERE {0}",
    "SELECT * FROM (SELECT DISTINCT year, month, n, x FROM t) q WHERE {0}",
    "SELECT * FROM (SELECT * FROM t ORDER BY year, month, n, x LIMIT 7) q WHERE {0}",
    "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY year ORDER BY month, n, x) r FROM t) q WHERE {0}",
    "SELECT * FROM (SELECT year, month, n, x FROM t UNION ALL SELECT '2026', year, n, x FROM t) q WHERE {0}",
    "SELECT * FROM (SELECT year, month, n, x FROM t EXCEPT SELECT month, year, n, x FROM t WHERE {1}) q WHERE {0}",
    "SELECT year, month, n, x FROM (VALUES '2025', '2027') v(y) LEFT JOIN (SELECT * FROM t) q ON year = y WHERE {0}",
    "SELECT year, month, n, x FROM (SELECT * FROM t) q FULL JOIN (VALUES '2025', '2027') v(y) ON year = y WHERE {0}",
    "SELECT q.year, q.month, r FROM (SELECT * FROM t) q JOIN (SELECT year AS r FROM t) s ON q.year = s.r WHERE {0}",
    "SELECT year, month, n, x FROM (t CROSS JOIN (VALUES 'p', 'q') AS v(y)) WHERE {0}",
    "SELECT year, month, n, x FROM (t LEFT JOIN (VALUES '2025') AS v(y) ON year = y) WHERE {0}",
    "SELECT * FROM (SELECT * FROM (SELECT year, month, n, x FROM t WHERE {1}) a) b WHERE {0}",
    "SELECT * FROM (SELECT COALESCE(year, '2026') AS year, CONCAT(month, '') AS month, n, x FROM t) q WHERE {0}",
)


@pytest.fixture(scope="module")
def connection():
    connection = duckdb.connect()
    rows = [(*partition.values, x) for partition in PARTITIONS for x in ("1", "2", None)]
    connection.execute("CREATE TABLE t (year VARCHAR, month VARCHAR, n INTEGER, x VARCHAR)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    for definition in definitions(" ".join(MACROS)):
        connection.execute(definition)
    return connection


def pruned(connection, sql):
    """Return the statement with each table replaced by the rows of its kept partitions, and how many each kept."""
    statement = parse(sql)
    kept = []
    for table in [table for table in statement.find_all(exp.Table) if definition_of(table) is None]:
        conjuncts = conjuncts_for(table.find_ancestor(exp.Select), table.alias_or_name, KEYS)
        predicates = [to_duckdb(part, sql)[0] for part in conjuncts.predicates]
        left = prune(connection, PARTITIONS, KEYS, predicates, conjuncts.outer)
        kept.append((table, left))
    for table, left in kept:
        rows = ", ".join(f"('{year}', '{month}', {n})" for year, month, n in (each.values for each in left))
        where = f"(year, month, n) IN ({rows})" if left else "1 = 0"
        replacement = parse(f"SELECT 1 FROM (SELECT * FROM t WHERE {where}) AS t").find(exp.Subquery)
        if table.args.get("joins"):
            replacement.set("joins", table.args["joins"])
        table.replace(replacement)
    return statement, [len(left) for _, left in kept]


def answer(connection, statement, sql):
    return sorted(connection.execute(to_duckdb(statement, sql)[0]).fetchall(), key=repr)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SHAPES), predicate, predicate)
def test_a_pruned_query_answers_as_an_unpruned_one_whatever_stands_around_its_tables(connection, shape, where, inner):
    sql = shape.format(where, inner)
    try:
        everything = answer(connection, parse(sql), sql)
    except duckdb.Error:
        return
    assert answer(connection, pruned(connection, sql)[0], sql) == everything


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("SELECT * FROM (SELECT * FROM t) q WHERE year = '2026' AND x = '1'", [6]),
        ("WITH c AS (SELECT * FROM t) SELECT * FROM c AS k WHERE k.year = '2026' AND k.month < '02'", [2]),
        ("WITH c AS (SELECT * FROM t) SELECT 1 FROM c a, c b WHERE a.year = '2026' AND b.month = '01'", [8]),
        ("SELECT * FROM (SELECT month AS m, COUNT(*) AS c FROM t GROUP BY month) WHERE m = '01' AND c > 1", [4]),
        ("SELECT * FROM (SELECT year, MAX(month) AS month FROM t GROUP BY year) WHERE month = '01'", [12]),
        ("SELECT * FROM (SELECT * FROM t LIMIT 5) WHERE year = '2026'", [12]),
        ("SELECT * FROM (SELECT year, ROW_NUMBER() OVER (ORDER BY x) r FROM t) WHERE year = '2026'", [12]),
        ("SELECT * FROM (SELECT year, ROW_NUMBER() OVER (PARTITION BY year) r FROM t) WHERE year = '2026'", [6]),
        ("SELECT * FROM (SELECT year || month AS ym FROM t) WHERE ym >= '202606'", [4]),
        ("SELECT * FROM (SELECT year AS y FROM t UNION ALL SELECT month FROM t) WHERE y = '06'", [0, 4]),
        ("SELECT * FROM t, (VALUES 1) AS v(y) WHERE year = '2026' AND y = 1", [6]),
        ("SELECT * FROM t WHERE (year = '2026' AND x = '1') OR (year = '2025' AND month = '01')", [8]),
        ("SELECT * FROM (VALUES '2026') AS v(y) LEFT JOIN t ON year = y WHERE month IS NULL", [12]),
    ],
)
def test_conditions_reach_the_table_through_what_stands_around_it(connection, sql, kept):
    assert pruned(connection, sql)[1] == kept


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT a FROM (SELECT * FROM t)", {"a"}),
        ("SELECT * FROM (SELECT * FROM t)", None),
        ("WITH c AS (SELECT * FROM t WHERE x > 1) SELECT COUNT(*) FROM c GROUP BY b", {"x", "b"}),
        ("WITH c AS (SELECT * FROM t) SELECT a FROM c UNION ALL SELECT b FROM c", {"a", "b"}),
        ("SELECT a FROM (SELECT a, b, c FROM t)", {"a"}),
        ("SELECT a FROM (SELECT DISTINCT a, b FROM t)", {"a", "b"}),
        ("SELECT a FROM (SELECT a, COUNT(b) AS n FROM t GROUP BY 1)", {"a", "b"}),
        ("SELECT k FROM (SELECT a AS k FROM t UNION ALL SELECT b AS z FROM t)", {"a"}),
        ("SELECT a FROM (SELECT a, b FROM t) q(a, b)", {"a", "b"}),
    ],
)
def test_only_columns_that_the_answer_depends_on_are_read(sql, columns):
    table = next(table for table in parse(sql).find_all(exp.Table) if definition_of(table) is None)
    assert read(table.find_ancestor(exp.Select)) == columns
