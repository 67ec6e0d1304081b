import gzip
import random

import pytest

from glue_streaming.lines import damage_of, salvage

LINES = [f'{{"n":{number},"x":{random.Random(number).random()}}}'.encode() for number in range(2000)]
CONTENT = gzip.compress(b"\n".join(LINES) + b"\n")


def test_salvage_of_whole_gzip_gives_its_lines() -> None:
    assert list(salvage(CONTENT)) == [(line, None) for line in LINES]
    assert damage_of(CONTENT) is None


def test_salvage_reads_members_one_after_the_other() -> None:
    assert [line for line, _ in salvage(gzip.compress(b"a\nb") + gzip.compress(b"c\n"))] == [b"a", b"bc"]


@pytest.mark.parametrize("kept", [1, 9, 10, 11, 1000, len(CONTENT) // 2, len(CONTENT) - 9, len(CONTENT) - 1])
def test_salvage_of_a_truncated_object_gives_a_prefix_and_one_damage(kept: int) -> None:
    *lines, (_, damage) = salvage(CONTENT[:kept])
    assert [line for line, _ in lines] == LINES[: len(lines)]
    assert {found for _, found in lines} <= {None}
    assert damage == f"the object must be whole gzip; got its end after {kept} bytes, within a member"
    assert damage_of(CONTENT[:kept]) is not None


def test_an_empty_object_has_no_lines_and_no_damage() -> None:
    assert list(salvage(b"")) == []
    assert damage_of(b"") is None


def test_what_is_no_gzip_has_damage() -> None:
    assert list(salvage(b"hello")) == [
        (b"", "the object must be whole gzip; got Error -3 while decompressing data: incorrect header check")
    ]
