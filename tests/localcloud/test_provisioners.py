import json
from typing import Any

import pytest

from tests.localcloud.delivery.streams import until

pytestmark = pytest.mark.local

COMMAND = {"Name": "glueetl", "ScriptLocation": "s3://code/job.py"}
ROLE = "arn:aws:iam::000000000000:role/any"


def runs_of(glue: Any, name: str) -> int:
    limit: int = glue.get_job(JobName=name)["Job"]["ExecutionProperty"]["MaxConcurrentRuns"]
    return limit


def test_a_job_keeps_how_many_runs_may_go_at_once(endpoint: Any) -> None:
    glue, cloudformation = endpoint.client("glue"), endpoint.client("cloudformation")
    glue.create_job(Name="by-api", Role=ROLE, Command=COMMAND, ExecutionProperty={"MaxConcurrentRuns": 3})
    assert runs_of(glue, "by-api") == 3
    glue.update_job(JobName="by-api", JobUpdate={"ExecutionProperty": {"MaxConcurrentRuns": 2}})
    assert runs_of(glue, "by-api") == 2
    properties = {"Name": "by-stack", "Role": ROLE, "Command": COMMAND, "ExecutionProperty": {"MaxConcurrentRuns": 4}}
    template = {"Resources": {"J": {"Type": "AWS::Glue::Job", "Properties": properties}}}
    cloudformation.create_stack(StackName="job", TemplateBody=json.dumps(template))
    until(lambda: "by-stack" in _names(glue))
    assert runs_of(glue, "by-stack") == 4


def _names(glue: Any) -> list[str]:
    return [job["Name"] for job in glue.get_jobs()["Jobs"]]
