"""Deploying and destroying a stack: the steps in their order, each done by the module that knows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from catalog.errors import LoglakeError
from catalog.settings import stack_outputs
from cloudformation import buckets, mending, report
from cloudformation.account import Account
from cloudformation.changes import Change
from cloudformation.drift import Drift, detect_drift, is_gone
from cloudformation.events import Event, explain
from cloudformation.mending import Ask
from cloudformation.packaging import Artifact, build_artifacts
from cloudformation.sections import TEMPLATE
from cloudformation.stack import ChangeSet, Stack, StackError, is_new
from cloudformation.template import Parameter, declared_parameters, parse_assignments, parse_template

MAX_BODY_BYTES = 51_200
"""CloudFormation's limit for a template in a request; in S3 it may have 1 MB."""

_REPLACEABLE = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
"""States that a stack can only leave by being deleted."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a deployment ended: `status` is created, updated, unchanged, or started when nobody waited."""

    stack_name: str
    status: str
    changes: tuple[Change, ...]
    outputs: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return {
            "stack": self.stack_name,
            "status": self.status,
            "changes": [change.as_dict() for change in self.changes],
            "outputs": dict(self.outputs),
        }


def code_parameters(bucket: str, artifacts: Sequence[Artifact]) -> dict[str, str]:
    """Return the template's parameters that say where the code is."""
    return {"ArtifactsBucket": bucket} | {artifact.parameter: artifact.key for artifact in artifacts}


class Deployment:
    """One deployment of `pipeline.yaml`; `ask` answers its questions."""

    def __init__(self, account: Account, stack_name: str, console: Console, ask: Ask) -> None:
        self._account = account
        self._stack = Stack(account.cloudformation, stack_name)
        self._console = console
        self._ask = ask
        self._artifacts = build_artifacts()
        self._bucket = buckets.artifacts_bucket(stack_name, account.id, account.region)
        self._made_bucket = False

    def run(self, assignments: Sequence[str], wait: bool) -> Result:
        """Bring the stack to the template, the code and the parameters; raise `LoglakeError` when that fails."""
        template = TEMPLATE.read_text(encoding="utf-8")
        declared = declared_parameters(parse_template(template))
        given = parse_assignments(assignments, declared)
        self._clear_the_way()
        self._refuse_unless(mending.mend(self._account, self._stack, self._console, self._ask, self._tags))
        change_set = self._propose(template, declared, given)
        if change_set is None:
            self._upload()
            self._console.print(
                f"No changes: stack {self._stack.name} is as the template, the code and the parameters say."
            )
            return self._finish("unchanged", ())
        self._confirm(change_set)
        self._upload()
        return self._execute(change_set, wait)

    def compare(self, assignments: Sequence[str]) -> tuple[tuple[Change, ...], tuple[Drift, ...]]:
        """Return what deploying would change, and what was changed by hand since the last time; change nothing.

        A template that is too long for a request goes into the artifacts bucket, if there is one, and stays there.
        """
        template = TEMPLATE.read_text(encoding="utf-8")
        declared = declared_parameters(parse_template(template))
        change_set = self._propose(template, declared, parse_assignments(assignments, declared))
        if change_set is not None:
            self._discard(change_set)
        changes = change_set.changes if change_set else ()
        if change_set and change_set.creates:
            return changes, ()
        found = {
            *detect_drift(self._account.cloudformation, self._stack.name),
            *mending.differences(self._account, self._stack),
        }
        return changes, tuple(sorted(found, key=lambda drift: (not is_gone(drift), drift.resource, drift.property)))

    @property
    def _tags(self) -> dict[str, str]:
        return {"application": "loglake", "stack": self._stack.name}

    def _propose(self, template: str, declared: Mapping[str, Parameter], given: Mapping[str, str]) -> ChangeSet | None:
        if is_new(self._stack.describe()):  # an earlier stack of this name may have left its buckets
            account = self._account
            template = buckets.name_buckets_literally(template, self._stack.name, account.id, account.region)
        values = {**given, **code_parameters(self._bucket, self._artifacts)}
        return self._stack.propose(self._template_argument(template), values, declared, self._tags)

    def _template_argument(self, template: str) -> dict[str, str]:
        """Return how a request names the template: in itself, or in the artifacts bucket when it is too long."""
        if len(template.encode()) <= MAX_BODY_BYTES:
            return {"TemplateBody": template}
        account = self._account
        self._made_bucket = buckets.ensure_artifacts_bucket(account.s3, self._bucket, account.id, account.region)
        return {"TemplateURL": buckets.upload_template(account.s3, self._bucket, account.id, template)}

    def _discard(self, change_set: ChangeSet) -> None:
        """Leave nothing of a proposed change, nor the bucket that was made to propose it."""
        self._stack.discard(change_set)
        if self._made_bucket:
            buckets.delete_bucket(self._account.s3, self._bucket, self._account.id)

    def _clear_the_way(self) -> None:
        stack = self._stack.describe()
        status = stack["StackStatus"] if stack else ""
        if status in _REPLACEABLE:
            assert stack is not None
            failure = self._stack.first_failure(stack["StackId"])
            self._console.print(f"Stack {self._stack.name} is left over in {status}.", style="yellow")
            if failure:
                self._console.print(explain(failure), style="red", markup=False)
            self._refuse_unless(self._ask("Delete what is left of it (its buckets stay) and deploy anew?"))
            delete_and_follow(self._stack, stack["StackId"], self._console)
        elif status == "UPDATE_ROLLBACK_FAILED":
            raise StackError(
                f"stack {self._stack.name!r} must be in a final state; got {status!r}; "
                f"run 'aws cloudformation continue-update-rollback --stack-name {self._stack.name}'"
            )
        elif status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            self._console.print(f"Stack {self._stack.name} is in {status}; waiting until that is done.")
            self._stack.await_final_state()
            self._clear_the_way()

    def _confirm(self, change_set: ChangeSet) -> None:
        self._console.print(report.changes_table(self._stack.name, change_set.changes))
        self._console.print(report.changes_summary(change_set.changes))
        losing = [f"{change.resource} ({change.loses})" for change in change_set.changes if change.loses]
        question = f"This loses {', '.join(losing)}. Deploy all the same?" if losing else "Deploy?"
        try:
            agreed = self._ask(question)
        except BaseException:
            self._discard(change_set)
            raise
        if not agreed:
            self._discard(change_set)
        self._refuse_unless(agreed)

    def _refuse_unless(self, agreed: bool) -> None:
        if not agreed:
            raise LoglakeError("nothing was changed; run 'loglake deploy' again when it should be")

    def _upload(self) -> None:
        account = self._account
        if buckets.ensure_artifacts_bucket(account.s3, self._bucket, account.id, account.region):
            self._console.print(f"Created bucket {self._bucket}")
        for artifact in buckets.upload_missing(account.s3, self._bucket, account.id, self._artifacts):
            self._console.print(f"Uploaded {artifact.key} ({len(artifact.body):,} bytes)", highlight=False)

    def _execute(self, change_set: ChangeSet, wait: bool) -> Result:
        last_event_id = self._stack.execute(change_set)
        if not wait:
            self._console.print(f"Started; {self._see_again()}.")
            return Result(self._stack.name, "started", change_set.changes, {})
        events = self._follow(change_set, last_event_id)
        status = events[-1]["ResourceStatus"]
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
            failure = self._stack.first_failure(change_set.stack_id, events)
            reason = explain(failure) if failure else "no resource failed; see the stack's events"
            raise StackError(f"stack {self._stack.name!r} must reach a complete state; got {status!r}: {reason}")
        return self._finish("created" if change_set.creates else "updated", change_set.changes)

    def _follow(self, change_set: ChangeSet, last_event_id: str | None) -> list[Event]:
        follow = self._stack.follow(change_set.stack_id, last_event_id)
        try:
            return report.show_events(self._console, follow, len(change_set.changes))
        except KeyboardInterrupt:
            self._console.print(f"The change goes on without us; {self._see_again()}.")
            raise

    def _see_again(self) -> str:
        return f"'loglake deploy --stack-name {self._stack.name}' waits for it and shows the result"

    def _finish(self, status: str, changes: tuple[Change, ...]) -> Result:
        outputs = stack_outputs(self._stack.name, self._account.cloudformation)
        if status != "unchanged":
            self._console.print(report.outputs_table(self._stack.name, outputs))
        self._console.print("Next:")
        for command in report.next_commands(self._stack.name, outputs["ingest_mode"]):
            self._console.print(f"  {command}", highlight=False, soft_wrap=True)
        return Result(self._stack.name, status, changes, outputs)


