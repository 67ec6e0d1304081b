"""What ministack's CloudFormation does otherwise than AWS, of what our template needs, made right.

* `AWS::Athena::NamedQuery` is unknown to it.
* A parameter of type Number reaches a resource as text, where AWS converts it to what the property takes.
* A change set that takes over existing buckets announces so, then fails because the buckets exist.
* Deleting a bucket deletes what is in it, where AWS refuses.
* A job forgets its ExecutionProperty, and with it how many runs may go at once.

`install()` works on ministack's own tables, before the first request. ministack is pinned in `setup.cfg`, and a test
deploys the template, so a release that moves these is noticed.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

Properties = dict[str, Any]
Attributes = dict[str, str]

_NUMBERS: Mapping[str, frozenset[str]] = {
    "AWS::Athena::WorkGroup": frozenset({"BytesScannedCutoffPerQuery"}),
    "AWS::ECS::Service": frozenset({"DesiredCount"}),
    "AWS::Glue::Job": frozenset({"Timeout", "NumberOfWorkers", "MaxRetries"}),
    "AWS::Kinesis::Stream": frozenset({"ShardCount", "RetentionPeriodHours"}),
    "AWS::KinesisFirehose::DeliveryStream": frozenset({"IntervalInSeconds", "SizeInMBs", "DurationInSeconds"}),
    "AWS::Lambda::Function": frozenset({"MemorySize", "Timeout"}),
    "AWS::Logs::LogGroup": frozenset({"RetentionInDays"}),
}
"""Properties that AWS takes as a number, wherever they stand in a resource of the type."""

_taken_over: ContextVar[frozenset[str]] = ContextVar("_taken_over", default=frozenset())


def install() -> None:
    """Bend this process's ministack; calling it twice does no harm."""
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    if "AWS::Athena::NamedQuery" in handlers:
        return
    handlers["AWS::Athena::NamedQuery"] = {
        "create": create_named_query,
        "update": replace_named_query,
        "delete": delete_named_query,
    }
    for resource_type, names in _NUMBERS.items():
        _convert_numbers(handlers[resource_type], names)
    _refuse_full_buckets(handlers["AWS::S3::Bucket"])
    _allow_taking_over()
    _keep_execution_property()


def create_named_query(logical_id: str, properties: Properties, stack_name: str) -> tuple[str, Attributes]:
    """Create the query; its physical id is Athena's id of it. Name defaults to the logical id."""
    from ministack.services import athena

    _, _, body = athena._create_named_query({"Name": logical_id, "WorkGroup": "primary", **properties})
    query_id = str(json.loads(body)["NamedQueryId"])
    return query_id, {"NamedQueryId": query_id}


def replace_named_query(physical_id: str, old: Properties, new: Properties, stack_name: str) -> tuple[str, Attributes]:
    """Create the new one, then delete the old one, for every property is create-only; keep it if nothing changed."""
    if old == new:
        return physical_id, {"NamedQueryId": physical_id}
    created = create_named_query(str(old.get("Name", physical_id)), new, stack_name)
    delete_named_query(physical_id, old)
    return created


def delete_named_query(physical_id: str, properties: Properties) -> None:
    """Delete the query; one that is gone already is no error."""
    from ministack.services import athena

    athena._delete_named_query({"NamedQueryId": physical_id})


def with_numbers(properties: Any, names: frozenset[str]) -> Any:
    """Return a copy in which the named properties, at any depth, are numbers if they are the text of one."""
    if isinstance(properties, list):
        return [with_numbers(item, names) for item in properties]
    if not isinstance(properties, dict):
        return properties
    return {
        name: int(value) if name in names and isinstance(value, str) and value.isdigit() else with_numbers(value, names)
        for name, value in properties.items()
    }


def _convert_numbers(handler: dict[str, Any], names: frozenset[str]) -> None:
    create, update = handler["create"], handler["update"]

    def create_converted(logical_id: str, properties: Properties, stack_name: str) -> Any:
        return create(logical_id, with_numbers(properties, names), stack_name)

    def update_converted(physical_id: str, old: Properties, new: Properties, *rest: Any, **more: Any) -> Any:
        return update(physical_id, with_numbers(old, names), with_numbers(new, names), *rest, **more)

    handler["create"], handler["update"] = create_converted, update_converted


def _refuse_full_buckets(handler: dict[str, Any]) -> None:
    delete = handler["delete"]

    def delete_empty(physical_id: str, properties: Properties) -> None:
        from ministack.services import s3

        if s3._buckets.get(physical_id, {}).get("objects"):
            raise ValueError("The bucket you tried to delete is not empty (Service: S3, Status Code: 409)")
        delete(physical_id, properties)

    handler["delete"] = delete_empty


def _allow_taking_over() -> None:
    from ministack.services.cloudformation import changesets, stacks

    deploy, find_errors = changesets._deploy_stack_async, stacks._validation_errors

    async def deploy_taking_over(*arguments: Any, imports: Mapping[str, Any] | None = None, **more: Any) -> Any:
        _taken_over.set(frozenset(imports or ()))
        return await deploy(*arguments, imports=imports, **more)

    def find_other_errors(*arguments: Any) -> list[Any]:
        conflict = "NAME_CONFLICT_VALIDATION"
        errors = find_errors(*arguments)
        return [error for error in errors if not (error[0] in _taken_over.get() and error[2] == conflict)]

    changesets._deploy_stack_async = deploy_taking_over
    stacks._validation_errors = find_other_errors


def _keep_execution_property() -> None:
    """Let CreateJob and UpdateJob, and CloudFormation with them, keep what ministack leaves out of a job's record."""
    from ministack.services import glue
    from ministack.services.cloudformation import provisioners

    fields, create, update = provisioners._glue_job_fields, glue._create_job, glue._update_job

    def fields_kept(properties: Properties) -> Properties:
        kept = {name: properties[name] for name in ("ExecutionProperty",) if name in properties}
        return {**fields(properties), **kept}

    def keep(name: str, given: Properties) -> None:
        if name in glue._jobs and "ExecutionProperty" in given:
            runs = (given["ExecutionProperty"] or {}).get("MaxConcurrentRuns", 1)
            glue._jobs[name]["ExecutionProperty"] = {"MaxConcurrentRuns": int(runs)}

    def create_kept(request: Properties) -> Any:
        is_new = request.get("Name") not in glue._jobs
        answer = create(request)
        if is_new:
            keep(request.get("Name", ""), request)
        return answer

    def update_kept(request: Properties) -> Any:
        answer = update(request)
        keep(request.get("JobName", ""), request.get("JobUpdate") or {})
        return answer

    provisioners._glue_job_fields = fields_kept
    glue._create_job, glue._update_job = create_kept, update_kept
