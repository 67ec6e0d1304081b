"""Reading a CloudFormation template: its YAML with the short forms of the intrinsic functions, and its parameters."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from catalog.errors import UsageError

CODE_PARAMETERS = ("ArtifactsBucket", "LambdaKey", "JobScriptKey", "LibrariesKey", "QueriesKey", "BoardKey")
"""What packaging fills in; nobody sets these by hand."""


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads `!Ref x` as `{"Ref": x}` and any other `!Name x` as `{"Fn::Name": x}`."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def parse_template(text: str) -> dict[str, Any]:
    """Return a template's body with every short form written long."""
    body = yaml.load(text, Loader=_Loader)  # a subclass of SafeLoader
    assert isinstance(body, dict)
    return body


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a template and what its value must be; patterns match the whole value."""

    name: str
    type: str
    default: str | None = None
    allowed_values: tuple[str, ...] = ()
    allowed_pattern: str | None = None
    least: float | None = None
    most: float | None = None
    constraint: str | None = None

    def check(self, value: str) -> None:
        """Raise `UsageError` unless the template would take `value`."""
        if self.allowed_values and value not in self.allowed_values:
            raise UsageError(f"{self.name} must be one of {', '.join(self.allowed_values)}; got {value!r}")
        if self.type == "Number":
            self._check_number(value)
        if self.allowed_pattern is not None and not re.fullmatch(self.allowed_pattern, value):
            raise UsageError(f"{self.name} {self.constraint or f'must match {self.allowed_pattern}'}; got {value!r}")

    def _check_number(self, value: str) -> None:
        try:
            number = float(value)
        except ValueError:
            raise UsageError(f"{self.name} must be a number; got {value!r}") from None
        if self.least is not None and not number >= self.least:
            raise UsageError(f"{self.name} must be at least {self.least:.0f}; got {value!r}")
        if self.most is not None and not number <= self.most:
            raise UsageError(f"{self.name} must be at most {self.most:.0f}; got {value!r}")


def declared_parameters(template: Mapping[str, Any]) -> dict[str, Parameter]:
    """Return the template's parameters by name, in the template's order."""
    return {
        name: Parameter(
            name,
            body["Type"],
            str(body["Default"]) if "Default" in body else None,
            tuple(str(value) for value in body.get("AllowedValues", ())),
            body.get("AllowedPattern"),
            body.get("MinValue"),
            body.get("MaxValue"),
            body.get("ConstraintDescription"),
        )
        for name, body in template["Parameters"].items()
    }


def parse_assignments(assignments: Sequence[str], declared: Mapping[str, Parameter]) -> dict[str, str]:
    """Return `NAME=VALUE` texts as a mapping; raise `UsageError` for an unknown name or a bad value."""
    known = {name: parameter for name, parameter in declared.items() if name not in CODE_PARAMETERS}
    values: dict[str, str] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"a parameter must be given as NAME=VALUE; got {assignment!r}")
        if name in CODE_PARAMETERS:
            raise UsageError(f"{name} is set by the command itself, from the code it uploads; got {value!r}")
        if name not in known:
            raise UsageError(f"a parameter must be one of {', '.join(known)}; got {name!r}")
        known[name].check(value)
        values[name] = value
    return values
