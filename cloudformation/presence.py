"""Whether what a stack made still stands, by asking the services themselves, and making again what is gone.

CloudFormation's own drift detection leaves out types that matter here (Glue's tables, triggers, jobs; bucket
policies), and an update without changes never makes again what was deleted behind its back.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cloudformation.drift import Drift
from cloudformation.resolving import Names
from cloudformation.template import parse_template

Client = Callable[[str], Any]
Properties = Mapping[str, Any]

_GONE = ("404", "EntityNotFoundException", "NoSuchBucket", "NoSuchBucketPolicy", "ResourceNotFoundException")
_LOOKS: Mapping[str, Callable[[Client, Properties], Any]] = {
    "AWS::Athena::WorkGroup": lambda client, p: _work_group(client("athena"), p["Name"]),
    "AWS::DynamoDB::Table": lambda client, p: client("dynamodb").describe_table(TableName=p["TableName"]),
    "AWS::Glue::Crawler": lambda client, p: client("glue").get_crawler(Name=p["Name"]),
    "AWS::Glue::Database": lambda client, p: client("glue").get_database(Name=p["DatabaseInput"]["Name"]),
    "AWS::Glue::Job": lambda client, p: client("glue").get_job(JobName=p["Name"]),
    "AWS::Glue::Table": lambda client, p: _table(client("glue"), p),
    "AWS::Glue::Trigger": lambda client, p: client("glue").get_trigger(Name=p["Name"]),
    "AWS::Kinesis::Stream": lambda client, p: client("kinesis").describe_stream_summary(StreamName=p["Name"]),
    "AWS::KinesisFirehose::DeliveryStream": lambda client, p: client("firehose").describe_delivery_stream(
        DeliveryStreamName=p["DeliveryStreamName"]
    ),
    "AWS::Lambda::Function": lambda client, p: client("lambda").get_function_configuration(
        FunctionName=p["FunctionName"]
    ),
    "AWS::S3::Bucket": lambda client, p: client("s3").head_bucket(Bucket=p["BucketName"]),
    "AWS::S3::BucketPolicy": lambda client, p: client("s3").get_bucket_policy(Bucket=p["Bucket"]),
}
"""How each type is looked for; the answer is only read for a table."""

_MAKERS: Mapping[str, Callable[[Client, Properties, Mapping[str, str]], Any]] = {
    "AWS::Glue::Crawler": lambda client, p, tags: client("glue").create_crawler(**_crawler(p), Tags=tags),
    "AWS::Glue::Database": lambda client, p, _: client("glue").create_database(DatabaseInput=p["DatabaseInput"]),
    "AWS::Glue::Job": lambda client, p, tags: client("glue").create_job(**_job(p), Tags=tags),
    "AWS::Glue::Table": lambda client, p, _: client("glue").create_table(
        DatabaseName=p["DatabaseName"], TableInput=p["TableInput"]
    ),
    "AWS::Glue::Trigger": lambda client, p, tags: client("glue").create_trigger(**p, Tags=tags),
    "AWS::S3::BucketPolicy": lambda client, p, _: client("s3").put_bucket_policy(
        Bucket=p["Bucket"], Policy=json.dumps(p["PolicyDocument"])
    ),
}
"""How those types are made again that can be, in no particular order; `_ORDER` has what must come first."""

_ORDER = ("AWS::Glue::Database", "AWS::Glue::Table", "AWS::Glue::Crawler", "AWS::Glue::Job", "AWS::Glue::Trigger")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the stack, with its properties as they were deployed."""

    name: str
    type: str
    properties: Properties


def can_be_made_again(resource_type: str) -> bool:
    """Say whether `make_again` knows the type."""
    return resource_type in _MAKERS


