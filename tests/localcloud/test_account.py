import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from localcloud.account import account_checks

ROOT = Path(__file__).parents[2]


def doctor(environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LOGLAKE_"))}
    return subprocess.run(
        [sys.executable, "loglake.py", "doctor", "--aws", "--json"],
        cwd=ROOT,
        env={**clean, "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_without_a_region_the_command_that_sets_one_is_named() -> None:
    run = doctor({})
    assert run.returncode == 1
    assert json.loads(run.stdout) == [
        {"subject": "region", "found": "none", "ok": False, "mend": "run 'export AWS_DEFAULT_REGION=us-east-1'"}
    ]


def test_without_credentials_the_command_that_sets_them_is_named() -> None:
    run = doctor({"AWS_DEFAULT_REGION": "eu-west-1"})
    assert run.returncode == 1
    assert [row["subject"] for row in json.loads(run.stdout)] == ["region", "credentials"]
    assert json.loads(run.stdout)[1]["mend"].startswith("run 'aws configure'")


@pytest.mark.local
def test_a_laptops_endpoint_is_not_taken_for_aws(endpoint: Any) -> None:
    run = doctor({name: value for name, value in endpoint.environment().items() if name.startswith("AWS_")})
    found = {row["subject"]: row["found"] for row in json.loads(run.stdout)}
    assert run.returncode == 0
    assert [*found] == ["region", "endpoint", "credentials", "quotas"]
    assert (
        found["endpoint"] == f"{endpoint.url} on this machine, not AWS; a shell without AWS_ENDPOINT_URL looks at AWS"
    )
    assert found["quotas"] == "none here; those of an AWS account were not looked at"


@pytest.mark.parametrize(("open_shards", "mend"), [(3, ""), (20, "ask for more 'Shards per Region'")])
def test_a_quota_that_is_used_up_is_told(open_shards: int, mend: str) -> None:
    class Session:
        region_name = "us-east-1"

        def client(self, service: str, config: Any) -> Any:
            made = boto3.client(service, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
            stub = Stubber(made)
            for method, answer in ANSWERS[service].items():
                stub.add_response(
                    method, {**answer, **({"OpenShardCount": open_shards} if service == "kinesis" else {})}
                )
            stub.activate()
            return made

    found = {check.subject: check for check in account_checks(Session())}
    assert found["credentials"].found == "account 123456789012, arn:aws:iam::123456789012:user/ann"
    assert found["shards"].mend[: len(mend) or None] == mend
    assert found["delivery"].ok
    assert found["Lambda"].mend.startswith("ask for more 'Concurrent executions'")


ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "sts": {"get_caller_identity": {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ann"}},
    "kinesis": {"describe_limits": {"ShardLimit": 20, "OnDemandStreamCount": 0, "OnDemandStreamCountLimit": 50}},
    "firehose": {"list_delivery_streams": {"DeliveryStreamNames": ["a"], "HasMoreDeliveryStreams": False}},
    "lambda": {
        "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 5}}
    },
}
