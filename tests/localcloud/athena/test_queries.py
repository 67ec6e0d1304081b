"""Queries from the client's side: the named ones, partitions, parameters, results, failures."""

import pytest

from catalog.named_queries import named_query
from tests.localcloud.athena.queries import COUNT_RAW

pytestmark = pytest.mark.local


def test_a_count_counts_every_raw_event(lake):
    rows = lake.rows(COUNT_RAW)
    assert rows[0] == ["api-gateway", "INFO", "900"]
    assert sorted(rows[1:]) == [["api-gateway", "ERROR", "300"], ["api-gateway", "WARNING", "300"]]


def test_slow_requests_come_slowest_first(lake):
    rows = lake.rows(named_query("slow-requests").sql("app_logs_db"))
    assert len(rows) == 100
    assert rows[0][1:] == ["/route/2", "1497.5", "500"]
    assert [float(row[2]) for row in rows] == sorted((float(row[2]) for row in rows), reverse=True)


def test_errors_by_hour_shows_hours_in_utc(lake):
    rows = lake.rows(named_query("errors-by-hour").sql("app_logs_db"))
    assert rows[0] == ["2026-11-21 05:00:00.000 UTC", "api-gateway", "500", "3"]
    assert sum(int(row[3]) for row in rows) == 300


def test_unnesting_a_map_sums_the_latency_histogram(lake):
    sql = (
        "SELECT k, SUM(v) AS n FROM log_minutes CROSS JOIN UNNEST(latency_histogram) AS t(k, v) "
        "WHERE day = '20' GROUP BY k ORDER BY k"
    )
    assert lake.rows(sql) == [["0", "480"], ["1", "480"], ["2", "480"], ["7", "2880"]]


def test_a_column_that_files_lack_is_null(lake):
    assert lake.rows("SELECT added_later, COUNT(*) FROM log_minutes GROUP BY 1") == [[None, "4320"]]


def test_an_empty_table_has_no_rows(lake):
    assert lake.rows("SELECT a, cardinality(b) FROM empty") == []


def test_results_are_quoted_csv_with_nulls_unquoted_and_metadata_beside(lake):
    execution = lake.run("SELECT '' AS a, CAST(NULL AS varchar) AS b, 'x\"y' AS c, 1.0E10 AS d, ARRAY[1, 2] AS e")
    key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://results/")
    body = lake.s3.get_object(Bucket="results", Key=key)["Body"].read()
    assert body == b'"a","b","c","d","e"\n"",,"x""y","1.0E10","[1, 2]"\n'
    metadata = lake.s3.get_object(Bucket="results", Key=f"{key}.metadata")["Body"].read()
    assert b"varchar" in metadata and b"double" in metadata and b"array" in metadata


def test_result_types_have_athenas_names(lake):
    sql = (
        "SELECT 1 AS i, COUNT(*) AS b, 'x' AS s, 1.5 AS d, DATE '2026-01-01' AS day, now() AS z, localtimestamp AS t, "
        "MAP(ARRAY['a'], ARRAY[1]) AS m, true AS f, CAST(ROW(1) AS ROW(x integer)) AS r, 2e0"
    )
    execution = lake.run(sql)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    page = lake.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    described = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [column["Type"] for column in described] == [
        "integer", "bigint", "varchar", "decimal", "date", "timestamp with time zone", "timestamp", "map", "boolean",
        "row", "double",
    ]  # fmt: skip
    assert described[-1]["Name"] == "_col10"


def test_pages_hold_a_thousand_rows_and_the_header_once(lake):
    identifier = lake.run("SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x)")["QueryExecutionId"]
    pages = list(lake.athena.get_paginator("get_query_results").paginate(QueryExecutionId=identifier))
    rows = [row["Data"][0]["VarCharValue"] for page in pages for row in page["ResultSet"]["Rows"]]
    assert [len(page["ResultSet"]["Rows"]) for page in pages] == [1000, 1000, 501]
    assert rows == ["x", *(str(number) for number in range(1, 2501))]


