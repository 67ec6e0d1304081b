"""A picture of the template: which part names which, as Mermaid text that code hosts draw."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_SHAPES: Mapping[str, tuple[str, str]] = {
    "AWS::S3::Bucket": ("[(", ")]"),
    "AWS::DynamoDB::Table": ("[(", ")]"),
    "AWS::Kinesis::Stream": ("([", "])"),
    "AWS::KinesisFirehose::DeliveryStream": ("([", "])"),
    "AWS::SNS::Topic": ("{{", "}}"),
}
_LEFT_OUT = (
    "AWS::IAM::Role",
    "AWS::IAM::ManagedPolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SNS::Subscription",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
)
"""Who may do what is in a table of its own; these would hide the rest."""
_TOGETHER: Mapping[str, str] = {"AWS::CloudWatch::Alarm": "Alarms", "AWS::Glue::Table": "Tables"}


def mermaid(template: Mapping[str, Any]) -> str:
    """Return a flowchart of the template's resources: an arrow goes from what names to what is named."""
    resources = template["Resources"]
    names = {
        name: _TOGETHER.get(body["Type"], name) for name, body in resources.items() if body["Type"] not in _LEFT_OUT
    }
    lines = ["flowchart LR"]
    for drawn in dict.fromkeys(names.values()):
        kind = resources[drawn]["Type"] if drawn in resources else ""
        left, right = _SHAPES.get(kind, ("[", "]"))
        lines.append(f'  {drawn}{left}"{drawn}<br/><small>{_service(kind or _type_of(drawn))}</small>"{right}')
    arrows = {
        (names[name], names[other])
        for name, body in resources.items()
        if name in names
        for other in references(body.get("Properties", {}))
        if other in names and names[other] != names[name]
    }
    return "\n".join(lines + [f"  {source} --> {target}" for source, target in sorted(arrows)]) + "\n"


def references(value: Any) -> Iterator[str]:
    """Yield the logical ids that a value names by Ref, GetAtt or Sub, at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if key == "Ref":
            yield inner
        elif key == "Fn::GetAtt":
            yield inner[0]
        elif key == "Fn::Sub" and isinstance(inner, str):
            yield from (name.split(".")[0] for name in re.findall(r"\$\{([A-Za-z0-9.]+)\}", inner))
        else:
            yield from references(inner)


def _type_of(drawn: str) -> str:
    return next(kind for kind, name in _TOGETHER.items() if name == drawn)


def _service(kind: str) -> str:
    return kind.removeprefix("AWS::").replace("::", " ")
