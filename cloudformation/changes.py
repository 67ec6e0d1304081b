"""What a change set would do, and which of it loses something."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

_LOST: Mapping[str, str] = {
    "AWS::Kinesis::Stream": "events not delivered yet",
    "AWS::KinesisFirehose::DeliveryStream": "events in its buffer",
    "AWS::Glue::Database": "its tables, until the next crawl and repair",
    "AWS::Glue::Table": "its partitions, until they are repaired",
    "AWS::S3::Bucket": "its objects",
}
"""What goes when a resource of this type is removed or replaced; other types hold nothing."""


@dataclass(frozen=True, slots=True)
class Change:
    """One resource's change. `action` is Add, Modify, Replace, Maybe replace, Remove or Import."""

    action: str
    resource: str
    type: str
    properties: tuple[str, ...] = ()
    loses: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the change for JSON."""
        return asdict(self)


def read_changes(described: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Return CloudFormation's `Changes`, removals and replacements first.

    A nested stack is in every change set, as CloudFormation does not look into it first. Ours change their key when
    they change, so what has no other source than that is left out.
    """
    found = [item["ResourceChange"] for item in described if "ResourceChange" in item]
    changes = [_read(change) for change in found if not _is_routine(change)]
    return tuple(sorted(changes, key=lambda change: (_ORDER.index(change.action), change.resource)))


_ORDER = ("Remove", "Replace", "Maybe replace", "Modify", "Import", "Add")
_REPLACEMENTS = {"True": "Replace", "Conditional": "Maybe replace"}


def _read(change: Mapping[str, Any]) -> Change:
    action = change["Action"]
    if action in ("Modify", "Dynamic"):
        action = _REPLACEMENTS.get(change.get("Replacement", "False"), "Modify")
    kept = change.get("PolicyAction") in ("Retain", "ReplaceAndRetain")
    destroys = action in ("Remove", "Replace", "Maybe replace") and not kept
    return Change(
        action,
        change["LogicalResourceId"],
        change["ResourceType"],
        _properties(change),
        _LOST.get(change["ResourceType"]) if destroys else None,
    )


def _is_routine(change: Mapping[str, Any]) -> bool:
    """Say whether a change is one that CloudFormation proposes of a nested stack each time."""
    sources = {detail.get("ChangeSource") for detail in change.get("Details", ())}
    return change["ResourceType"] == "AWS::CloudFormation::Stack" and sources == {"Automatic"}


def _properties(change: Mapping[str, Any]) -> tuple[str, ...]:
    targets = [detail.get("Target", {}) for detail in change.get("Details", ())]
    return tuple(sorted({target.get("Name") or target.get("Attribute", "") for target in targets} - {""}))
