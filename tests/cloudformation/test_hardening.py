"""The template is safe, and stays so: each hardening property, taken away in turn, is missed by a rule."""

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.cloudformation.hardening import findings

BUCKETS = ("RawBucket", "LakeBucket", "ResultsBucket")
RESULTS = "WorkGroup.Properties.WorkGroupConfiguration.ResultConfiguration"
MUTANTS: dict[str, str] = {
    **{f"{bucket}.Properties.BucketEncryption": f"{bucket} is not encrypted" for bucket in BUCKETS},
    **{f"{bucket}.Properties.PublicAccessBlockConfiguration": f"{bucket} may be public" for bucket in BUCKETS},
    **{
        f"{bucket}.Properties.PublicAccessBlockConfiguration.RestrictPublicBuckets": f"{bucket} may be public"
        for bucket in BUCKETS
    },
    **{f"{bucket}.Properties.OwnershipControls": f"{bucket} takes access lists" for bucket in BUCKETS},
    **{f"{bucket}.DeletionPolicy": f"{bucket} goes with the stack" for bucket in BUCKETS},
    **{f"{bucket}.UpdateReplacePolicy": f"{bucket} goes with the stack" for bucket in BUCKETS},
    **{f"{bucket}.Properties.LifecycleConfiguration": f"{bucket} keeps incomplete uploads" for bucket in BUCKETS},
    **{f"{bucket}Policy": f"{bucket} takes plain text" for bucket in BUCKETS},
    **{
        f"{bucket}Policy.Properties.PolicyDocument.Statement.0.Condition": f"{bucket} takes plain text"
        for bucket in BUCKETS
    },
    "AlarmTopicPolicy.Properties.PolicyDocument.Statement.1": "AlarmTopic takes plain text",
    "Stream.Properties.StreamEncryption": "Stream is not encrypted",
    "DeliveryStream.Properties.DeliveryStreamEncryptionConfigurationInput": (
        "DeliveryStream is not encrypted in direct mode"
    ),
    "DeliveryStream.Properties.ExtendedS3DestinationConfiguration.ErrorOutputPrefix": (
        "DeliveryStream loses or hides what fails"
    ),
    "DeliveryStream.Properties.ExtendedS3DestinationConfiguration.CloudWatchLoggingOptions": (
        "DeliveryStream does not log why"
    ),
    "WorkGroup.Properties.WorkGroupConfiguration.EnforceWorkGroupConfiguration": "WorkGroup lets a client decide",
    "WorkGroup.Properties.WorkGroupConfiguration.BytesScannedCutoffPerQuery": "WorkGroup has no scan cut-off",
    f"{RESULTS}.EncryptionConfiguration": "WorkGroup does not encrypt results",
    f"{RESULTS}.ExpectedBucketOwner": "WorkGroup may write to a stranger's bucket",
    "TransformLogs.Properties.RetentionInDays": "TransformLogs keeps logs forever",
    "DeliveryLogs.Properties.RetentionInDays": "DeliveryLogs keeps logs forever",
    **{
        f"{role}.Properties.AssumeRolePolicyDocument.Statement.0.Condition": (
            f"{role} may be assumed for somebody else"
        )
        for role in ("DeliveryRole", "CrawlerRole", "JobRole")
    },
}
"""Path of what is taken away -> what must be found."""


def without(template: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Return a copy of the template that lacks what lies at the path in its resources."""
    mutant = copy.deepcopy(dict(template))
    place: Any = mutant["Resources"]
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in parents:
        place = place[step]
    del place[last]
    return mutant


def test_the_template_is_hardened(template: Mapping[str, Any]) -> None:
    assert findings(template) == []


@pytest.mark.parametrize("path", MUTANTS)
def test_a_template_that_lacks_a_hardening_property_is_caught(template: Mapping[str, Any], path: str) -> None:
    assert findings(without(template, path)) == [MUTANTS[path]]


def test_a_role_that_may_do_everything_is_caught(template: Mapping[str, Any]) -> None:
    mutant = copy.deepcopy(dict(template))
    statement = mutant["Resources"]["JobRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    statement.update(Action="s3:*", Resource="*")
    assert findings(mutant) == ["JobRole may do ['s3:*']", "JobRole may do ['s3:*'] to everything"]
