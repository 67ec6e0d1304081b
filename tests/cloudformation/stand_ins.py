"""The types of `dashboard.yaml` that the emulator does not know, as far as a deployment of that template sees them.

A rule of a security group is put into its group. The emulator has no Application Auto Scaling: its two types are only
given the names that AWS gives them, so that what refers to them is checked, and nothing scales.
"""

from collections.abc import Mapping
from typing import Any

Properties = Mapping[str, Any]
Created = tuple[str, Mapping[str, str]]


def install() -> None:
    """Teach this process's emulator the types."""
    from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

    _RESOURCE_HANDLERS["AWS::EC2::SecurityGroupIngress"] = {
        "create": add_rule,
        "update": lambda physical_id, old, new, *_: replace_rule(physical_id, old, new),
        "delete": remove_rule,
    }
    for kind, create in (("ScalableTarget", create_target), ("ScalingPolicy", create_policy)):
        _RESOURCE_HANDLERS[f"AWS::ApplicationAutoScaling::{kind}"] = {
            "create": create,
            "update": lambda physical_id, *_: (physical_id, {}),
            "delete": lambda *_: None,
        }


def add_rule(logical_id: str, properties: Properties, stack_name: str) -> Created:
    _rules(properties).extend(_as_permissions(properties))
    return f"{properties['GroupId']}|{logical_id}", {}


def replace_rule(physical_id: str, old: Properties, new: Properties) -> Created:
    remove_rule(physical_id, old)
    _rules(new).extend(_as_permissions(new))
    return physical_id, {}


def remove_rule(physical_id: str, properties: Properties) -> None:
    rules = _rules(properties)
    rules[:] = [rule for rule in rules if [rule] != _as_permissions(properties)]


def create_target(logical_id: str, properties: Properties, stack_name: str) -> Created:
    name = "|".join(properties[key] for key in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
    return name, {"Id": name}


def create_policy(logical_id: str, properties: Properties, stack_name: str) -> Created:
    arn = f"arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:1:resource/{properties['ScalingTargetId']}"
    return arn, {"Arn": arn}


def _rules(properties: Properties) -> list[Any]:
    from ministack.services import ec2

    rules: list[Any] = ec2._security_groups[properties["GroupId"]]["IpPermissions"]
    return rules


def _as_permissions(properties: Properties) -> list[Any]:
    from ministack.services.cloudformation.provisioners import _ec2_sg_permissions

    permissions: list[Any] = _ec2_sg_permissions([properties])
    return permissions
