import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from catalog.errors import LoglakeError
from cloudformation.packaging import build_artifacts, zip_packages

SOURCES = {
    "catalog/__init__.py": "",
    "catalog/schema.py": "A = 1\n",
    "catalog/cli.py": "import click\n",
    "catalog/queries/x.sql": "SELECT 1\n",
    "firehose/__init__.py": "",
    "firehose/transform.py": "def handler(event, context): ...\n",
    "glue_streaming/job.py": "print('run')\n",
    "glue_streaming/__init__.py": "",
    "glue_streaming/__pycache__/job.cpython-311.py": "",
}


def write(folder: Path, order: list[str]) -> Path:
    for name in order:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCES[name])
    return folder


def test_the_same_sources_give_the_same_keys(tmp_path: Path) -> None:
    first = write(tmp_path / "first", sorted(SOURCES))
    second = write(tmp_path / "second", sorted(SOURCES, reverse=True))
    for path in second.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    assert build_artifacts(first) == build_artifacts(second)
    assert [artifact.key for artifact in build_artifacts(first)] == [a.key for a in build_artifacts(second)]


def test_another_content_gives_another_key_only_where_it_is_used(tmp_path: Path) -> None:
    sources = write(tmp_path, list(SOURCES))
    before = {artifact.parameter: artifact.key for artifact in build_artifacts(sources)}
    (sources / "firehose/transform.py").write_text("def handler(event, context): return event\n")
    after = {artifact.parameter: artifact.key for artifact in build_artifacts(sources)}
    assert {name for name in before if before[name] != after[name]} == {"LambdaKey"}


def test_a_zip_holds_the_packages_python_files_without_commands(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zip_packages(write(tmp_path, list(SOURCES)), ("firehose", "catalog"))))
    assert archive.namelist() == [
        "catalog/__init__.py",
        "catalog/schema.py",
        "firehose/__init__.py",
        "firehose/transform.py",
    ]


def test_missing_code_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoglakeError) as failure:
        build_artifacts(tmp_path)
    assert str(failure.value) == (
        f"the code to deploy must lie beside this package: firehose/transform.py; got none in {tmp_path}"
    )


@pytest.mark.parametrize(("parameter", "module"), [("LambdaKey", "firehose.transform")])
def test_a_zip_imports_with_the_standard_library_alone(tmp_path: Path, parameter: str, module: str) -> None:
    (artifact,) = (artifact for artifact in build_artifacts() if artifact.parameter == parameter)
    (tmp_path / "code.zip").write_bytes(artifact.body)
    program = f"import sys; sys.path.insert(0, sys.argv[1]); import {module}; print(sys.modules[{module!r}].__file__)"
    # -I -S: neither the checkout nor site-packages can be imported from.
    command = [sys.executable, "-I", "-S", "-c", program, str(tmp_path / "code.zip")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr == ""
    assert "code.zip" in done.stdout
