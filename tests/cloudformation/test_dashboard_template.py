"""The dashboard's own stack: what neither a linter nor `cloudformation/rules/` checks."""

import json
import re
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


def test_the_image_owns_and_declares_every_folder_that_a_task_mounts(dashboard: Mapping[str, Any]) -> None:
    """ECS developer guide, bind mounts: owned by root, mode 0755, unless the image declares the path as a volume."""
    recipe = (TEMPLATE.parent.parent / "Dockerfile").read_text(encoding="utf-8")
    declared = re.search(r"^VOLUME (.*)$", recipe, re.MULTILINE)
    assert declared is not None
    made = set(re.findall(r"/\w+", " ".join(re.findall(r"install --directory --owner loglake(.*)", recipe))))
    assert _mounted(dashboard) <= set(json.loads(declared[1])) & made
    assert recipe.index("install --directory") < recipe.index("VOLUME")


def test_tasks_run_on_the_processor_that_their_images_are_built_for(dashboard: Mapping[str, Any]) -> None:
    tasks = [body["Properties"] for body in _tasks(dashboard).values()]
    assert {task["RuntimePlatform"]["CpuArchitecture"]["Ref"] for task in tasks} == {"Architecture"}
    guide = (TEMPLATE.parent.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
    built = re.findall(r"docker build --platform (\S+) --target (\w+)", guide)
    assert {platform for platform, _ in built} == {"linux/amd64"}
    assert dashboard["Parameters"]["Architecture"]["Default"] == "X86_64"


def test_one_evaluator_of_alerts_runs_and_is_started_again(dashboard: Mapping[str, Any]) -> None:
    service = dashboard["Resources"]["Alerts"]["Properties"]
    assert service["DesiredCount"] == 1
    assert service["DeploymentConfiguration"]["MaximumPercent"] == 100
    for name, body in _tasks(dashboard).items():
        commands = [container["Command"][:2] for container in body["Properties"]["ContainerDefinitions"]]
        assert (["alerts", "run"] in commands) == (name == "AlertsTask")
        assert all(container["Essential"] for container in body["Properties"]["ContainerDefinitions"])


def _tasks(dashboard: Mapping[str, Any]) -> dict[str, Any]:
    resources = {name: body for name, body in dashboard["Resources"].items() if not name.startswith("Fn::ForEach")}
    return {name: body for name, body in resources.items() if body["Type"] == "AWS::ECS::TaskDefinition"}


def _mounted(dashboard: Mapping[str, Any]) -> set[str]:
    containers = [each for body in _tasks(dashboard).values() for each in body["Properties"]["ContainerDefinitions"]]
    return {mount["ContainerPath"] for container in containers for mount in container["MountPoints"]}
