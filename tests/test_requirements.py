"""What the product imports is installed with it, not only beside its tests."""

import ast
import configparser
import re
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.conftest import REPOSITORY

FOLDERS = ("catalog", "cloudformation", "consumer", "dashboard", "firehose", "glue_streaming", "localcloud", "producer")

COMES_WITH = {"botocore": "boto3", "flask": "dash", "werkzeug": "dash", "markupsafe": "dash", "py4j": "pyspark"}
"""Modules that are part of what a requirement promises."""


def imported(folder: str) -> set[str]:
    """Return the top-level modules that a folder's code imports, at its top or later."""
    found = set()
    for path in (REPOSITORY / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {*FOLDERS, "loglake"}


@pytest.fixture(scope="module")
def required() -> set[str]:
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    extras = config["options.extras_require"]
    lines = "\n".join(
        [config["options"]["install_requires"], *(extras[name] for name in ("dashboard", "kcl", "local"))]
    )
    return {_normal(re.split(r"[\[<>=;~! ]", line)[0]) for line in lines.split("\n") if line}


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_a_folder_imports_is_a_requirement(folder: str, required: set[str]) -> None:
    distributions = packages_distributions()
    missing = {
        name
        for name in imported(folder)
        if name in distributions
        and not required & {COMES_WITH.get(name) or _normal(each) for each in distributions[name]}
    }
    assert missing == set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