def deployed_resources(cloudformation: Any, stack: Mapping[str, Any], account_id: str, region: str) -> list[Resource]:
    """Return the stack's resources whose presence can be looked for, from the template that was deployed."""
    body = cloudformation.get_template(StackName=stack["StackId"], TemplateStage="Processed")["TemplateBody"]
    template = parse_template(body) if isinstance(body, str) else body
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackId"])
    listed = {found["LogicalResourceId"]: found for page in pages for found in page["StackResourceSummaries"]}
    refs = {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", ())}
    refs |= {name: found["PhysicalResourceId"] for name, found in listed.items() if "PhysicalResourceId" in found}
    refs |= {
        "AWS::AccountId": account_id,
        "AWS::Partition": stack["StackId"].split(":")[1],
        "AWS::Region": region,
        "AWS::StackName": stack["StackName"],
    }
    names = Names(refs, template.get("Conditions", {}), {name: found["ResourceType"] for name, found in listed.items()})
    return [
        Resource(name, made["Type"], names.resolve(_told(made)))
        for name, made in template["Resources"].items()
        if name in listed and made["Type"] in _LOOKS
    ]


def find_differences(client: Client, resources: list[Resource]) -> list[Drift]:
    """Return what of `resources` is gone, and the tables whose columns or place are others than deployed."""
    found: list[Drift] = []
    for resource in resources:
        answer = _look(client, resource)
        if answer is None:
            found.append(Drift(resource.name, resource.type))
        elif resource.type == "AWS::Glue::Table":
            found += _table_differences(resource, answer["Table"])
    return found


def make_again(client: Client, resources: list[Resource], tags: Mapping[str, str]) -> None:
    """Create what is gone, as it was deployed; each of a type that `can_be_made_again`."""
    for resource in sorted(resources, key=lambda one: _ORDER.index(one.type) if one.type in _ORDER else -1):
        _MAKERS[resource.type](client, resource.properties, tags)


def _look(client: Client, resource: Resource) -> Any:
    try:
        return _LOOKS[resource.type](client, resource.properties)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _GONE:
            return None
        raise


def _told(made: Mapping[str, Any]) -> Properties:
    """Return the properties that looking and making need: a type that is only looked for needs its name."""
    properties: Properties = made["Properties"]
    if made["Type"] in _MAKERS:
        return properties
    return {key: value for key, value in properties.items() if key.endswith("Name")}


def _table(glue: Any, properties: Properties) -> Any:
    return glue.get_table(DatabaseName=properties["DatabaseName"], Name=properties["TableInput"]["Name"])


def _work_group(athena: Any, name: str) -> Any:
    """Look for a workgroup; Athena has no error of its own for one that is gone."""
    try:
        return athena.get_work_group(WorkGroup=name)
    except ClientError as error:
        if "not found" in str(error):
            return None
        raise


def _table_differences(resource: Resource, table: Mapping[str, Any]) -> list[Drift]:
    wanted, storage = resource.properties["TableInput"], table["StorageDescriptor"]
    pairs = {
        "/TableInput/StorageDescriptor/Columns": (
            _columns(wanted["StorageDescriptor"]["Columns"]),
            _columns(storage["Columns"]),
        ),
        "/TableInput/StorageDescriptor/Location": (wanted["StorageDescriptor"]["Location"], storage["Location"]),
        "/TableInput/PartitionKeys": (_columns(wanted["PartitionKeys"]), _columns(table.get("PartitionKeys", []))),
    }
    return [
        Drift(resource.name, resource.type, path, expected, actual)
        for path, (expected, actual) in pairs.items()
        if expected.rstrip("/") != actual.rstrip("/")
    ]


def _columns(columns: list[Mapping[str, str]]) -> str:
    return ", ".join(f"{column['Name']} {column['Type']}" for column in columns)


def _crawler(properties: Properties) -> dict[str, Any]:
    schedule = {"Schedule": properties["Schedule"]["ScheduleExpression"]} if "Schedule" in properties else {}
    return {**properties, **schedule}


def _job(properties: Properties) -> dict[str, Any]:
    numbers = {name: int(properties[name]) for name in ("NumberOfWorkers", "Timeout", "MaxRetries")}
    return {**properties, **numbers}
