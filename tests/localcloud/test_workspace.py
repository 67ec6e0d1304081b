from pathlib import Path

import pytest

from localcloud.workspace import Workspace, WorkspaceError, read_object, write_json


def test_an_absent_directory_is_claimed_and_claimed_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "data")
    workspace.claim()
    workspace.claim()
    assert read_object(workspace.marker) == {"format": 1}
    assert workspace.ledger.is_dir()


def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(WorkspaceError) as failure:
        Workspace(tmp_path).claim()
    assert str(failure.value) == (
        f"the data directory must be empty or made by 'loglake up'; got {str(tmp_path)!r}, "
        "which holds other files and no loglake.json; name another with --data-dir"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "loglake.json", {"format": 99})
    with pytest.raises(WorkspaceError, match="format must be 1; got 99"):
        Workspace(tmp_path).claim()


def test_a_torn_marker_is_written_anew_and_the_data_kept(tmp_path: Path) -> None:
    (tmp_path / "loglake.json").write_text('{"for')
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "run.jsonl").write_text("counts")
    Workspace(tmp_path).claim()
    assert read_object(tmp_path / "loglake.json") == {"format": 1}
    assert (tmp_path / "ledger" / "run.jsonl").read_text() == "counts"


def test_a_file_in_place_of_the_directory_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(
        WorkspaceError, match="the data directory must be writable; got .*; name another with --data-dir"
    ):
        Workspace(tmp_path / "data").claim()


def test_two_runs_cannot_hold_one_directory(tmp_path: Path) -> None:
    import os

    workspace = Workspace(tmp_path)
    workspace.claim()
    with workspace.lock(), pytest.raises(WorkspaceError) as failure:
        workspace.lock()
    assert str(failure.value) == (
        f"one 'loglake up' may run on a data directory; process {os.getpid()} runs on {str(tmp_path)!r}; "
        "see it with 'loglake status', stop it with 'loglake down'"
    )
    workspace.lock().close()


def test_a_torn_json_file_reads_as_empty(tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text('{"pid": 1')
    assert read_object(tmp_path / "torn.json") == {}
