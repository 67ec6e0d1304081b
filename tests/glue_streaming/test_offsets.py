import gzip
import hashlib

import pytest

from glue_streaming.lines import MAX_LINE_BYTES, salvage
from glue_streaming.offsets import Found, locate

TEXT = b"good\n\nbad\nfine\nbad\nrest"


def wanted(*lines: bytes) -> list[tuple[int, str]]:
    return [(len(line), key_of(line)) for line in lines]


def key_of(line: bytes) -> str:
    return hashlib.md5(line).hexdigest()


@pytest.mark.parametrize("is_gzip", [False, True])
def test_an_offset_is_where_the_line_begins_in_the_text(is_gzip: bool) -> None:
    content = gzip.compress(TEXT) if is_gzip else TEXT
    found = list(locate(content, is_gzip, wanted(b"bad", b"rest", b"nowhere")))
    assert found == [Found(key_of(b"bad"), 1, 6), Found(key_of(b"bad"), 2, 15), Found(key_of(b"rest"), 1, 19)]
    assert [TEXT[each.offset :][:3] for each in found] == [b"bad", b"bad", b"res"]


def test_a_byte_order_mark_belongs_to_no_line() -> None:
    assert list(locate(b"\xef\xbb\xbfbad\nbad", False, wanted(b"bad"))) == [
        Found(key_of(b"bad"), 1, 3),
        Found(key_of(b"bad"), 2, 7),
    ]


def test_what_is_left_of_a_line_in_a_damaged_object_has_an_offset() -> None:
    content = gzip.compress(b"good\n" + bytes(range(11, 256)) * 40)[:200]
    *_, (rest, damage) = salvage(content)
    assert damage
    assert list(locate(content, True, wanted(rest))) == [Found(key_of(rest), 1, 5)]


def test_a_line_that_is_too_long_comes_whole() -> None:
    long_line = b"x" * (MAX_LINE_BYTES + 1)
    found = list(locate(b"good\n" + long_line, False, [(0, "too long")]))
    assert found == [Found("too long", 1, 5, long_line)]
