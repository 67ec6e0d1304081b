"""Statements that write: INSERT INTO, CREATE TABLE AS, UNLOAD, views, EXPLAIN."""

import gzip
import io
import json

import pyarrow.parquet as pq
import pytest

pytestmark = pytest.mark.local


def succeed(lake, sql, **options):
    execution = lake.run(sql, **options)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
    return execution


def keys_under(lake, prefix, bucket="lake"):
    return [found["Key"] for found in lake.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]


def body(lake, key, bucket="lake"):
    return lake.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_a_table_made_by_a_query_holds_its_rows(lake):
    made = succeed(
        lake, "CREATE TABLE made AS SELECT level, COUNT(*) AS n, ARRAY[1] AS a FROM api_gateway GROUP BY level"
    )
    identifier = made["QueryExecutionId"]
    assert (made["StatementType"], made["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    assert made["ResultConfiguration"]["OutputLocation"] == f"s3://results/query-results/tables/{identifier}"
    assert made["Statistics"]["DataScannedInBytes"] > 0
    assert lake.rows("SELECT level, n, a FROM made ORDER BY level") == [
        ["ERROR", "300", "[1]"], ["INFO", "900", "[1]"], ["WARNING", "300", "[1]"],
    ]  # fmt: skip
    table = lake.glue.get_table(DatabaseName="app_logs_db", Name="made")["Table"]
    assert [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]] == [
        ("level", "string"), ("n", "bigint"), ("a", "array<int>"),
    ]  # fmt: skip
    assert lake.athena.get_query_results(QueryExecutionId=identifier)["UpdateCount"] == 3
    manifest = made["Statistics"]["DataManifestLocation"].removeprefix("s3://results/")
    listed = body(lake, manifest, "results").decode().splitlines()
    data = [f"s3://results/{key}" for key in keys_under(lake, f"query-results/tables/{identifier}/", "results")]
    assert listed == data and len(data) == 1
    assert lake.failure("CREATE TABLE made AS SELECT 1 AS a") == (
        "TABLE_ALREADY_EXISTS: line 1:1: Table 'awsdatacatalog.app_logs_db.made' already exists"
    )
    succeed(lake, "CREATE TABLE IF NOT EXISTS made AS SELECT 1 AS a")
    assert lake.rows("SELECT COUNT(*) FROM made") == [["3"]]


def test_a_partitioned_json_table_is_made_in_folders(lake):
    sql = (
        "CREATE TABLE by_level WITH (format = 'JSON', partitioned_by = ARRAY['level'], write_compression = 'GZIP') AS "
        "SELECT endpoint, response_time_ms, IF(level = 'INFO', NULL, level || ':1') AS level FROM api_gateway "
        "WHERE day = ?"
    )
    succeed(lake, sql, ExecutionParameters=["'20'"])
    assert lake.rows("SELECT level, COUNT(*), MAX(response_time_ms) FROM by_level GROUP BY level ORDER BY level") == [
        ["ERROR:1", "100", "1497.5"], ["WARNING:1", "100", "1494.5"], [None, "300", "1491.5"],
    ]  # fmt: skip
    assert lake.rows("SELECT COUNT(*) FROM by_level WHERE level = 'ERROR:1'") == [["100"]]
    assert lake.rows("SELECT COUNT(*) FROM by_level WHERE level IS NULL") == [["300"]]
    assert sorted(row[0] for row in lake.rows("SHOW PARTITIONS by_level")) == [
        "level=ERROR:1", "level=WARNING:1", "level=__HIVE_DEFAULT_PARTITION__",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "failure"),
    [
        ("CREATE TABLE x WITH (format = 'ORC') AS SELECT 1 AS a", "NOT_SUPPORTED: line 1:1: the format ORC"),
        ("CREATE TABLE x WITH (bucketed_by = ARRAY['a']) AS SELECT 1 AS a", "NOT_SUPPORTED: line 1:1: the property"),
        ("CREATE TABLE x WITH (table_type = 'ICEBERG') AS SELECT 1 AS a", "NOT_SUPPORTED: line 1:1: the property"),
        ("CREATE TABLE x WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b", "HIVE_COLUMN_ORDER_MISMATCH"),
        ("CREATE TABLE x AS SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'a'"),
        ("CREATE TABLE x AS SELECT now() AS a", "NOT_SUPPORTED: Unsupported Hive type: timestamp with time zone"),
        ("CREATE TABLE nowhere.x AS SELECT 1 AS a", "SCHEMA_NOT_FOUND: line 1:1: Schema 'nowhere' does not exist"),
        (
            "CREATE TABLE x WITH (external_location = 's3://lake/x/') AS SELECT 1 AS a",
            "INVALID_TABLE_PROPERTY: The Create Table As Select query failed because it was submitted with an",
        ),
        (
            "CREATE TABLE x WITH (partitioned_by = ARRAY['b']) AS SELECT 1 AS a, b FROM UNNEST(sequence(1, 101)) t(b)",
            "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers",
        ),
    ],
)
def test_a_table_that_cannot_be_made_is_refused(lake, sql, failure):
    assert lake.failure(sql).startswith(failure)


