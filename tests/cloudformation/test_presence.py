"""What was deleted or changed by hand is shown by `diff`, and made again by `deploy`."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.cloudformation.conftest import Client, Run
from tests.cloudformation.test_deploy import RAW, succeed

pytestmark = pytest.mark.local

MISSING = [
    f"Missing: {name} ({kind}): {means}; 'loglake deploy --stack-name loglake' makes it again"
    for name, kind, means in (
        ("Crawler", "Glue::Crawler", "new services, columns and days are not catalogued"),
        ("Job", "Glue::Job", "nothing is curated"),
        ("LogMinutesTable", "Glue::Table", "queries of it and every run of the job fail"),
        ("RawBucketPolicy", "S3::BucketPolicy", "the bucket takes requests without TLS too"),
        ("Trigger", "Glue::Trigger", "nothing starts the job on its schedule"),
    )
]


def alike(one: Mapping[str, Any], other: Mapping[str, Any], *names: str) -> bool:
    return [one[name] for name in names] == [other[name] for name in names]


def test_what_was_deleted_by_hand_is_said_and_made_again(loglake: Run, deployed: None, client: Client) -> None:
    glue, s3 = client("glue"), client("s3")
    table = glue.get_table(DatabaseName="app_logs_db", Name="log_minutes")["Table"]
    trigger, job = glue.get_trigger(Name="loglake-curate")["Trigger"], glue.get_job(JobName="loglake-curate")["Job"]
    policy = s3.get_bucket_policy(Bucket=RAW)["Policy"]
    glue.delete_table(DatabaseName="app_logs_db", Name="log_minutes")
    glue.delete_trigger(Name="loglake-curate")
    glue.delete_job(JobName="loglake-curate")
    glue.delete_crawler(Name="loglake-raw")
    s3.delete_bucket_policy(Bucket=RAW)
    run = loglake("diff")
    assert run.returncode == 1
    assert run.stdout.splitlines() == MISSING
    unasked = loglake("deploy")
    assert (unasked.returncode, "Made again" in unasked.stdout) == (2, False)
    mended = succeed(loglake("deploy", "--yes"))
    assert "MSCK REPAIR TABLE log_minutes" in mended.stdout
    again = glue.get_table(DatabaseName="app_logs_db", Name="log_minutes")["Table"]
    assert alike(table, again, "StorageDescriptor", "PartitionKeys", "Parameters")
    assert alike(trigger, glue.get_trigger(Name="loglake-curate")["Trigger"], "Schedule", "Actions", "State")
    assert alike(job, glue.get_job(JobName="loglake-curate")["Job"], "DefaultArguments", "Role", "Command", "Timeout")
    assert json.loads(s3.get_bucket_policy(Bucket=RAW)["Policy"]) == json.loads(policy)
    assert glue.get_crawler(Name="loglake-raw")["Crawler"]["Schedule"]["ScheduleExpression"] == "cron(0 0/6 * * ? *)"
    assert loglake("diff").returncode == 0


def test_what_deploy_cant_make_again_is_said_with_what_does(loglake: Run, deployed: None, client: Client) -> None:
    client("firehose").delete_delivery_stream(DeliveryStreamName="loglake-delivery-stream")
    line = (
        "Missing: DeliveryStream (KinesisFirehose::DeliveryStream): nothing reaches the raw bucket; "
        "'loglake destroy --stack-name loglake', then 'loglake deploy --stack-name loglake'; "
        "the buckets left stay as they are\n"
    )
    run = loglake("diff")
    assert (run.returncode, run.stdout) == (1, line)
    assert line in succeed(loglake("deploy", "--yes")).stdout
    succeed(loglake("destroy", "--yes"))
    succeed(loglake("deploy", "--yes"))
    assert loglake("diff").returncode == 0


def test_a_tables_columns_changed_by_hand_are_shown(loglake: Run, deployed: None, client: Client) -> None:
    table = client("glue").get_table(DatabaseName="app_logs_db", Name="rejects")["Table"]
    kept = {name: table[name] for name in ("Name", "Description", "TableType", "Parameters", "PartitionKeys")}
    storage = table["StorageDescriptor"]
    fewer = {**storage, "Columns": storage["Columns"][1:]}
    client("glue").update_table(DatabaseName="app_logs_db", TableInput={**kept, "StorageDescriptor": fewer})
    run = loglake("diff", "--json")
    client("glue").update_table(DatabaseName="app_logs_db", TableInput={**kept, "StorageDescriptor": storage})
    assert run.returncode == 1
    (found,) = json.loads(run.stdout)["drift"]
    assert (found["resource"], found["property"]) == ("RejectsTable", "/TableInput/StorageDescriptor/Columns")
    assert found["expected"] == "reason string, " + found["actual"]