def test_scanned_bytes_are_those_of_the_pruned_objects(lake):
    def scanned(sql):
        return lake.run(sql)["Statistics"]["DataScannedInBytes"]

    listed = lake.s3.list_objects_v2(Bucket="raw", Prefix="logs/api-gateway/")["Contents"]
    sizes = {item["Key"].split("day=")[1][:2]: item["Size"] for item in listed}
    assert scanned("SELECT COUNT(*) FROM api_gateway") == sum(sizes.values())
    assert (
        scanned("SELECT level FROM api_gateway WHERE year || month || day >= '20261120'") == sizes["20"] + sizes["21"]
    )
    assert scanned("SELECT level FROM api_gateway WHERE day IN ('19', '31') OR day = '20'") == sizes["19"] + sizes["20"]
    assert scanned("SELECT level FROM api_gateway WHERE CAST(day AS integer) < 10") == 0
    assert 0 < scanned("SELECT level FROM log_minutes") < scanned("SELECT level, event_count FROM log_minutes")


def test_what_is_asked_of_a_view_or_a_cte_prunes_its_tables(lake):
    def scanned(sql):
        execution = lake.run(sql)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return execution["Statistics"]["DataScannedInBytes"]

    assert lake.run("CREATE OR REPLACE VIEW everything AS SELECT * FROM log_minutes")["Status"]["State"] == "SUCCEEDED"
    day = scanned("SELECT level, event_count FROM log_minutes WHERE day = '20'")
    assert 0 < day < scanned("SELECT level, event_count FROM log_minutes")
    assert scanned("SELECT level, event_count FROM everything WHERE day = '20'") == day
    assert scanned("WITH c AS (SELECT * FROM log_minutes) SELECT level, event_count FROM c WHERE day = '20'") == day
    view = "WITH log_minutes AS (SELECT 1 AS x) SELECT level, event_count FROM everything WHERE day = '20'"
    assert scanned(view) == day  # the name in the view is the table's, not the CTE's
    sql = "SELECT day, SUM(event_count) FROM everything GROUP BY day HAVING day <> '19' ORDER BY day"
    assert [row[0] for row in lake.rows(sql)] == ["20", "21"]


def test_a_partition_is_seen_by_the_query_that_follows_it(lake):
    from tests.localcloud.athena.conftest import JSON_SERDE, add_partition, table_input

    table = table_input("fresh", "s3://lake/fresh/", {"a": "int"}, {"day": "string"}, JSON_SERDE)
    lake.glue.create_table(DatabaseName="app_logs_db", TableInput=table)
    for day in ("19", "20", "21"):
        lake.s3.put_object(Bucket="lake", Key=f"fresh/day={day}/a.json", Body=b'{"a": 1}\n')
        add_partition(lake, table, [day])
        assert lake.rows("SELECT MAX(day) FROM fresh") == [[day]]


def test_partition_columns_have_their_values(lake):
    sql = "SELECT day, COUNT(*) FROM api_gateway WHERE level = 'ERROR' GROUP BY day ORDER BY day"
    assert lake.rows(sql) == [["19", "100"], ["20", "100"], ["21", "100"]]


def test_execution_parameters_are_literals_never_text(lake):
    hostile = "x' OR '1'='1"
    sql = "SELECT ? AS a, COUNT(*) FROM api_gateway WHERE level = ? AND day = ?"
    rows = lake.rows(sql, ExecutionParameters=["'" + hostile.replace("'", "''") + "'", "'ERROR'", "'20'"])
    assert rows == [[hostile, "100"]]


@pytest.mark.parametrize("value", ["1 OR 1=1", "level", "(SELECT 1)", "'a' || 'b'", "1; DROP TABLE x", "now()"])
def test_a_parameter_that_is_no_literal_is_refused(lake, value):
    with pytest.raises(lake.athena.exceptions.ClientError, match="must be a SQL literal"):
        lake.start("SELECT ?", ExecutionParameters=[value])


def test_failures_carry_trinos_words(lake):
    assert lake.failure("SELECT nope FROM api_gateway").startswith(
        "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"
    )
    assert lake.failure("SELECT 1 FROM nope") == (
        "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.app_logs_db.nope' does not exist"
    )
    assert lake.failure("SELECT 1 FROM other.nope").endswith("Schema 'other' does not exist")
    assert lake.failure("SELECT foo(1)") == "FUNCTION_NOT_FOUND: line 1:8: Function 'foo' not registered"
    assert lake.failure("SELECT 1 / 0") == "DIVISION_BY_ZERO: Division by zero"
    assert lake.failure("SELECT xxhash64(to_utf8('a'))").startswith("NOT_SUPPORTED: line 1:8: Function xxhash64")
    with pytest.raises(lake.athena.exceptions.ClientError, match="line 1:13: mismatched input 'WHERE'"):
        lake.start("SELECT FROM WHERE")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv_auto('/etc/hostname')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM glob('/*')",
        "SELECT getenv('HOME')",
        "SELECT current_setting('s3_secret_access_key')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM query('SELECT 1')",
        "COPY (SELECT 1) TO '/tmp/loglake-attack.csv'",
        "INSTALL spatial",
        "LOAD spatial",
        "ATTACH '/tmp/loglake-attack.db'",
        "SET threads = 64",
        "PRAGMA database_list",
        "EXPORT DATABASE '/tmp/loglake-attack'",
        "CREATE TABLE x AS SELECT * FROM read_text('/etc/hostname')",
        "SELECT error('x')",
    ],
)
def test_a_query_cannot_leave_its_box(lake, sql):
    try:
        execution = lake.run(sql)
    except lake.athena.exceptions.ClientError:
        return
    assert execution["Status"]["State"] == "FAILED"