def test_insert_adds_rows_and_partitions(lake):
    succeed(lake, "CREATE TABLE grows WITH (partitioned_by = ARRAY['day']) AS SELECT 1 AS a, 'x' AS b, '20' AS day")
    added = succeed(lake, "INSERT INTO grows SELECT 2, NULL, '21' UNION ALL SELECT 3, 'y', '20'")
    assert (added["StatementType"], added["SubstatementType"]) == ("DML", "INSERT")
    succeed(lake, "INSERT INTO app_logs_db.grows (day, a) VALUES ('22', 4)")
    assert lake.rows("SELECT a, b, day FROM grows ORDER BY a") == [
        ["1", "x", "20"], ["2", None, "21"], ["3", "y", "20"], ["4", None, "22"],
    ]  # fmt: skip
    assert lake.rows("SHOW PARTITIONS grows") == [["day=20"], ["day=21"], ["day=22"]]


def test_insert_checks_names_and_types(lake):
    assert lake.failure("INSERT INTO empty SELECT 'x', NULL") == (
        "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer, map(varchar, integer)], "
        "Query: [varchar, unknown]"
    )
    assert lake.failure("INSERT INTO empty SELECT 1").startswith("TYPE_MISMATCH: ")
    assert lake.failure("INSERT INTO empty (z) SELECT 1").endswith("does not exist in target table: z")
    assert lake.failure("INSERT INTO absent SELECT 1").startswith("TABLE_NOT_FOUND: ")


def test_insert_writes_csv_that_reads_back(lake):
    succeed(
        lake,
        "CREATE EXTERNAL TABLE lines (id int, name string, at timestamp) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' "
        "LOCATION 's3://lake/lines/'",
    )
    succeed(lake, "INSERT INTO lines VALUES (1, 'a,b', TIMESTAMP '2026-11-21 10:00:00'), (2, NULL, NULL)")
    assert lake.rows("SELECT * FROM lines ORDER BY id") == [["1", "a,b", "2026-11-21 10:00:00.000"], ["2", None, None]]
    (key,) = keys_under(lake, "lines/")
    assert gzip.decompress(body(lake, key)) == b"1|a,b|2026-11-21 10:00:00.000\n2|\\N|\\N\n"


def test_unload_writes_files_and_a_manifest_where_there_was_nothing(lake):
    query = "SELECT level, SUM(event_count) AS n FROM log_minutes GROUP BY level"
    sql = f"UNLOAD ({query}) TO 's3://lake/out/p/' WITH (format = 'PARQUET', compression = 'SNAPPY')"
    unloaded = succeed(lake, sql)
    (key,) = keys_under(lake, "out/p/")
    rows = pq.read_table(io.BytesIO(body(lake, key))).to_pylist()
    assert sorted(row["level"] for row in rows) == ["ERROR", "INFO", "WARNING"]
    manifest = unloaded["Statistics"]["DataManifestLocation"].removeprefix("s3://results/")
    assert body(lake, manifest, "results").decode() == f"s3://lake/{key}\n"
    assert lake.failure(sql) == (
        "HIVE_PATH_ALREADY_EXISTS: Target directory for UNLOAD already exists: s3://lake/out/p/"
    )


def test_unload_writes_json_and_text(lake):
    query = "(SELECT 'a\"b' AS s, CAST(NULL AS integer) AS i, MAP(ARRAY['k'], ARRAY[1]) AS m)"
    succeed(lake, f"UNLOAD {query} TO 's3://lake/out/j' WITH (format = 'json', compression = 'none')")
    (key,) = keys_under(lake, "out/j/")
    assert json.loads(body(lake, key)) == {"s": 'a"b', "i": None, "m": {"k": 1}}
    options = "WITH (format='TEXTFILE', field_delimiter=',')"
    sql = f"UNLOAD (SELECT 1e10 AS a, NULL AS b, true AS c) TO 's3://lake/out/t' {options}"
    assert "Unsupported Hive type: unknown" in lake.failure(sql)
    succeed(lake, sql.replace("NULL AS b", "'x' AS b"))
    (key,) = keys_under(lake, "out/t/")
    assert gzip.decompress(body(lake, key)) == b"1.0E10,x,true\n"
    assert lake.failure("UNLOAD (SELECT 1 AS a) TO 's3://lake/out/a' WITH (format = 'AVRO')").startswith(
        "NOT_SUPPORTED"
    )
    with pytest.raises(lake.athena.exceptions.ClientError, match="Expecting: UNLOAD"):
        lake.start("UNLOAD (SELECT 1 AS a) INTO 's3://lake/out/a'")


