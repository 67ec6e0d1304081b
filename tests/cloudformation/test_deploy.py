"""Deploying, changing, redeploying and destroying on the emulator, in this order of one stack's life."""

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from catalog.named_queries import named_queries
from catalog.settings import OUTPUTS, Settings, setting_name
from cloudformation.template import CODE_PARAMETERS, declared_parameters
from tests.cloudformation.conftest import Client, Run

pytestmark = pytest.mark.local

RAW = "loglake-raw-000000000000-us-east-1"


def succeed(run: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert run.returncode == 0, run.stdout + run.stderr
    return run


def deploy_json(loglake: Run, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(succeed(loglake("deploy", "--yes", "--json", *arguments)).stdout)
    return answer


def test_a_first_deployment_gives_every_setting(deployed: None, client: Client) -> None:
    settings = Settings("loglake", {}, client("cloudformation"))
    assert all(settings.get(setting_name(name)) for name in OUTPUTS)


def test_a_second_deployment_changes_nothing(deployed: None, loglake: Run, client: Client) -> None:
    again = deploy_json(loglake)
    settings = Settings("loglake", {}, client("cloudformation"))
    assert (again["status"], again["changes"]) == ("unchanged", [])
    assert again["outputs"]["raw_bucket"] == settings.raw_bucket == RAW


def test_the_delivery_stream_is_as_declared(deployed: None, client: Client) -> None:
    stream = client("firehose").describe_delivery_stream(DeliveryStreamName="loglake-delivery-stream")
    description = stream["DeliveryStreamDescription"]
    destination = description["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert description["DeliveryStreamType"] == "KinesisStreamAsSource"
    assert destination["BufferingHints"] == {"SizeInMBs": 64, "IntervalInSeconds": 60}
    assert destination["DynamicPartitioningConfiguration"]["Enabled"] is True
    assert destination["Prefix"].startswith("logs/!{partitionKeyFromLambda:service}/year=!{partitionKeyFromLambda:")
    assert destination["CompressionFormat"] == "GZIP"
    processors = destination["ProcessingConfiguration"]["Processors"]
    assert [processor["Type"] for processor in processors] == ["Lambda", "AppendDelimiterToRecord"]


def test_the_glue_side_is_as_declared(deployed: None, client: Client) -> None:
    glue = client("glue")
    crawler, job = glue.get_crawler(Name="loglake-raw")["Crawler"], glue.get_job(JobName="loglake-curate")["Job"]
    trigger = glue.get_trigger(Name="loglake-curate")["Trigger"]
    assert json.loads(crawler["Configuration"])["Grouping"]["TableLevelConfiguration"] == 3
    assert crawler["Schedule"]["ScheduleExpression"] == "cron(0 0/6 * * ? *)"
    assert (job["GlueVersion"], job["Timeout"], job["NumberOfWorkers"]) == ("5.1", 60, 2)
    assert (
        job["DefaultArguments"].items()
        >= {
            "--task": "available-now",
            "--raw-path": f"s3://{RAW}/logs/",
            "--checkpoint-path": "s3://loglake-lake-000000000000-us-east-1/checkpoints/curate/",
            "--staging-path": "s3://loglake-lake-000000000000-us-east-1/staging/",
            "--lake-bucket": "loglake-lake-000000000000-us-east-1",
            "--database": "app_logs_db",
            "--drop-levels": "DEBUG,INFO",
            "--dedup-window-hours": "2",
            "--format": "parquet",
        }.items()
    )
    assert (trigger["State"], trigger["Schedule"]) == ("ACTIVATED", "cron(0/15 * * * ? *)")
    tables = {table["Name"] for table in glue.get_tables(DatabaseName="app_logs_db")["TableList"]}
    assert tables == {"logs", "log_minutes", "rejects", "runs"}


def test_the_code_lies_where_the_job_and_the_lambda_look(deployed: None, client: Client) -> None:
    job = client("glue").get_job(JobName="loglake-curate")["Job"]
    for uri in (job["Command"]["ScriptLocation"], job["DefaultArguments"]["--extra-py-files"]):
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        assert client("s3").head_object(Bucket=bucket, Key=key)["ContentLength"] > 100
    function = client("lambda").get_function_configuration(FunctionName="loglake-transform")
    assert function["Handler"] == "firehose.transform.handler"
    assert function["CodeSize"] > 1000


def test_the_workgroup_and_its_queries_are_as_declared(deployed: None, client: Client) -> None:
    athena = client("athena")
    configuration = athena.get_work_group(WorkGroup="loglake")["WorkGroup"]["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 10_000_000_000
    ids = athena.list_named_queries(WorkGroup="loglake")["NamedQueryIds"]
    queries = athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]
    assert {query["Name"] for query in queries} == {query.name for query in named_queries()}
    assert all('"app_logs_db".' in query["QueryString"] for query in queries)


def test_a_parameter_changes_what_it_should_and_stays(loglake: Run, deployed: None, client: Client) -> None:
    changed = deploy_json(loglake, "--parameter", "JobSchedule=cron(0 * * * ? *)")
    assert [(change["action"], change["resource"], change["properties"]) for change in changed["changes"]] == [
        ("Modify", "Trigger", ["Schedule"])
    ]
    assert deploy_json(loglake)["status"] == "unchanged"
    assert client("glue").get_trigger(Name="loglake-curate")["Trigger"]["Schedule"] == "cron(0 * * * ? *)"


def test_direct_mode_replaces_the_delivery_stream(loglake: Run, deployed: None, client: Client) -> None:
    changed = deploy_json(loglake, "--parameter", "IngestMode=direct")
    assert changed["outputs"]["stream"] == ""
    assert client("firehose").list_delivery_streams()["DeliveryStreamNames"] == ["loglake-delivery-direct"]
    assert client("kinesis").list_streams()["StreamNames"] == []
    back = deploy_json(loglake, "--parameter", "IngestMode=stream")
    assert (back["outputs"]["stream"], back["outputs"]["delivery_stream"]) == (
        "loglake-events",
        "loglake-delivery-stream",
    )


OTHER_VALUES = {
    "CrawlFirst": "true",
    "KeepSample": "INFO=0.01",
    "StreamMode": "ON_DEMAND",
    "ShardCount": "2",
    "StreamRetentionHours": "48",
    "BufferSeconds": "300",
    "BufferMegabytes": "128",
    "Masking": "user_id=hash,email=off",
    "MaskingSalt": "pepper",
    "CrawlSchedule": "cron(0 1 * * ? *)",
    "JobSchedule": "cron(0/5 * * * ? *)",
    "DropLevels": "NONE",
    "DedupWindowHours": "24",
    "GlueVersion": "6.0",
    "WorkerType": "G.2X",
    "NumberOfWorkers": "5",
    "ExecutionClass": "FLEX",
    "JobTimeoutMinutes": "30",
    "ScanCutoffBytes": "20000000",
    "RawRetentionDays": "90",
    "ErrorRetentionDays": "30",
    "ResultRetentionDays": "1",
    "LogRetentionDays": "7",
    "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555",
    "AlarmEmail": "ops@example.com",
    "FreshnessAlarmSeconds": "600",
}


def test_every_parameter_but_the_database_can_be_changed(
    loglake: Run, deployed: None, template: Mapping[str, Any]
) -> None:
    declared = declared_parameters(template)
    assert set(OTHER_VALUES) == set(declared) - {*CODE_PARAMETERS, "IngestMode", "DatabaseName"}
    given = [f"--parameter={name}={value}" for name, value in OTHER_VALUES.items()]
    changed = deploy_json(loglake, *given)
    assert changed["status"] == "updated"
    assert {"Stream", "DeliveryStream", "Crawler", "Job", "Trigger", "WorkGroup", "RawBucket", "FreshnessAlarm"} <= {
        change["resource"] for change in changed["changes"]
    }
    assert (changed["outputs"]["drop_levels"], changed["outputs"]["scan_cutoff_bytes"]) == ("NONE", "20000000")
    back = [f"--parameter={name}={declared[name].default}" for name in OTHER_VALUES]
    assert deploy_json(loglake, *back)["status"] == "updated"


def test_a_failed_update_is_rolled_back_and_explained(loglake: Run, deployed: None, client: Client) -> None:
    failed = loglake("deploy", "--yes", "--parameter", "DatabaseName=another", "--parameter", "BufferSeconds=600")
    assert failed.returncode == 1
    assert (
        "must reach a complete state; got 'UPDATE_ROLLBACK_COMPLETE': Database (AWS::Glue::Database)" in failed.stderr
    )
    stream = client("firehose").describe_delivery_stream(DeliveryStreamName="loglake-delivery-stream")
    destination = stream["DeliveryStreamDescription"]["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert destination["BufferingHints"]["IntervalInSeconds"] == 60
    assert deploy_json(loglake)["status"] == "unchanged"


def test_a_difference_is_shown_and_nothing_is_changed(loglake: Run, deployed: None) -> None:
    same = loglake("diff")
    assert (same.returncode, same.stdout) == (0, "No difference: stack loglake is as the template and the code say.\n")
    differs = loglake("diff", "--parameter", "JobTimeoutMinutes=30", "--json")
    assert differs.returncode == 1
    assert [change["resource"] for change in json.loads(differs.stdout)["changes"]] == ["Job"]
    assert loglake("diff").returncode == 0


def test_what_was_changed_by_hand_is_shown(loglake: Run, deployed: None, client: Client) -> None:
    function = {"FunctionName": "loglake-transform"}
    client("lambda").update_function_configuration(**function, Timeout=9)
    run = loglake("diff", "--json")
    client("lambda").update_function_configuration(**function, Timeout=60)
    assert run.returncode == 1
    assert json.loads(run.stdout)["drift"] == [
        {
            "resource": "Transform",
            "type": "AWS::Lambda::Function",
            "property": "/Timeout",
            "expected": "60",
            "actual": "9",
        }
    ]


def test_nobody_to_ask_is_said_before_anything_changes(loglake: Run, deployed: None) -> None:
    run = loglake("deploy", "--parameter", "LogRetentionDays=7")
    assert run.returncode == 2
    assert run.stderr == "UsageError: a terminal must answer the question, or --yes must; got neither\n"
    assert deploy_json(loglake)["status"] == "unchanged"


def test_the_outputs_are_printed_for_people_scripts_and_shells(loglake: Run, deployed: None) -> None:
    settings = json.loads(succeed(loglake("outputs", "--json")).stdout)
    assert settings["raw_bucket"] == RAW
    assert f"export LOGLAKE_RAW_BUCKET={RAW}\n" in succeed(loglake("outputs", "--env")).stdout
    assert RAW in succeed(loglake("outputs")).stdout


def test_a_second_stack_needs_its_own_database_and_says_so(loglake: Run, deployed: None, client: Client) -> None:
    failed = loglake("deploy", "--yes", "--stack-name", "second")
    assert failed.returncode == 1
    assert "Database app_logs_db already exists" in failed.stderr
    assert "(a second stack also needs --parameter DatabaseName=…)" in failed.stderr
    mended = loglake("deploy", "--yes", "--stack-name", "second", "--parameter", "DatabaseName=second_db")
    assert "Stack second is left over in ROLLBACK_COMPLETE." in succeed(mended).stdout
    assert client("glue").get_trigger(Name="second-curate")["Trigger"]["State"] == "ACTIVATED"
    succeed(loglake("destroy", "--yes", "--stack-name", "second", "--delete-data"))
    assert client("glue").get_trigger(Name="loglake-curate")["Trigger"]["State"] == "ACTIVATED"


def test_data_outlives_the_stack_and_the_next_one_takes_it_over(loglake: Run, deployed: None, client: Client) -> None:
    s3 = client("s3")
    s3.put_object(Bucket=RAW, Key="logs/payment/kept.json.gz", Body=b"kept")
    destroyed = succeed(loglake("destroy", "--yes"))
    assert f"  s3://{RAW}\n" in destroyed.stdout
    assert s3.get_object(Bucket=RAW, Key="logs/payment/kept.json.gz")["Body"].read() == b"kept"
    again = deploy_json(loglake)
    assert again["status"] == "created"
    assert {change["resource"] for change in again["changes"] if change["action"] == "Import"} == {
        "RawBucket",
        "LakeBucket",
        "ResultsBucket",
    }
    assert s3.get_object(Bucket=RAW, Key="logs/payment/kept.json.gz")["Body"].read() == b"kept"
    assert deploy_json(loglake)["status"] == "unchanged"


def test_deleting_the_data_leaves_nothing(loglake: Run, deployed: None, client: Client) -> None:
    succeed(loglake("destroy", "--yes", "--delete-data"))
    assert [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]] == []
    again = succeed(loglake("destroy", "--yes", "--delete-data"))
    assert again.stdout == "There is no stack loglake.\n"


def test_a_declined_deployment_leaves_no_stack(loglake: Run, client: Client) -> None:
    assert loglake("deploy", "--stack-name", "declined").returncode == 2
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    assert [stack["StackName"] for stack in stacks if stack["StackName"] == "declined"] == []
    assert [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]] == []


def test_without_an_endpoint_the_error_names_it(environment: Mapping[str, str], loglake: Run) -> None:
    assert loglake("outputs", "--stack-name", "absent").stderr == (
        "SettingsError: no stack named 'absent'; run 'loglake deploy', or 'loglake up' for a laptop\n"
    )
