"""One CloudFormation stack: what state it is in, proposing and executing a change, following it, deleting it."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from catalog.errors import LoglakeError
from cloudformation.changes import Change, read_changes
from cloudformation.events import Event, concerns_stack, ends_operation, first_failure
from cloudformation.template import Parameter

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


class StackError(LoglakeError):
    """CloudFormation refused or failed; the text carries its own words."""


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change that waits to be executed or discarded. `creates` says whether its stack is new."""

    id: str
    stack_id: str
    creates: bool
    changes: tuple[Change, ...]


class Stack:
    """A stack by name; nothing is read before it is asked for. `sleep` stands for the clock in tests."""

    def __init__(self, client: Any, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._client = client
        self._sleep = sleep

    def describe(self) -> Mapping[str, Any] | None:
        """Return CloudFormation's description of the stack; None when there is none."""
        try:
            stack: Mapping[str, Any] = self._client.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return stack

    def propose(
        self,
        template: Mapping[str, str],
        values: Mapping[str, str],
        declared: Mapping[str, Parameter],
        tags: Mapping[str, str],
    ) -> ChangeSet | None:
        """Return what deploying `template` (`TemplateBody` or `TemplateURL`) would change; None when nothing would.

        A parameter that `values` leaves out keeps the value the stack has, or its default. What exists already under
        a name that the template gives as a literal, and is to be retained, is taken over.
        """
        stack = self.describe()
        creates = is_new(stack)
        known = {item["ParameterKey"] for item in (stack or {}).get("Parameters", ())} if not creates else set()
        created = self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"loglake-{time.time_ns()}",
            ChangeSetType="CREATE" if creates else "UPDATE",
            **template,
            Capabilities=list(CAPABILITIES),
            Parameters=_parameters(values, declared, known),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            ImportExistingResources=True,
        )
        return self._await_change_set(created["Id"], created["StackId"], creates)

    def discard(self, change_set: ChangeSet) -> None:
        """Delete the change set, and the empty stack that proposing a new one made."""
        self._client.delete_change_set(ChangeSetName=change_set.id)
        if change_set.creates:
            self._client.delete_stack(StackName=change_set.stack_id)

    def execute(self, change_set: ChangeSet) -> str | None:
        """Start the change; return the id of the last event before it, for `follow`."""
        last = self._last_event_id(change_set.stack_id)
        self._client.execute_change_set(ChangeSetName=change_set.id)
        return last

    def delete(self, stack_id: str) -> str | None:
        """Start deleting the stack; return the id of the last event before it, for `follow`."""
        last = self._last_event_id(stack_id)
        self._client.delete_stack(StackName=stack_id)
        return last

    def follow(self, stack_id: str, last_event_id: str | None) -> Iterator[Event]:
        """Yield the stack's events after `last_event_id`, oldest first, as they happen, until the operation ends."""
        delay = 0.2
        while True:
            events = self._events_after(stack_id, last_event_id)
            for event in events:
                yield event
                if ends_operation(event):
                    return
            last_event_id = events[-1]["EventId"] if events else last_event_id
            delay = 0.2 if events else min(delay * 1.5, 3.0)
            self._sleep(delay)

    def await_final_state(self) -> None:
        """Return when nobody is changing the stack, or it is gone."""
        while (stack := self.describe()) and stack["StackStatus"].endswith("_IN_PROGRESS"):
            self._sleep(2.0)

    def first_failure(self, stack_id: str, events: Iterable[Event] | None = None) -> Event | None:
        """Return what failed first in `events`, oldest first, or in the stack's whole life; None if nothing did."""
        failure = first_failure(self._events_after(stack_id, None) if events is None else events)
        if failure is None or not concerns_stack(failure):
            return failure
        found = self._client.describe_events(StackName=stack_id, Filters={"FailedEvents": True})["OperationEvents"]
        invalid = [event for event in found if event.get("ValidationStatusReason")]
        if not invalid:
            return failure
        return {**failure, **invalid[-1], "ResourceStatusReason": invalid[-1]["ValidationStatusReason"]}

    def bucket_names(self, stack_id: str) -> tuple[str, ...]:
        """Return the names of the stack's buckets."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack_id)
        resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
        return tuple(r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::S3::Bucket")

    def _await_change_set(self, change_set_id: str, stack_id: str, creates: bool) -> ChangeSet | None:
        delay = 0.1
        while (answer := self._client.describe_change_set(ChangeSetName=change_set_id))["Status"] not in (
            "CREATE_COMPLETE",
            "FAILED",
        ):
            self._sleep(delay)
            delay = min(delay * 1.5, 3.0)
        pages = self._client.get_paginator("describe_change_set").paginate(ChangeSetName=change_set_id)
        described = [change for page in pages for change in page["Changes"]]
        changes = read_changes(described)
        change_set = ChangeSet(change_set_id, stack_id, creates, changes)
        is_routine = bool(described) and not changes
        if answer["Status"] == "CREATE_COMPLETE" and not is_routine:
            return change_set
        self.discard(change_set)
        if is_routine:
            return None
        reason = answer.get("StatusReason", "no reason given")
        if any(words in reason for words in _NOTHING_TO_DO):
            return None
        raise StackError(f"the change set of stack {self.name!r} must be valid; got {reason!r}")

    def _events_after(self, stack_id: str, last_event_id: str | None) -> list[Event]:
        found: list[Event] = []
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack_id):
            for event in page["StackEvents"]:  # newest first
                if event["EventId"] == last_event_id:
                    return found[::-1]
                found.append(event)
        return found[::-1]

    def _last_event_id(self, stack_id: str) -> str | None:
        events = self._client.describe_stack_events(StackName=stack_id)["StackEvents"]
        return events[0]["EventId"] if events else None


def is_new(stack: Mapping[str, Any] | None) -> bool:
    """Say whether a described stack has yet to be created."""
    return stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS"


def _parameters(
    values: Mapping[str, str], declared: Mapping[str, Parameter], known: Collection[str]
) -> list[dict[str, Any]]:
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]
    kept = [name for name in declared if name in known and name not in values]
    return given + [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