def test_stop_ends_a_running_query_within_a_second(lake):
    import time

    numbers = "UNNEST(sequence(1, 10000)) AS {0}({0})"
    sql = "SELECT COUNT(*) FROM " + " CROSS JOIN ".join(numbers.format(name) for name in "abc") + " WHERE a * b + c = 3"
    identifier = lake.start(sql)
    while lake.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]["State"] == "QUEUED":
        time.sleep(0.01)
    time.sleep(0.5)
    started = time.monotonic()
    lake.athena.stop_query_execution(QueryExecutionId=identifier)
    execution = lake.wait(identifier)
    assert time.monotonic() - started < 1.5
    assert execution["Status"]["State"] == "CANCELLED"


def test_the_same_token_is_the_same_execution(lake):
    token = "t" * 40
    assert lake.start("SELECT 1", ClientRequestToken=token) == lake.start("SELECT 1", ClientRequestToken=token)


def test_a_result_is_reused_only_when_asked_for(lake):
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}
    first = lake.run("SELECT level FROM log_minutes LIMIT 1")
    again = lake.run("SELECT level FROM log_minutes LIMIT 1", ResultReuseConfiguration=reuse)
    other = lake.run("SELECT level FROM log_minutes LIMIT 1")
    assert again["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": True}
    assert again["ResultConfiguration"]["OutputLocation"] == first["ResultConfiguration"]["OutputLocation"]
    assert other["ResultConfiguration"]["OutputLocation"] != first["ResultConfiguration"]["OutputLocation"]


