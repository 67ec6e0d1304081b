"""Resource types that our template uses and ministack's CloudFormation does not know: today `AWS::Athena::NamedQuery`.

`install()` registers them in the emulator's own table of handlers, before it answers its first request. The emulator
is pinned in `setup.cfg`; a test deploys the template, so a release that moves the table is noticed.
"""

import json
from typing import Any

Properties = dict[str, Any]
Attributes = dict[str, str]


def install() -> None:
    """Teach this process's ministack the missing types; what it knows by itself already is left alone."""
    from ministack.services.cloudformation import provisioners

    provisioners._RESOURCE_HANDLERS.setdefault(
        "AWS::Athena::NamedQuery",
        {"create": create_named_query, "update": replace_named_query, "delete": delete_named_query},
    )


def create_named_query(logical_id: str, properties: Properties, stack_name: str) -> tuple[str, Attributes]:
    """Create the query; its physical id is Athena's id of it. Name defaults to the logical id."""
    from ministack.services import athena

    request = {"Name": logical_id, "WorkGroup": "primary", **properties}
    _, _, body = athena._create_named_query(request)
    query_id = str(json.loads(body)["NamedQueryId"])
    return query_id, {"NamedQueryId": query_id}


def replace_named_query(physical_id: str, old: Properties, new: Properties, stack_name: str) -> tuple[str, Attributes]:
    """Create the new one, then delete the old one: every property of a named query is create-only."""
    created = create_named_query(str(old.get("Name", physical_id)), new, stack_name)
    delete_named_query(physical_id, old)
    return created


def delete_named_query(physical_id: str, properties: Properties) -> None:
    """Delete the query; one that is gone already is no error."""
    from ministack.services import athena

    athena._delete_named_query({"NamedQueryId": physical_id})