def test_a_view_is_kept_as_athena_keeps_it(lake):
    moment = "from_iso8601_timestamp(timestamp) AS at"
    succeed(lake, f"CREATE VIEW errors AS SELECT level, {moment}, day FROM api_gateway WHERE level = 'ERROR'")
    table = lake.glue.get_table(DatabaseName="app_logs_db", Name="errors")["Table"]
    assert table["TableType"] == "VIRTUAL_VIEW"
    assert table["ViewOriginalText"].startswith("/* Presto View: ") and table["ViewExpandedText"] == "/* Presto View */"
    assert lake.rows("SELECT COUNT(*) FROM errors WHERE day = '20'") == [["100"]]
    assert lake.failure("CREATE VIEW errors AS SELECT 1 AS a").startswith("VIEW_ALREADY_EXISTS: ")
    assert lake.failure("CREATE OR REPLACE VIEW api_gateway AS SELECT 1 AS a").startswith("TABLE_ALREADY_EXISTS: ")
    assert lake.failure("DROP TABLE errors").startswith("TABLE_NOT_FOUND: ")
    assert lake.failure("DROP VIEW api_gateway").startswith("TABLE_NOT_FOUND: ")
    assert (
        lake.failure("INSERT INTO errors SELECT 1") == "NOT_SUPPORTED: line 1:1: Inserting into views is not supported"
    )
    succeed(lake, "CREATE OR REPLACE VIEW errors AS SELECT 'new' AS what")
    assert lake.rows("SELECT * FROM errors") == [["new"]]
    assert ["errors"] in lake.rows("SHOW VIEWS")
    assert lake.rows("SHOW CREATE VIEW errors") == [['CREATE VIEW "errors" AS'], ["SELECT 'new' AS what"]]
    succeed(lake, "DROP VIEW errors")
    assert lake.failure("SELECT * FROM errors").startswith("TABLE_NOT_FOUND: ")


def test_explain_shows_a_plan_and_reads_nothing(lake):
    explained = succeed(lake, "EXPLAIN SELECT level, COUNT(*) FROM api_gateway GROUP BY level")
    assert (explained["StatementType"], explained["SubstatementType"]) == ("UTILITY", "EXPLAIN")
    assert explained["Statistics"]["DataScannedInBytes"] == 0
    text = "\n".join(
        row[0] or "" for row in lake.rows("EXPLAIN SELECT level, COUNT(*) FROM api_gateway GROUP BY level")
    )
    assert "GROUP_BY" in text and "READ_JSON" in text
    assert lake.failure("EXPLAIN SELECT nope FROM api_gateway").startswith("COLUMN_NOT_FOUND")
    assert succeed(lake, "EXPLAIN ANALYZE SELECT level FROM api_gateway")["Statistics"]["DataScannedInBytes"] > 0


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE x AS SELECT * FROM read_text('/etc/hostname')",
        "UNLOAD (SELECT 1 AS a) TO '/tmp/loglake-attack/' WITH (format = 'PARQUET')",
        "UNLOAD (SELECT 1 AS a) TO 'file:///tmp/loglake-attack/' WITH (format = 'PARQUET')",
        "UNLOAD (COPY (SELECT 1) TO '/tmp/x') TO 's3://lake/attack/' WITH (format = 'PARQUET')",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/loglake-attack.csv'",
        "EXPLAIN ANALYZE INSTALL spatial",
        "CREATE VIEW v AS INSTALL spatial",
        "INSERT INTO empty DROP TABLE empty",
        "UNLOAD (SELECT 1 AS a) TO 's3://lake/attack/' WITH (format = 'PARQUET', compression = 'gzip, X (a)')",
    ],
)
def test_a_writing_statement_cannot_leave_its_box(lake, sql):
    try:
        execution = lake.run(sql)
    except lake.athena.exceptions.ClientError:
        return
    assert execution["Status"]["State"] == "FAILED"
