"""The dashboard's own stack: what neither a linter nor `cloudformation/rules/` checks."""

from collections.abc import Mapping
from typing import Any

import pytest

from cloudformation.sections import TEMPLATE
from cloudformation.template import parse_template

PATH = TEMPLATE.with_name("dashboard.yaml")


@pytest.fixture(scope="module")
def dashboard() -> Mapping[str, Any]:
    return parse_template(PATH.read_text(encoding="utf-8"))


def test_the_dashboard_believes_its_own_load_balancer_only(dashboard: Mapping[str, Any]) -> None:
    containers = dashboard["Resources"]["DashboardTask"]["Properties"]["ContainerDefinitions"]
    command = next(container for container in containers if container["Name"] == "dashboard")["Command"]
    assert {"Fn::Sub": "--alb-arn=${LoadBalancer}"} in command
    assert "--proxies=1" in command


def test_the_service_waits_for_what_it_needs(dashboard: Mapping[str, Any]) -> None:
    needed = {"Listener", "CallbackRule", "FirstMount", "SecondMount"}
    assert set(dashboard["Resources"]["Dashboard"]["DependsOn"]) == needed


def test_there_are_no_aliases_which_cloudformation_refuses() -> None:
    lines = PATH.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.rstrip().endswith((" &interface", " &tasks")) or "<<:" in line] == []


def test_the_image_runs_what_the_tasks_start() -> None:
    recipe = (TEMPLATE.parent.parent / "Dockerfile").read_text(encoding="utf-8")
    assert "USER 10001" in recipe
    assert 'ENTRYPOINT ["loglake"]' in recipe
    for stage in ("dashboard", "consumer", "producer"):
        assert f" AS {stage}\n" in recipe