def test_the_cutoff_cancels_what_would_read_more(lake):
    lake.athena.create_work_group(
        Name="tight",
        Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://results/tight/"},
            "BytesScannedCutoffPerQuery": 10_000_000,
        },
    )
    lake.s3.put_object(Bucket="lake", Key="big/lines.json", Body=b'{"a": 1}\n' * 1_500_000)
    storage = {
        "Location": "s3://lake/big/",
        "Columns": [{"Name": "a", "Type": "int"}],
        "SerdeInfo": {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
    }
    lake.glue.create_table(DatabaseName="app_logs_db", TableInput={"Name": "big", "StorageDescriptor": storage})
    identifier = lake.athena.start_query_execution(
        QueryString="SELECT COUNT(*) FROM app_logs_db.big", WorkGroup="tight"
    )
    status = lake.wait(identifier["QueryExecutionId"])["Status"]
    assert (status["State"], status["StateChangeReason"]) == (
        "CANCELLED",
        "Query cancelled! : Bytes scanned limit was exceeded",
    )


def test_an_enforcing_workgroup_ignores_the_callers_location(lake):
    execution = lake.run("SELECT 1", ResultConfiguration={"OutputLocation": "s3://raw/elsewhere/"})
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://results/query-results/")


def test_ddl_makes_tables_that_queries_read(lake):
    lake.s3.put_object(Bucket="lake", Key="csv/dt=2026-11-20/a.csv", Body=b"id,name\n1,a\n2,\n")
    lake.s3.put_object(Bucket="lake", Key="csv/dt=2026-11-21/a.csv", Body=b"id,name\nx,c\n")
    for sql in (
        "CREATE DATABASE IF NOT EXISTS app_logs_db",
        "CREATE EXTERNAL TABLE IF NOT EXISTS people (id int, name string, tags array<struct<k:string,v:int>>) "
        "PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/csv/' "
        "TBLPROPERTIES ('skip.header.line.count'='1')",
        "MSCK REPAIR TABLE people",
        "ALTER TABLE people ADD IF NOT EXISTS PARTITION (dt = '2026-11-21')",
    ):
        assert lake.run(sql)["Status"]["State"] == "SUCCEEDED"
    assert lake.rows("SHOW PARTITIONS people") == [["dt=2026-11-20"], ["dt=2026-11-21"]]
    assert lake.rows("SELECT dt, id, name FROM people ORDER BY dt, id") == [
        ["2026-11-20", "1", "a"],
        ["2026-11-20", "2", ""],
        ["2026-11-21", None, "c"],
    ]
    assert lake.run("ALTER TABLE people DROP PARTITION (dt = '2026-11-21')")["Status"]["State"] == "SUCCEEDED"
    assert lake.rows("SELECT COUNT(*) FROM people") == [["2"]]
    assert "LOCATION" in "\n".join(row[0] for row in lake.rows("SHOW CREATE TABLE people"))
    assert lake.run("DROP TABLE people")["Status"]["State"] == "SUCCEEDED"


def test_a_prepared_statement_is_executed_with_its_values(lake):
    sql = "SELECT COUNT(*) FROM api_gateway WHERE level = ? AND day = ?"
    lake.athena.create_prepared_statement(StatementName="of_level", WorkGroup="lake", QueryStatement=sql)
    assert lake.rows("EXECUTE of_level USING 'ERROR', '20'") == [["100"]]
    assert lake.rows("EXECUTE of_level", ExecutionParameters=["'INFO'", "'20'"]) == [["300"]]


def test_show_and_describe_answer_from_the_catalog(lake):
    assert ["log_minutes"] in lake.rows("SHOW TABLES")
    assert lake.rows("SHOW PARTITIONS log_minutes")[0] == ["year=2026/month=11/day=19"]
    assert [row[0].strip() for row in lake.rows("DESCRIBE api_gateway")][:2] == ["event_id", "timestamp"]
    assert ["app_logs_db"] in lake.rows("SHOW DATABASES")


def test_formats_and_clauses_that_are_not_read_are_refused_by_name(lake):
    storage = {
        "Location": "s3://lake/orc/",
        "Columns": [{"Name": "a", "Type": "int"}],
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.orc.OrcSerde"},
    }
    lake.s3.put_object(Bucket="lake", Key="orc/a.orc", Body=b"ORC")
    lake.glue.create_table(DatabaseName="app_logs_db", TableInput={"Name": "orc", "StorageDescriptor": storage})
    assert lake.failure("SELECT * FROM orc") == (
        "NOT_SUPPORTED: Table orc is of a format that this engine does not read: ORC"
    )
    lake.s3.delete_object(Bucket="lake", Key="orc/a.orc")
    assert lake.failure("SELECT * FROM orc").startswith("NOT_SUPPORTED: Table orc is of a format")
    matched = (
        "SELECT * FROM log_minutes MATCH_RECOGNIZE (PARTITION BY service ORDER BY minute MEASURES A.minute AS m "
        "PATTERN (A+) DEFINE A AS A.level = 'ERROR')"
    )
    assert "MATCH_RECOGNIZE is not supported by this engine" in lake.failure(matched)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'. Expecting: 'SELECT', 'WITH', "),
        ("-- what\n  CREATE TABL x", "line 2:10: mismatched input 'TABL'. Expecting: 'DATABASE', "),
        ("SHOW TABLS", "line 1:6: mismatched input 'TABLS'. Expecting: "),
        ("INSERT", "line 1:7: mismatched input '<EOF>'. Expecting: 'INTO'"),
        ("SELECT level\nFROM api_gateway\nWHERE AND 1", "line 3:11: mismatched input '1'. Expecting an expression"),
        ("SELECT 1,\n  'a", "line 2:3: ' is not closed"),
        ("SELECT '/*', \"it''s\" /* x", "line 1:22: /* is not closed"),
        ("CREATE VIEW v AS\nSELECT FROM WHERE", "line 2:13: mismatched input 'WHERE'. Expected table name"),
        ("INSERT INTO empty VALUES (1", "line 1:27: mismatched input '1'. Expecting )"),
    ],
)
def test_a_syntax_error_is_refused_with_its_place(lake, sql, said):
    with pytest.raises(lake.athena.exceptions.InvalidRequestException) as refused:
        lake.run(sql)
    assert refused.value.response["Error"]["Message"].startswith(said)


@pytest.mark.parametrize(
    "sql", ["MERGE INTO logs USING x", "VACUUM logs", "DELETE FROM logs", "ALTER VIEW x AS SELECT 1"]
)
def test_what_athena_can_do_and_this_engine_cannot_is_no_syntax_error(lake, sql):
    assert lake.failure(sql).startswith("NOT_SUPPORTED: line 1:1: ")