def delete_and_follow(stack: Stack, stack_id: str, console: Console) -> None:
    """Delete the stack and show it going; raise `StackError` with the first reason if it can't go."""
    events = report.show_events(console, stack.follow(stack_id, stack.delete(stack_id)), 0)
    if events[-1]["ResourceStatus"] != "DELETE_COMPLETE":
        failure = stack.first_failure(stack_id, events)
        reason = explain(failure) if failure else "no resource failed; see the stack's events"
        raise StackError(f"stack {stack.name!r} must be deletable; got {events[-1]['ResourceStatus']!r}: {reason}")


def destroy_stack(account: Account, stack_name: str, console: Console, delete_data: bool) -> tuple[str, ...]:
    """Delete the stack if there is one, its buckets too with `delete_data`; return the names of the buckets left."""
    stack = Stack(account.cloudformation, stack_name)
    described = stack.describe()
    names = {
        *buckets.data_buckets(stack_name, account.id, account.region),
        buckets.artifacts_bucket(stack_name, account.id, account.region),
    }
    if described is None:
        console.print(f"There is no stack {stack_name}.")
    else:
        names.update(stack.bucket_names(described["StackId"]))
        delete_and_follow(stack, described["StackId"], console)
    left = tuple(name for name in sorted(names) if buckets.bucket_exists(account.s3, name, account.id))
    if not delete_data:
        return left
    for name in left:
        count = buckets.delete_bucket(account.s3, name, account.id)
        console.print(f"Deleted bucket {name} and {count:,} objects", highlight=False)
    return ()
