"""The dashboard's own stack: what no linter checks about who can reach what, and as whom it runs."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cloudformation.sections import TEMPLATE
from cloudformation.template import parse_template
from tests.cloudformation.hardening import nobody_may_do_everything, of_type

PATH = TEMPLATE.with_name("dashboard.yaml")


@pytest.fixture(scope="module")
def dashboard() -> Mapping[str, Any]:
    body = parse_template(PATH.read_text(encoding="utf-8"))
    plain = {name: value for name, value in body["Resources"].items() if not name.startswith("Fn::ForEach")}
    return {**body, "Resources": plain}


def containers(template: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for _, properties in of_type(template, "AWS::ECS::TaskDefinition"):
        yield from properties["ContainerDefinitions"]


def test_containers_run_as_nobody_on_what_they_cannot_change(dashboard: Mapping[str, Any]) -> None:
    found = list(containers(dashboard))
    assert {container["Name"] for container in found} == {"dashboard", "alerts", "consumer", "producer"}
    for container in found:
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == "10001"
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
        assert "LogConfiguration" in container


def test_only_the_load_balancer_reaches_the_tasks(dashboard: Mapping[str, Any]) -> None:
    resources = dashboard["Resources"]
    assert "SecurityGroupIngress" not in resources["TaskGroup"]["Properties"]
    rules = dict(of_type(dashboard, "AWS::EC2::SecurityGroupIngress"))
    assert [rule["SourceSecurityGroupId"] for rule in rules.values()] == [{"Ref": "BalancerGroup"}]
    for name in ("FilesGroup", "EndpointGroup"):
        ingress = resources[name]["Properties"]["SecurityGroupIngress"]
        assert [rule["SourceSecurityGroupId"] for rule in ingress] == [{"Ref": "TaskGroup"}]
    people = resources["BalancerGroup"]["Properties"]["SecurityGroupIngress"]
    assert {str(rule["CidrIp"]) for rule in people} == {"{'Ref': 'AllowedCidr'}"}


def test_everybody_is_logged_in_and_background_calls_are_not_redirected(dashboard: Mapping[str, Any]) -> None:
    listener = dashboard["Resources"]["Listener"]["Properties"]
    assert listener["Protocol"] == "HTTPS"
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13")
    rule = dashboard["Resources"]["CallbackRule"]["Properties"]
    for actions, answer in ((listener["DefaultActions"], "authenticate"), (rule["Actions"], "deny")):
        first, second = sorted(actions, key=lambda action: action["Order"])
        assert first["AuthenticateCognitoConfig"]["OnUnauthenticatedRequest"] == answer
        assert second["Type"] == "forward"
    assert rule["Conditions"][0]["PathPatternConfig"]["Values"] == ["/_dash-*"]
    redirect = dashboard["Resources"]["PlainListener"]["Properties"]["DefaultActions"]
    assert [action["Type"] for action in redirect] == ["redirect"]


def test_the_dashboard_believes_its_own_load_balancer_only(dashboard: Mapping[str, Any]) -> None:
    command = next(container for container in containers(dashboard) if container["Name"] == "dashboard")["Command"]
    assert {"Fn::Sub": "--alb-arn=${LoadBalancer}"} in command
    assert "--proxies=1" in command


def test_services_wait_for_what_they_need_and_roll_back(dashboard: Mapping[str, Any]) -> None:
    assert set(dashboard["Resources"]["Dashboard"]["DependsOn"]) >= {"Listener", "FirstMount", "SecondMount"}
    for _, properties in of_type(dashboard, "AWS::ECS::Service"):
        assert properties["DeploymentConfiguration"]["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_what_people_keep_is_encrypted_backed_up_and_retained(dashboard: Mapping[str, Any]) -> None:
    files = dashboard["Resources"]["Files"]
    assert files["Properties"]["Encrypted"] is True
    assert files["Properties"]["BackupPolicy"] == {"Status": "ENABLED"}
    assert files["DeletionPolicy"] == "RetainExceptOnCreate"
    volumes = dashboard["Resources"]["DashboardTask"]["Properties"]["Volumes"]
    state = next(volume for volume in volumes if volume["Name"] == "state")["EFSVolumeConfiguration"]
    assert (state["TransitEncryption"], state["AuthorizationConfig"]["IAM"]) == ("ENABLED", "ENABLED")


def test_no_role_may_do_everything(dashboard: Mapping[str, Any]) -> None:
    assert list(nobody_may_do_everything(dashboard)) == []


def test_there_are_no_aliases_which_cloudformation_refuses() -> None:
    lines = PATH.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.rstrip().endswith((" &interface", " &tasks")) or "<<:" in line] == []


def test_the_image_runs_what_the_tasks_start() -> None:
    recipe = (TEMPLATE.parent.parent / "Dockerfile").read_text(encoding="utf-8")
    assert "USER 10001" in recipe
    assert 'ENTRYPOINT ["loglake"]' in recipe
    for stage in ("dashboard", "consumer", "producer"):
        assert f" AS {stage}\n" in recipe
