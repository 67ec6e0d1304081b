"""Drift: what somebody changed by hand in a resource that the stack declares."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from cloudformation.stack import StackError


@dataclass(frozen=True, slots=True)
class Drift:
    """One property that is not as deployed; `resource` alone, with no property, when the resource is gone."""

    resource: str
    type: str
    property: str = ""
    expected: str = ""
    actual: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the drift for JSON."""
        return asdict(self)


def is_gone(drift: Drift) -> bool:
    """Say whether it is the whole resource that somebody deleted."""
    return not drift.property


def detect_drift(client: Any, stack_name: str, sleep: Callable[[float], None] = time.sleep) -> tuple[Drift, ...]:
    """Compare the stack's resources with what was deployed; types that CloudFormation can't compare are left out."""
    detection = client.detect_stack_drift(StackName=stack_name)["StackDriftDetectionId"]
    delay = 0.2
    while True:
        answer = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        sleep(delay)
        delay = min(delay * 1.5, 5.0)
    if answer["DetectionStatus"] == "DETECTION_FAILED" and "StackDriftStatus" not in answer:
        reason = answer.get("DetectionStatusReason", "no reason given")
        raise StackError(f"the drift of stack {stack_name!r} must be detectable; got {reason!r}")
    return _found(client, stack_name)


def _found(client: Any, stack_name: str) -> tuple[Drift, ...]:
    drifts: list[Drift] = []
    request: dict[str, Any] = {"StackName": stack_name, "StackResourceDriftStatusFilters": ["MODIFIED", "DELETED"]}
    while True:  # botocore has no paginator for it
        answer = client.describe_stack_resource_drifts(**request)
        for resource in answer["StackResourceDrifts"]:
            drifts += _read(resource)
        if not answer.get("NextToken"):
            return tuple(sorted(drifts, key=lambda drift: (drift.resource, drift.property)))
        request["NextToken"] = answer["NextToken"]


def _read(resource: Any) -> list[Drift]:
    name, kind = resource["LogicalResourceId"], resource["ResourceType"]
    if resource["StackResourceDriftStatus"] == "DELETED":
        return [Drift(name, kind)]
    return [
        Drift(name, kind, item["PropertyPath"], item.get("ExpectedValue", ""), item.get("ActualValue", ""))
        for item in resource.get("PropertyDifferences", ())
    ]
