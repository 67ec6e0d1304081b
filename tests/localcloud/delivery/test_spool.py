import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.delivery.spool import Spool, SpoolFull


def read_all(spool: Spool, offset: int = 0, limit_bytes: int = 1000) -> list[bytes]:
    found: list[bytes] = []
    while True:
        payloads, reached = spool.read(offset, limit_bytes)
        if not payloads:
            return found
        found += payloads
        offset = reached


def test_spool_gives_back_what_was_appended_also_after_reopening(tmp_path: Path) -> None:
    payloads = [bytes([index]) * index for index in range(200)]
    spool = Spool(tmp_path, segment_bytes=1000)
    for start in range(0, 200, 7):
        spool.append(payloads[start : start + 7])
    assert read_all(spool) == payloads
    assert read_all(Spool(tmp_path, segment_bytes=1000)) == payloads
    assert len(list(tmp_path.iterdir())) > 10


def test_spool_cut_at_every_byte_of_its_last_frames_keeps_every_whole_frame(tmp_path: Path) -> None:
    payloads = [b"first", b"", b"x" * 300, b"second to last", b"last"]
    spool = Spool(tmp_path / "whole")
    ends = [spool.append([payload]) for payload in payloads]
    content = next((tmp_path / "whole").iterdir()).read_bytes()
    for cut in range(ends[1], len(content) + 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / f"{0:020d}.spool").write_bytes(content[:cut])
        reopened = Spool(folder)
        whole = [payload for payload, end in zip(payloads, ends, strict=True) if end <= cut]
        assert read_all(reopened) == whole
        reopened.append([b"after"])
        assert read_all(Spool(folder)) == [*whole, b"after"]
        reopened.close()


def test_spool_skips_a_damaged_frame_and_reads_the_next_segment(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=100)
    for index in range(10):
        spool.append([bytes([index]) * 60])
    first = sorted(tmp_path.iterdir())[0]
    damaged = bytearray(first.read_bytes())
    damaged[20] ^= 1
    first.write_bytes(damaged)
    assert read_all(spool) == [bytes([index]) * 60 for index in range(2, 10)]


def test_spool_deletes_segments_only_when_all_of_them_is_released(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=100)
    ends = [spool.append([b"x" * 60]) for _ in range(6)]
    spool.release(ends[2])
    assert spool.start == ends[1]
    assert len(read_all(spool, ends[2])) == 3
    assert Spool(tmp_path, segment_bytes=100).end == ends[-1]


def test_spool_gives_a_frame_larger_than_the_limit(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([b"x" * 100_000, b"y"])
    assert read_all(spool, limit_bytes=10) == [b"x" * 100_000, b"y"]


def test_spool_refuses_more_than_its_limit_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit_bytes=1000)
    spool.append([b"x" * 500])
    with pytest.raises(SpoolFull, match="508 bytes wait for delivery"):
        spool.append([b"y" * 500])
    assert read_all(spool) == [b"x" * 500]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.binary(max_size=80), max_size=5), max_size=20), st.integers(0, 2**32))
def test_spool_read_from_any_frame_gives_the_rest(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]], seed: int
) -> None:
    spool = Spool(tmp_path_factory.mktemp("spool"), segment_bytes=150)
    flat: list[bytes] = []
    offsets = [0]
    for batch in batches:
        for payload in batch:
            flat.append(payload)
            offsets.append(spool.append([payload]))
    start = random.Random(seed).randrange(len(offsets))
    assert read_all(spool, offsets[start], limit_bytes=64) == flat[start:]
    spool.close()


def test_spool_shows_what_it_holds_only_once_the_block_ended(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=100)
    spool.append([b"first"])
    with spool.holding([b"second" * 40]):
        assert read_all(spool) == [b"first"]
    assert read_all(spool) == [b"first", b"second" * 40]


def test_spool_takes_back_what_it_held_when_the_block_raises(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=100)
    end = spool.append([b"first"])
    with pytest.raises(ZeroDivisionError), spool.holding([b"second" * 40]):
        raise ZeroDivisionError
    assert spool.end == end
    spool.append([b"third"])
    assert read_all(spool) == read_all(Spool(tmp_path, segment_bytes=100)) == [b"first", b"third"]
