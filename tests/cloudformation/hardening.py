"""What makes the stack safe, as rules over a parsed template: each returns what breaks it, nothing when all is well.

cfn-lint knows schemas only, and checkov has no rule for Firehose, TLS-only buckets or Athena's cut-off.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]
Rule = Callable[[Template], Iterator[str]]


def of_type(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the name and the properties of each resource of the type."""
    for name, body in template["Resources"].items():
        if body["Type"] == kind:
            yield name, body.get("Properties", {})


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every policy statement in a value, at any depth."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from statements(item)


def buckets_are_private(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, "AWS::S3::Bucket"):
        block = properties.get("PublicAccessBlockConfiguration", {})
        wanted = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        if not all(block.get(key) is True for key in wanted):
            yield f"{name} may be public"
        if properties.get("OwnershipControls") != {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
            yield f"{name} takes access lists"


def buckets_are_encrypted(template: Template) -> Iterator[str]:
    algorithm = {"Fn::If": ["HasKey", "aws:kms", "AES256"]}
    for name, properties in of_type(template, "AWS::S3::Bucket"):
        rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
        if [rule.get("ServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for rule in rules] != [algorithm]:
            yield f"{name} is not encrypted"


def buckets_are_kept(template: Template) -> Iterator[str]:
    for name, body in template["Resources"].items():
        policies = (body.get("DeletionPolicy"), body.get("UpdateReplacePolicy"))
        if body["Type"] == "AWS::S3::Bucket" and policies != ("RetainExceptOnCreate", "Retain"):
            yield f"{name} goes with the stack"


def buckets_and_topics_take_tls_only(template: Template) -> Iterator[str]:
    denied = set()
    for kind, key in (("AWS::S3::BucketPolicy", "Bucket"), ("AWS::SNS::TopicPolicy", "Topics")):
        for _, properties in of_type(template, kind):
            target = properties[key][0] if isinstance(properties[key], list) else properties[key]
            if any(_denies_plain_text(statement) for statement in statements(properties)):
                denied.add(target["Ref"])
    for kind in ("AWS::S3::Bucket", "AWS::SNS::Topic"):
        yield from (f"{name} takes plain text" for name, _ in of_type(template, kind) if name not in denied)


def _denies_plain_text(statement: Mapping[str, Any]) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement.get("Principal") == "*"
        and statement.get("Action") in ("s3:*", "sns:Publish")
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )


def incomplete_uploads_expire(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, "AWS::S3::Bucket"):
        rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
        if not any("AbortIncompleteMultipartUpload" in rule for rule in rules):
            yield f"{name} keeps incomplete uploads"


def streams_are_encrypted(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, "AWS::Kinesis::Stream"):
        if properties.get("StreamEncryption", {}).get("EncryptionType") != "KMS":
            yield f"{name} is not encrypted"
    for name, properties in of_type(template, "AWS::KinesisFirehose::DeliveryStream"):
        choice = properties.get("DeliveryStreamEncryptionConfigurationInput", {}).get("Fn::If", [None])
        if choice[0] != "IsDirect":
            yield f"{name} is not encrypted in direct mode"


def delivery_keeps_what_fails(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, "AWS::KinesisFirehose::DeliveryStream"):
        destination = properties["ExtendedS3DestinationConfiguration"]
        if not destination.get("ErrorOutputPrefix", "").startswith("errors/!{firehose:error-output-type}/"):
            yield f"{name} loses or hides what fails"
        if destination.get("CloudWatchLoggingOptions", {}).get("Enabled") is not True:
            yield f"{name} does not log why"


def queries_are_bounded(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, "AWS::Athena::WorkGroup"):
        configuration = properties.get("WorkGroupConfiguration", {})
        if configuration.get("EnforceWorkGroupConfiguration") is not True:
            yield f"{name} lets a client decide"
        if "BytesScannedCutoffPerQuery" not in configuration:
            yield f"{name} has no scan cut-off"
        if "EncryptionConfiguration" not in configuration.get("ResultConfiguration", {}):
            yield f"{name} does not encrypt results"
        if "ExpectedBucketOwner" not in configuration.get("ResultConfiguration", {}):
            yield f"{name} may write to a stranger's bucket"


def logs_expire(template: Template) -> Iterator[str]:
    for name, properties in of_type(template, "AWS::Logs::LogGroup"):
        if "RetentionInDays" not in properties:
            yield f"{name} keeps logs forever"


def roles_are_assumed_by_their_service_for_us(template: Template) -> Iterator[str]:
    guarded = {"firehose.amazonaws.com": "sts:ExternalId", "glue.amazonaws.com": "aws:SourceAccount"}
    for name, properties in of_type(template, "AWS::IAM::Role"):
        for statement in statements(properties["AssumeRolePolicyDocument"]):
            key = guarded.get(statement["Principal"].get("Service"))
            condition = statement.get("Condition", {}).get("StringEquals", {})
            if statement["Principal"].get("Service") is None or (key and key not in condition):
                yield f"{name} may be assumed for somebody else"


def nobody_may_do_everything(template: Template) -> Iterator[str]:
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
        for name, properties in of_type(template, kind):
            for statement in statements(properties):
                yield from _too_wide(name, statement)


def _too_wide(name: str, statement: Mapping[str, Any]) -> Iterator[str]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    resources = statement.get("Resource", [])
    resources = resources if isinstance(resources, list) else [resources]
    if any("*" in action for action in actions):
        yield f"{name} may do {actions}"
    # PutMetricData takes no resource: its namespace is what narrows it.
    narrowed = actions == ["cloudwatch:PutMetricData"] and "Condition" in statement
    if "*" in resources and not narrowed:
        yield f"{name} may do {actions} to everything"


RULES: tuple[Rule, ...] = (
    buckets_are_private,
    buckets_are_encrypted,
    buckets_are_kept,
    buckets_and_topics_take_tls_only,
    incomplete_uploads_expire,
    streams_are_encrypted,
    delivery_keeps_what_fails,
    queries_are_bounded,
    logs_expire,
    roles_are_assumed_by_their_service_for_us,
    nobody_may_do_everything,
)


def findings(template: Template) -> list[str]:
    """Return everything that the rules find, in their order."""
    return [finding for rule in RULES for finding in rule(template)]
