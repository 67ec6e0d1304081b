"""Two stacks with databases of their own on one endpoint: each sees its own data, and one outlives the other."""

import csv
import gzip
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog import athena
from catalog.named_queries import named_queries, named_query
from catalog.settings import Settings
from dashboard.athena import Athena, read_csv
from dashboard.broker import open_cache
from dashboard.lake import Lake
from dashboard.statements import Statement
from tests.conftest import EndpointProcess

pytestmark = [pytest.mark.local, pytest.mark.timeout(600)]

STACKS = ("alder", "birch")
NAMED_WITHIN = ("AWS::Glue::Table", "AWS::Logs::LogStream")
"""Types whose name is one within another resource of the stack."""
PARAMETERS = {"trace-lookup": ("'trace-{stack}'",), "new-error-types": ("2020-01-01",), "deploy-comparison": ("{now}",)}
NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)


class Pair:
    """The endpoint with both stacks deployed, and how to call a command on one of them."""

    def __init__(self, endpoint: EndpointProcess) -> None:
        self.endpoint = endpoint

    def run(self, stack: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = self.endpoint.environment() | {"LOGLAKE_STACK": stack}
        command = [sys.executable, "-m", "loglake", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)

    def succeed(self, stack: str, *arguments: str) -> str:
        done = self.run(stack, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def settings(self, stack: str) -> Settings:
        return Settings(stack, {}, self.endpoint.client("cloudformation"))

    def ask(self, stack: str, *arguments: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.succeed(stack, "query", *arguments, "--format", "csv"))))

    def fill(self, stack: str) -> None:
        """Give the stack a raw event, a curated one and a minute, all of a service that is called after it."""
        event = {"timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S}.000Z", "level": "ERROR", "service": stack, "status_code": 500}
        event |= {"client_ip": stack, "endpoint": f"/{stack}", "response_time_ms": 2000.5, "response_bytes": 1}
        key = f"logs/api-gateway/year={NOW:%Y}/month={NOW:%m}/day={NOW:%d}/one.json.gz"
        body = gzip.compress(json.dumps(event).encode() + b"\n")
        self.endpoint.client("s3").put_object(Bucket=self.settings(stack).raw_bucket, Key=key, Body=body)
        self.succeed(stack, "crawl")
        client, database = self.endpoint.client("athena"), self.settings(stack).database
        at, day = f"TIMESTAMP '{NOW:%Y-%m-%d %H:%M:%S}'", f"'{NOW:%Y}', '{NOW:%m}', '{NOW:%d}'"
        for insert in (
            f"logs (timestamp, level, trace_id, user_id, error_type, received_at, service, year, month, day) "
            f"VALUES ({at}, 'ERROR', 'trace-{stack}', '{stack}', '{stack}', {at} + INTERVAL '1' HOUR, "
            f"'{stack}', {day})",
            f"log_minutes (minute, service, level, status_class, endpoint, event_count, response_time_ms_sum, "
            f"response_time_ms_max, latency_histogram, year, month, day) VALUES ({at}, '{stack}', 'ERROR', '5xx', "
            f"'/{stack}', 1, 1e0, 1e0, MAP(ARRAY[CAST(1 AS integer)], ARRAY[CAST(1 AS bigint)]), {day})",
            f"rejects (reason, rejected_at, source_object, year, month, day) VALUES "
            f"('{stack}', {at}, '{stack}', {day})",
            f"runs (run_id, started_at, finished_at) VALUES ('{stack}', {at}, {at})",
        ):
            started = athena.start(client, f"INSERT INTO {insert}", database, stack)
            athena.wait(client, started, lambda *_: None)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    endpoint = EndpointProcess(tmp_path_factory.mktemp("two")).start()
    found = Pair(endpoint)
    try:
        found.succeed("alder", "deploy", "--yes")
        found.succeed("birch", "deploy", "--yes", "--parameter", "DatabaseName=other_db")
        for stack in STACKS:
            found.fill(stack)
        yield found
    finally:
        endpoint.stop()


def test_no_resource_of_one_stack_is_the_others(pair: Pair) -> None:
    cloudformation = pair.endpoint.client("cloudformation")
    names = []
    for stack in STACKS:
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        found = [r for page in pages for r in page["StackResourceSummaries"]]
        names.append(
            {(r["ResourceType"], r["PhysicalResourceId"]) for r in found if r["ResourceType"] not in NAMED_WITHIN}
        )
    assert names[0] & names[1] == set()


@pytest.mark.parametrize("name", [query.name for query in named_queries()])
def test_a_named_query_sees_its_own_stack_alone(pair: Pair, name: str) -> None:
    for stack, other in (STACKS, STACKS[::-1]):
        given = [text.format(stack=stack, now=f"{NOW:%Y-%m-%d %H:%M:%S}") for text in PARAMETERS.get(name, ())]
        rows = pair.ask(stack, name, *(f"--param={value}" for value in given))
        assert len(rows) == 1, (name, stack, rows)
        assert other not in str(rows), (name, stack)


def test_a_saved_query_of_athena_asks_its_own_stacks_database(pair: Pair) -> None:
    client = pair.endpoint.client("athena")
    for stack in STACKS:
        ids = client.list_named_queries(WorkGroup=stack)["NamedQueryIds"]
        saved = client.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]
        database = pair.settings(stack).database
        assert {one["Name"]: one["QueryString"] for one in saved} == {q.name: q.sql(database) for q in named_queries()}


@pytest.mark.parametrize("stack", STACKS)
def test_a_dashboard_reads_its_own_stack_alone(pair: Pair, stack: str, tmp_path: Path, monkeypatch: Any) -> None:
    for name, value in pair.endpoint.environment().items():
        monkeypatch.setenv(name, value)
    settings = pair.settings(stack)
    lake = Lake(Athena(settings), open_cache(str(tmp_path)))
    sql = named_query("volume-by-service").sql(lake.engine.database)
    answer = lake.ask(Statement(sql), "viewer", 0.0, 40.0)
    assert [row[0] for row in read_csv(answer.content or b"")[1]] == [stack]
    assert {"logs", "log_minutes", "rejects", "runs", "api_gateway"} == set(lake.tables())


def test_a_dropped_table_is_missed_and_made_again_with_its_objects(pair: Pair) -> None:
    refused = pair.run("birch", "query", "DROP TABLE runs")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(pair.ask("birch", "job-runs")) == 1
    pair.succeed("birch", "query", "--yes", "DROP TABLE runs")
    seen = pair.run("birch", "diff")
    assert seen.returncode == 1
    assert seen.stdout.startswith("Missing: RunsTable (Glue::Table): queries of it and every run of the job fail; ")
    pair.succeed("birch", "deploy", "--yes")
    assert [row["run_id"] for row in pair.ask("birch", "job-runs")] == ["birch"]


def test_destroying_one_stack_leaves_the_other_whole(pair: Pair) -> None:
    pair.succeed("birch", "destroy", "--yes", "--delete-data")
    time.sleep(0.5)
    assert [row["service"] for row in pair.ask("alder", "volume-by-service")] == ["alder"]
    assert [row["service"] for row in pair.ask("alder", "count-by-level")] == ["alder"]
    assert pair.succeed("alder", "diff").startswith("No difference")
