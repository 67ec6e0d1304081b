"""The rules of `cloudformation/rules/`, run by AWS CloudFormation Guard itself over a parsed template."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cloudformation.sections import TEMPLATE

RULES = tuple(sorted(TEMPLATE.with_name("rules").glob("*.guard")))


def rule_names(path: Path) -> tuple[str, ...]:
    """Return the names of a file's rules; a rule with parameters is a part of others and has no result of its own."""
    return tuple(re.findall(r"^rule (\w+) ", path.read_text(encoding="utf-8"), re.MULTILINE))


def broken_rules(template: Mapping[str, Any], *paths: Path) -> list[str]:
    """Return the names of the files' rules that the template breaks; all rules when no file is given."""
    return [rule for path in paths or RULES for rule in _broken(template, path)]


def file_of(rule: str) -> Path:
    """Return the file that holds a rule."""
    return next(path for path in RULES if rule in rule_names(path))


def _broken(template: Mapping[str, Any], path: Path) -> list[str]:
    guard = pytest.importorskip("cfn_guard_rs.cfn_guard_rs", reason="cfn_guard_rs has no wheel for this Python")
    rules = path.read_text(encoding="utf-8")
    # The verbose report, because the wheel loses the beginning of a short one that is longer than its buffer.
    report = json.loads(guard.run_checks_rs(json.dumps(_plain(template)), rules, True))
    results = [rule["container"]["RuleCheck"] for rule in report["children"]]
    return [result["name"] for result in results if result["status"] == "FAIL"]


def _plain(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the template without its loops, which have no type; they make endpoints, of which no rule tells."""
    resources = {name: body for name, body in template["Resources"].items() if not name.startswith("Fn::")}
    return {**template, "Resources": resources}
