"""Athena's API beside queries' answers: batches, lists, statistics, tokens, metadata; one query spares the others."""

import time

import pytest

pytestmark = pytest.mark.local

STATES = ("QUEUED", "RUNNING", "SUCCEEDED")


def message(data):
    """Return the fields of a protobuf message: [(number, value)], lengths and varints only."""
    fields, place = [], 0

    def number():
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        tag = number()
        if tag & 7 == 0:
            fields.append((tag >> 3, number()))
        else:
            assert tag & 7 == 2
            length = number()
            fields.append((tag >> 3, data[place : place + length]))
            place += length
    return fields


def test_the_metadata_object_is_what_athenas_drivers_parse(lake):
    sql = "SELECT 1 AS i, 'x' AS s, CAST(1.5 AS decimal(10,2)) AS d, ARRAY[1] AS a, now() AS t"
    location = lake.run(sql)["ResultConfiguration"]["OutputLocation"]
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body = lake.s3.get_object(Bucket=bucket, Key=f"{key}.metadata")["Body"].read()
    columns = [dict(message(value)) for number, value in message(body) if number == 4]
    assert [(each[1], each[4], each[5], each[6], each[7], each[8]) for each in columns] == [
        (b"hive", b"i", b"i", b"integer", 10, 0),
        (b"hive", b"s", b"s", b"varchar", 2147483647, 0),
        (b"hive", b"d", b"d", b"decimal", 10, 2),
        (b"hive", b"a", b"a", b"array", 0, 0),
        (b"hive", b"t", b"t", b"timestamp with time zone", 3, 0),
    ]
    assert [each[10] for each in columns] == [0, 1, 0, 0, 0]


def test_states_go_forward_and_statistics_are_told(lake):
    identifier = lake.start("SELECT COUNT(*) FROM UNNEST(sequence(1, 200000)) AS t(x)")
    seen = []
    while not seen or seen[-1] in {"QUEUED", "RUNNING"}:
        execution = lake.athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
        seen.append(execution["Status"]["State"])
        time.sleep(0.01)
    places = [STATES.index(state) for state in seen]
    assert places == sorted(places) and seen[-1] == "SUCCEEDED"
    told = lake.athena.get_query_runtime_statistics(QueryExecutionId=identifier)["QueryRuntimeStatistics"]
    assert (told["Rows"]["OutputRows"], told["Rows"]["InputBytes"]) == (1, 0)
    assert told["Timeline"]["TotalExecutionTimeInMillis"] >= told["Timeline"]["EngineExecutionTimeInMillis"]
    assert execution["Status"]["CompletionDateTime"] >= execution["Status"]["SubmissionDateTime"]


def test_executions_are_batched_and_listed_newest_first(lake):
    first, second = (lake.run(f"SELECT {number}")["QueryExecutionId"] for number in (1, 2))
    unknown = "00000000-0000-0000-0000-000000000000"
    answer = lake.athena.batch_get_query_execution(QueryExecutionIds=[first, unknown, second])
    assert [each["Query"] for each in answer["QueryExecutions"]] == ["SELECT 1", "SELECT 2"]
    assert answer["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"] == unknown
    pages = lake.athena.get_paginator("list_query_executions").paginate(
        WorkGroup="lake", PaginationConfig={"PageSize": 1, "MaxItems": 3}
    )
    listed = [identifier for page in pages for identifier in page["QueryExecutionIds"]]
    assert listed[:2] == [second, first]
    assert len(listed) == 3


def test_a_token_with_another_query_is_refused(lake):
    lake.start("SELECT 1", ClientRequestToken="u" * 40)
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match="Idempotent parameters do not match"):
        lake.start("SELECT 2", ClientRequestToken="u" * 40)


def test_results_of_what_did_not_succeed_are_refused(lake):
    failed = lake.run("SELECT 1 / 0")
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match="Final query state: FAILED"):
        lake.athena.get_query_results(QueryExecutionId=failed["QueryExecutionId"])
    assert failed["Status"]["AthenaError"]["ErrorCategory"] == 2
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match="was not found"):
        lake.athena.get_query_execution(QueryExecutionId="00000000-0000-0000-0000-000000000001")


