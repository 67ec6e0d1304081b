"""What a template's functions stand for in a stack that exists: its parameters, its resources' names, its conditions.

Only the functions that `pipeline.yaml` uses are known; an unknown one raises `KeyError`: the template is our own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ABSENT = object()
_PLACE = re.compile(r"\$\{([^}!]+)\}")


@dataclass(frozen=True, slots=True)
class Names:
    """What `Ref` gives, parameters, pseudo parameters and physical ids alike; the ARNs follow from them."""

    refs: Mapping[str, str]
    conditions: Mapping[str, Any]
    types: Mapping[str, str]

    def resolve(self, value: Any) -> Any:
        """Return `value` of the template with every function replaced by what it stands for."""
        found = self._resolve(value)
        return None if found is _ABSENT else found

    def holds(self, condition: str) -> bool:
        """Say whether a condition of the template is true in this stack."""
        return bool(self._resolve(self.conditions[condition]))

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [found for item in value if (found := self._resolve(item)) is not _ABSENT]
        if not isinstance(value, dict):
            return value
        name, *more = value or ("",)
        if not more and (name == "Ref" or name.startswith("Fn::")):
            return self._call(name, value[name])
        return {key: found for key, item in value.items() if (found := self._resolve(item)) is not _ABSENT}

    def _call(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return _ABSENT if argument == "AWS::NoValue" else self.refs[argument]
        if function == "Fn::If":
            return self._resolve(argument[1] if self.holds(argument[0]) else argument[2])
        if function == "Fn::Equals":
            return self._resolve(argument[0]) == self._resolve(argument[1])
        if function == "Fn::Not":
            return not self._resolve(argument[0])
        if function == "Fn::GetAtt":
            return self._attribute(*argument)
        if function == "Fn::Sub":
            return _PLACE.sub(lambda found: self._place(found[1]), argument)
        raise KeyError(function)

    def _place(self, name: str) -> str:
        resource, dot, attribute = name.partition(".")
        return self._attribute(resource, attribute) if dot else self.refs[name]

    def _attribute(self, resource: str, attribute: str) -> str:
        partition, account = self.refs["AWS::Partition"], self.refs["AWS::AccountId"]
        arns = {
            "AWS::S3::Bucket": f"arn:{partition}:s3:::",
            "AWS::IAM::Role": f"arn:{partition}:iam::{account}:role/",
        }
        if attribute != "Arn":
            raise KeyError(f"{resource}.{attribute}")
        return arns[self.types[resource]] + self.refs[resource]
