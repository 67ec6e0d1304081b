from pathlib import Path

import pytest

from catalog.errors import LoglakeError
from localcloud.delivery.buffers import Buffers
from localcloud.delivery.pipeline import Group

A = (("partitionKeyFromLambda:service", "a"),)
B = (("partitionKeyFromLambda:service", "b"),)


def group(keys: tuple[tuple[str, str], ...], *parts: bytes, oldest_ms: int = 5) -> Group:
    return Group(keys, "", oldest_ms, list(parts))


def contents(buffers: Buffers) -> dict[str, bytes]:
    due = buffers.due(1e12, 0, 0)
    return {each.keys[0][1]: buffers.path(each).read_bytes()[: each.length] for each in due}


def test_buffers_survive_a_restart_with_the_offset_they_include(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"1", b"2"), group(B, b"3")], 100, now=1.0)
    buffers.append([group(A, b"4", oldest_ms=2)], 200, now=2.0)
    again = Buffers(tmp_path)
    assert again.offset == 200
    assert contents(again) == {"a": b"124", "b": b"3"}
    assert again.oldest_ms() == 2


def test_bytes_of_an_uncommitted_batch_do_not_count(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"one")], 100, now=1.0)
    journal = (tmp_path / "journal.json").read_bytes()
    buffers.append([group(A, b"two"), group(B, b"three")], 200, now=1.0)
    (tmp_path / "journal.json").write_bytes(journal)  # the kill came before the second commit
    again = Buffers(tmp_path)
    assert again.offset == 100
    again.append([group(A, b"TWO"), group(B, b"THREE")], 200, now=1.0)
    assert contents(again) == {"a": b"oneTWO", "b": b"THREE"}
    assert len(list(tmp_path.glob("*.buffer"))) == 2


def test_a_full_disk_leaves_the_buffers_as_they_were(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"one")], 100, now=1.0)
    (tmp_path / "journal.json.tmp").mkdir()  # the journal can't be written
    with pytest.raises(OSError):
        buffers.append([group(A, b"two")], 200, now=1.0)
    (tmp_path / "journal.json.tmp").rmdir()
    assert buffers.offset == 100
    buffers.append([group(A, b"TWO")], 200, now=1.0)
    assert contents(buffers) == {"a": b"oneTWO"}


def test_a_full_disk_leaves_buffers_unsealed_and_unremoved(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"one")], 100, now=1.0)
    (tmp_path / "journal.json.tmp").mkdir()
    with pytest.raises(OSError):
        buffers.seal([(each, "bucket", "key") for each in buffers.due(1e9, 0, 0)])
    assert (buffers.sealed(), contents(buffers)) == ([], {"a": b"one"})
    (tmp_path / "journal.json.tmp").rmdir()
    buffers.seal([(each, "bucket", "key") for each in buffers.due(1e9, 0, 0)])
    (tmp_path / "journal.json.tmp").mkdir()
    with pytest.raises(OSError):
        buffers.remove(buffers.sealed()[0])
    assert len(buffers.sealed()) == 1
    assert buffers.path(buffers.sealed()[0]).exists()


def test_a_buffer_is_due_by_its_size_or_by_the_age_of_its_first_record(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"x" * 10)], 1, now=100.0)
    buffers.append([group(A, b"x" * 10), group(B, b"x")], 2, now=150.0)
    assert buffers.due(159.9, 21, 60) == []
    assert [each.keys for each in buffers.due(160.0, 21, 60)] == [A]
    assert [each.keys for each in buffers.due(159.0, 20, 60)] == [A]


def test_a_sealed_buffer_keeps_its_key_over_a_restart_and_its_partition_opens_anew(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"old")], 1, now=1.0)
    buffers.seal([(each, "bucket", "the/key") for each in buffers.due(1e9, 0, 0)])
    buffers.append([group(A, b"new")], 2, now=2.0)
    again = Buffers(tmp_path)
    (sealed,) = again.sealed()
    assert (sealed.bucket, sealed.key, again.path(sealed).read_bytes()) == ("bucket", "the/key", b"old")
    assert contents(again) == {"a": b"new"}
    assert again.active_partitions() == 2
    again.remove(sealed)
    assert Buffers(tmp_path).sealed() == []


@pytest.mark.parametrize("content", [b"", b'{"offset": 2', None])
def test_a_torn_journal_is_taken_from_its_earlier_generation(tmp_path: Path, content: bytes | None) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"one")], 100, now=1.0)
    buffers.append([group(A, b"two"), group(B, b"three")], 200, now=1.0)
    assert buffers.releasable == 100
    (tmp_path / "journal.json").unlink()
    if content is not None:
        (tmp_path / "journal.json").write_bytes(content)
    again = Buffers(tmp_path)
    assert (again.offset, contents(again)) == (100, {"a": b"one"})


def test_two_torn_journals_stop_the_start_and_nothing_is_removed(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"one")], 100, now=1.0)
    (tmp_path / "journal.json").write_bytes(b"{")
    with pytest.raises(LoglakeError, match="a delivery journal must be whole"):
        Buffers(tmp_path)
    assert len(list(tmp_path.glob("*.buffer"))) == 1


def test_a_delivered_buffer_in_the_earlier_journal_is_not_delivered_again(tmp_path: Path) -> None:
    buffers = Buffers(tmp_path)
    buffers.append([group(A, b"one")], 100, now=1.0)
    buffers.seal([(each, "bucket", "key") for each in buffers.due(1e9, 0, 0)])
    buffers.remove(buffers.sealed()[0])
    (tmp_path / "journal.json").unlink()
    assert Buffers(tmp_path).sealed() == []
