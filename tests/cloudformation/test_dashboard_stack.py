"""`dashboard.yaml` beside a pipeline on the emulator, in this order of its life.

The emulator keeps what the stack declares; no container runs and no request is balanced.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cloudformation.sections import TEMPLATE
from tests.cloudformation.conftest import Client

pytestmark = pytest.mark.local

STACK = "loglake-dashboard"
IMAGES = ("Dashboard", "Consumer", "Producer")
BODY = TEMPLATE.with_name("dashboard.yaml").read_text(encoding="utf-8")

Physical = Callable[[], Mapping[str, str]]


@pytest.fixture(scope="module")
def network(client: Client) -> Mapping[str, str]:
    """Make a network with two zones; return it as the template's parameters."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{'ab'[n % 2]}")
        for n in range(4)
    ]
    public, private = ([subnet["Subnet"]["SubnetId"] for subnet in half] for half in (subnets[:2], subnets[2:]))
    routes = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    return {
        "VpcId": vpc,
        "PublicSubnets": ",".join(public),
        "TaskSubnets": ",".join(private),
        "RouteTables": routes,
        "HostName": "logs.example.com",
        "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555",
        "AllowedCidr": "203.0.113.0/24",
    }


@pytest.fixture
def parameters(network: Mapping[str, str], deployed: None, client: Client) -> Mapping[str, str]:
    """Return what the stack is told: the network, three images, and the policies among the pipeline's outputs."""
    outputs = outputs_of(client, "loglake")
    images = {f"{name}Image": f"registry.example.com/loglake-{name.lower()}:1" for name in IMAGES}
    policies = {f"{name}Policy": outputs[f"{name}Policy"] for name in IMAGES}
    return {**network, **images, **policies}


def outputs_of(client: Client, stack: str) -> Mapping[str, str]:
    (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def given(parameters: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "StackName": STACK,
        "TemplateBody": BODY,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }


def wait_until(client: Client, state: str, stack: str = STACK) -> None:
    waiter = client("cloudformation").get_waiter(f"stack_{state}_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


@pytest.fixture
def physical(parameters: Mapping[str, str], client: Client) -> Physical:
    """Create the stack, unless it is there from the test before; return what gives its physical ids by logical id."""

    cloudformation = client("cloudformation")
    if STACK not in {stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]}:
        cloudformation.create_stack(**given(parameters))
        wait_until(client, "create")

    def read() -> Mapping[str, str]:
        resources = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceStatus"] != "DELETE_COMPLETE"
        }

    return read


def test_the_dashboards_stack_is_created_from_the_pipelines_outputs(client: Client, physical: Physical) -> None:
    assert outputs_of(client, STACK)["Url"] == "https://logs.example.com/"
    assert {*IMAGES, "S3Endpoint", "Endpointathena", "Endpointsns"} <= set(physical())


def test_each_task_may_do_what_its_stage_may(parameters: Mapping[str, str], client: Client, physical: Physical) -> None:
    for name in IMAGES:
        task = client("ecs").describe_task_definition(taskDefinition=physical()[f"{name}Task"])["taskDefinition"]
        role = task["taskRoleArn"].rpartition("/")[2]
        attached = client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        assert [policy["PolicyArn"] for policy in attached] == [parameters[f"{name}Policy"]]
        assert {container["image"] for container in task["containerDefinitions"]} == {parameters[f"{name}Image"]}


def test_only_the_load_balancer_reaches_the_tasks(client: Client, physical: Physical) -> None:
    (group,) = client("ec2").describe_security_groups(GroupIds=[physical()["TaskGroup"]])["SecurityGroups"]
    (rule,) = group["IpPermissions"]
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [physical()["BalancerGroup"]]
    assert (rule["FromPort"], rule["ToPort"], rule["IpRanges"]) == (8050, 8050, [])


def test_everybody_is_logged_in_before_being_forwarded(client: Client, physical: Physical) -> None:
    balancing = client("elbv2")
    listeners = balancing.describe_listeners(LoadBalancerArn=physical()["LoadBalancer"])["Listeners"]
    actions = {
        listener["Port"]: [action["Type"] for action in sorted(listener["DefaultActions"], key=order)]
        for listener in listeners
    }
    assert actions == {443: ["authenticate-cognito", "forward"], 80: ["redirect"]}
    rules = balancing.describe_rules(ListenerArn=physical()["Listener"])["Rules"]
    (callbacks,) = [rule for rule in rules if rule["Priority"] == "10"]
    assert [action["Type"] for action in sorted(callbacks["Actions"], key=order)] == actions[443]


def order(action: Mapping[str, Any]) -> int:
    return int(action.get("Order", 1))


def test_what_scales_is_the_dashboards_service(physical: Physical) -> None:
    cluster, service = physical()["Cluster"], physical()["Dashboard"].rpartition("/")[2]
    assert physical()["Scaling"] == f"service/{cluster}/{service}|ecs:service:DesiredCount|ecs"


def test_an_update_takes_the_producer_away_and_keeps_the_rest(
    parameters: Mapping[str, str], client: Client, physical: Physical
) -> None:
    before = physical()
    image = "registry.example.com/loglake-dashboard:2"
    changed = {**parameters, "ProducerImage": "", "DashboardImage": image, "MinTasks": "2"}
    client("cloudformation").update_stack(**given(changed))
    wait_until(client, "update")
    assert set(before) - set(physical()) == {"Producer", "ProducerTask", "ProducerRole"}
    same = ("Cluster", "Dashboard", "Files", "LoadBalancer", "UserPool")
    assert {name: physical()[name] for name in same} == {name: before[name] for name in same}
    (service,) = client("ecs").describe_services(cluster=before["Cluster"], services=[before["Dashboard"]])["services"]
    task = client("ecs").describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert {container["image"] for container in task["containerDefinitions"]} == {image}
    assert service["desiredCount"] == 2


def test_a_certificate_elsewhere_is_refused_before_anything_changes(
    parameters: Mapping[str, str], physical: Physical, client: Client
) -> None:
    cloudformation = client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="CertificateArn"):
        cloudformation.update_stack(**given({**parameters, "CertificateArn": "arn:aws:iam::000000000000:server-cert"}))


def test_people_and_what_they_keep_outlive_the_stack(client: Client, physical: Physical) -> None:
    before = physical()
    stack = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["StackId"]
    client("cloudformation").delete_stack(StackName=STACK)
    wait_until(client, "delete", stack)
    assert client("ecs").list_services(cluster=before["Cluster"]).get("serviceArns", []) == []
    assert client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    files, pools = client("efs"), client("cognito-idp")
    assert files.describe_file_systems(FileSystemId=before["Files"])["FileSystems"]
    assert pools.describe_user_pool(UserPoolId=before["UserPool"])["UserPool"]["Name"] == STACK
    for target in files.describe_mount_targets(FileSystemId=before["Files"])["MountTargets"]:
        files.delete_mount_target(MountTargetId=target["MountTargetId"])
    files.delete_file_system(FileSystemId=before["Files"])
    pools.delete_user_pool(UserPoolId=before["UserPool"])
