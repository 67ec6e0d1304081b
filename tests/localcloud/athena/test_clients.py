"""The clients people use with Athena, pointed at the endpoint: PyAthena's cursors, the AWS CLI, `loglake query`."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.named_queries import named_query
from tests.localcloud.athena.queries import COUNT_RAW

pytestmark = pytest.mark.local

ROOT = Path(__file__).parents[3]
GIVEN = ("count-by-level", "slow-requests", "errors-by-hour")


@pytest.fixture
def environment(lake, monkeypatch):
    values = {
        "AWS_ENDPOINT_URL": lake.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "LOGLAKE_DATABASE": "app_logs_db",
        "LOGLAKE_WORK_GROUP": "lake",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return {**os.environ, **values}


def connection():
    from pyathena import connect

    return connect(work_group="lake", schema_name="app_logs_db", region_name="us-east-1", poll_interval=0.05)


@pytest.mark.parametrize("name", GIVEN)
def test_pyathena_answers_the_given_queries(environment, lake, name):
    cursor = connection().cursor()
    rows = cursor.execute(named_query(name).sql("app_logs_db")).fetchall()
    assert [row[-1] for row in rows] == [int(row[-1]) for row in lake.rows(named_query(name).sql("app_logs_db"))]


def test_pyathenas_pandas_cursor_reads_the_result_object(environment):
    from pyathena.pandas.cursor import PandasCursor

    frame = connection().cursor(PandasCursor).execute(COUNT_RAW).as_pandas()
    assert frame["count"].tolist() == [900, 300, 300]


def test_pyathenas_dict_and_async_cursors_answer(environment):
    from pyathena.async_cursor import AsyncDictCursor
    from pyathena.cursor import DictCursor

    sql = COUNT_RAW
    first = connection().cursor(DictCursor).execute(sql).fetchone()
    assert first == {"service": "api-gateway", "level": "INFO", "count": 900}
    _, future = connection().cursor(AsyncDictCursor).execute(sql)
    assert future.result().fetchone() == first


def test_pyathenas_arrow_cursors_read_the_result_object_and_what_was_unloaded(environment, lake, monkeypatch):
    from functools import partial

    import pyarrow.fs
    from pyathena.arrow.async_cursor import AsyncArrowCursor
    from pyathena.arrow.cursor import ArrowCursor

    # pyarrow's S3 reads no AWS_ENDPOINT_URL, and PyAthena passes it none: what docs/athena.md tells people to do
    monkeypatch.setattr(pyarrow.fs, "S3FileSystem", partial(pyarrow.fs.S3FileSystem, endpoint_override=lake.url))
    sql = COUNT_RAW
    table = connection().cursor(ArrowCursor).execute(sql).as_arrow()
    assert table.column("count").to_pylist() == [900, 300, 300]
    _, future = connection().cursor(AsyncArrowCursor).execute(sql)
    assert future.result().as_arrow().num_rows == 3
    unloaded = connection().cursor(ArrowCursor, unload=True, s3_staging_dir="s3://results/unloaded/").execute(sql)
    assert sorted(unloaded.as_arrow().column("count").to_pylist()) == [300, 300, 900]


def test_pyathenas_async_pandas_cursor_answers(environment):
    from pyathena.pandas.async_cursor import AsyncPandasCursor

    _, future = connection().cursor(AsyncPandasCursor).execute(COUNT_RAW)
    assert future.result().as_pandas()["count"].tolist() == [900, 300, 300]


def wrangler_python():
    """Return a Python that has awswrangler, ours or the one that AWSWRANGLER_PYTHON names; skip when neither has."""
    python = os.environ.get("AWSWRANGLER_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import awswrangler"], capture_output=True).returncode:
        pytest.skip("no awswrangler, which wants pyarrow before 26; name a Python that has it in AWSWRANGLER_PYTHON")
    return python


def test_awswrangler_reads_writes_and_lists(environment):
    program = Path(__file__).with_name("wrangler_session.py")
    done = subprocess.run([wrangler_python(), str(program)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    levels = [["api-gateway", "INFO", "900"], ["api-gateway", "ERROR", "300"], ["api-gateway", "WARNING", "300"]]
    assert answers["plain"] == answers["ctas"] == answers["unload"] == levels
    assert answers["parameters"] == 300
    assert answers["types"] == {"id": "bigint", "name": "string", "day": "string"}
    partitions = ["s3://lake/wrangled/day=20/", "s3://lake/wrangled/day=21/"]
    assert answers["written"] == answers["partitions"] == partitions
    assert answers["back"] == [[1, "a", "20"], [2, None, "21"], [3, "c", "21"]]
    assert {"api_gateway", "log_minutes", "wrangled"} <= set(answers["tables"])
    assert "app_logs_db" in answers["databases"]
    assert (answers["exists"], answers["gone"]) == (True, True)


def test_pyathena_binds_parameters_by_the_server(environment):
    cursor = connection().cursor()
    sql = "SELECT COUNT(*) FROM api_gateway WHERE level = ? AND response_time_ms > ?"
    assert cursor.execute(sql, ["'ERROR'", "1000"], paramstyle="qmark").fetchone() == (102,)


@pytest.mark.parametrize("name", GIVEN)
def test_the_aws_cli_answers_the_given_queries(environment, lake, name):
    if not shutil.which("aws"):
        pytest.skip("the AWS CLI is not installed")

    def aws(*arguments):
        done = subprocess.run(
            ["aws", "athena", *arguments, "--output", "json"], env=environment, capture_output=True, check=True
        )
        return json.loads(done.stdout)

    started = aws(
        "start-query-execution", "--query-string", named_query(name).sql("app_logs_db"), "--work-group", "lake"
    )
    assert lake.wait(started["QueryExecutionId"])["Status"]["State"] == "SUCCEEDED"
    answer = aws("get-query-results", "--query-execution-id", started["QueryExecutionId"], "--max-items", "3")
    assert len(answer["ResultSet"]["Rows"]) == 3


def loglake(environment, *arguments):
    return subprocess.run(
        [sys.executable, "loglake.py", "query", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.parametrize("name", GIVEN)
def test_loglake_query_answers_the_named_queries(environment, lake, name):
    done = loglake(environment, name, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(lake.rows(named_query(name).sql("app_logs_db")))
    assert " scanned · $0.00005 · " in done.stderr


def test_loglake_query_turns_parameters_into_literals(environment):
    done = loglake(environment, "SELECT ? AS a, ? AS b, ? AS c", "--param", "it's", "--param", "42", "--param", "null")
    assert done.stdout == "a,b,c\nit's,42,\n"


def test_loglake_query_fails_with_the_engines_words(environment):
    done = loglake(environment, "SELECT nope FROM api_gateway")
    assert done.returncode == 1
    assert done.stderr.startswith("QueryError: COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved")


def test_loglake_query_calls_a_syntax_error_one(environment):
    done = loglake(environment, "SELEC level FROM api_gateway")
    assert done.returncode == 1
    assert done.stderr.startswith("QueryError: syntax error: line 1:1: mismatched input 'SELEC'. Expecting: 'SELECT', ")


def test_loglake_query_says_of_a_statement_that_writes_that_it_is_done(environment, lake):
    for sql, said in (
        ("CREATE TABLE told AS SELECT level FROM api_gateway WHERE day = '20' AND level = 'ERROR'", "done, 100 rows"),
        ("INSERT INTO told SELECT 'INFO'", "done, 1 row written · "),
        ("CREATE VIEW told_too AS SELECT level FROM told", "done · 0 B scanned · $0.00000 · "),
        ("UNLOAD (SELECT level FROM told) TO 's3://lake/told-unloaded/' WITH (format = 'JSON')", "done, 101 rows"),
    ):
        done = loglake(environment, sql)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert done.stderr.startswith(said)
    assert lake.rows("SELECT COUNT(*) FROM told_too") == [["101"]]


def test_interrupting_loglake_query_stops_the_execution(environment, lake):
    numbers = "UNNEST(sequence(1, 10000)) AS {0}({0})"
    sql = "SELECT COUNT(*) FROM " + " CROSS JOIN ".join(numbers.format(name) for name in "abc") + " WHERE a * b + c = 4"
    before = set(lake.athena.list_query_executions(WorkGroup="lake")["QueryExecutionIds"])
    command = [sys.executable, "loglake.py", "query", sql]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    new: set[str] = set()
    while not new:
        time.sleep(0.1)
        new = set(lake.athena.list_query_executions(WorkGroup="lake")["QueryExecutionIds"]) - before
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    (identifier,) = new
    assert process.communicate(timeout=240)[1].strip() == "interrupted; the query was stopped"
    assert process.returncode == 130
    assert lake.wait(identifier)["Status"]["State"] == "CANCELLED"