def test_named_queries_and_prepared_statements_are_kept_and_batched(lake):
    made = lake.athena.create_named_query(
        Name="ones", Database="app_logs_db", QueryString="SELECT 1", WorkGroup="lake", Description="one"
    )["NamedQueryId"]
    assert made in lake.athena.list_named_queries(WorkGroup="lake")["NamedQueryIds"]
    batch = lake.athena.batch_get_named_query(NamedQueryIds=[made])["NamedQueries"]
    assert [(each["Name"], each["QueryString"]) for each in batch] == [("ones", "SELECT 1")]
    lake.athena.update_named_query(NamedQueryId=made, Name="twos", QueryString="SELECT 2")
    assert lake.athena.get_named_query(NamedQueryId=made)["NamedQuery"]["QueryString"] == "SELECT 2"
    lake.athena.delete_named_query(NamedQueryId=made)
    assert made not in lake.athena.list_named_queries(WorkGroup="lake")["NamedQueryIds"]
    for name in ("p1", "p2"):
        lake.athena.create_prepared_statement(StatementName=name, WorkGroup="lake", QueryStatement="SELECT ?")
    lake.athena.update_prepared_statement(StatementName="p2", WorkGroup="lake", QueryStatement="SELECT ? + 1")
    answer = lake.athena.batch_get_prepared_statement(WorkGroup="lake", PreparedStatementNames=["p1", "p2", "p3"])
    assert [each["QueryStatement"] for each in answer["PreparedStatements"]] == ["SELECT ?", "SELECT ? + 1"]
    assert [each["StatementName"] for each in answer["UnprocessedPreparedStatementNames"]] == ["p3"]
    names = [
        each["StatementName"] for each in lake.athena.list_prepared_statements(WorkGroup="lake")["PreparedStatements"]
    ]
    assert {"p1", "p2"} <= set(names)
    assert lake.rows("EXECUTE p2 USING 41") == [["42"]]
    lake.athena.delete_prepared_statement(StatementName="p1", WorkGroup="lake")
    with pytest.raises(lake.athena.exceptions.InvalidRequestException, match="PreparedStatement p1 was not found"):
        lake.start("EXECUTE p1 USING 1")


def test_the_catalog_is_described(lake):
    versions = lake.athena.list_engine_versions()["EngineVersions"]
    assert [each["EffectiveEngineVersion"] for each in versions] == ["Athena engine version 3"]
    assert "AwsDataCatalog" in [each["CatalogName"] for each in lake.athena.list_data_catalogs()["DataCatalogsSummary"]]
    assert "lake" in [each["Name"] for each in lake.athena.list_work_groups()["WorkGroups"]]
    names = [each["Name"] for each in lake.athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]]
    assert "app_logs_db" in names
    named = {"CatalogName": "AwsDataCatalog", "DatabaseName": "app_logs_db"}
    listed = lake.athena.list_table_metadata(**named, Expression="log.*")["TableMetadataList"]
    assert "log_minutes" in [each["Name"] for each in listed]
    found = lake.athena.get_table_metadata(**named, TableName="api_gateway")["TableMetadata"]
    assert [key["Name"] for key in found["PartitionKeys"]] == ["year", "month", "day"]
    with pytest.raises(lake.athena.exceptions.MetadataException):
        lake.athena.get_table_metadata(**named, TableName="nope")


def test_a_query_out_of_memory_fails_alone(lake):
    numbers = "UNNEST(sequence(1, {})) AS {}({})"
    hoard = (
        f"SELECT cardinality(array_agg(a * 100000 + b)) FROM {numbers.format(9000, 't', 'a')} "
        f"CROSS JOIN {numbers.format(10000, 'u', 'b')}"
    )
    identifier = lake.start(hoard)
    assert lake.rows("SELECT COUNT(*) FROM api_gateway WHERE day = '20'") == [["500"]]
    status = lake.wait(identifier)["Status"]
    assert status["State"] == "FAILED"
    assert status["StateChangeReason"].startswith("EXCEEDED_LOCAL_MEMORY_LIMIT: ")
    assert lake.rows("SELECT COUNT(*) FROM api_gateway WHERE day = '21'") == [["500"]]


def test_queries_that_run_on_and_on_do_not_stop_another(lake):
    numbers = "UNNEST(sequence(1, 10000)) AS {0}({0})"
    endless = (
        "SELECT COUNT(*) FROM " + " CROSS JOIN ".join(numbers.format(name) for name in "abc") + " WHERE a * b + c = 5"
    )
    running = [lake.start(endless) for _ in range(3)]
    try:
        assert lake.rows("SELECT COUNT(*) FROM api_gateway WHERE day = '20'") == [["500"]]
    finally:
        for identifier in running:
            lake.athena.stop_query_execution(QueryExecutionId=identifier)
    assert {lake.wait(identifier)["Status"]["State"] for identifier in running} == {"CANCELLED"}
