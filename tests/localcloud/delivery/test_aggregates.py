import random

import pytest
from aws_kinesis_agg.aggregator import RecordAggregator

from catalog.kpl import open_kpl
from localcloud.delivery.aggregates import open_delimited, open_json


def aggregate(*records: tuple[str, bytes]) -> bytes:
    aggregator = RecordAggregator()
    for key, data in records:
        aggregator.add_user_record(key, data)
    content: bytes = aggregator.clear_and_get().get_contents()[2]
    return content


def test_kpl_gives_each_user_record_its_own_key() -> None:
    records = [(f"key-{index % 7}", bytes([index % 256]) * index) for index in range(300)]
    assert open_kpl(aggregate(*records), "outer") == records


def test_kpl_reads_records_with_a_hash_key_and_long_ones() -> None:
    aggregator = RecordAggregator()
    records = [(f"key-{index % 200}", bytes([index % 256]) * (index * 70)) for index in range(160)]
    for number, (key, data) in enumerate(records):
        assert aggregator.add_user_record(key, data, str(number << 100)) is None
    assert open_kpl(aggregator.clear_and_get().get_contents()[2], "outer") == records


@pytest.mark.parametrize("data", [b"", b"plain", b"\xf3\x89\x9a\xc2", b"\xf3\x89\x9a\xc2" + b"x" * 16, b"{}\n" * 100])
def test_kpl_passes_what_is_no_aggregate(data: bytes) -> None:
    assert open_kpl(data, "outer") == [("outer", data)]


def test_kpl_passes_an_aggregate_with_any_bit_flipped() -> None:
    whole = aggregate(("a", b"one"), ("b", b"two"), ("a", b"three"))
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        assert open_kpl(bytes(damaged), "outer") == [("outer", bytes(damaged))]


def test_kpl_never_raises_whatever_the_protobuf_holds() -> None:
    from hashlib import md5

    source = random.Random(1)
    for _ in range(5000):
        body = source.randbytes(source.randrange(1, 40))
        data = b"\xf3\x89\x9a\xc2" + body + md5(body).digest()
        assert open_kpl(data, "outer")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a":1}{"a":2}', [b'{"a":1}', b'{"a":2}']),
        (b'{"a":1}\n{"a":"}{"}\n', [b'{"a":1}', b'{"a":"}{"}']),
        (b'[{"a":1},{"a":2}]', [b'[{"a":1},{"a":2}]']),
        (b'{"a":1} and more', [b'{"a":1} and more']),
        (b"\xff", [b"\xff"]),
        (b"", [b""]),
    ],
)
def test_json_objects_in_a_row_are_taken_apart(data: bytes, expected: list[bytes]) -> None:
    assert open_json(data) == expected


def test_a_record_of_more_than_500_objects_is_passed_whole() -> None:
    assert len(open_json(b"{}" * 500)) == 500
    assert open_json(b"{}" * 501) == [b"{}" * 501]


def test_delimited_texts_are_taken_apart() -> None:
    assert open_delimited(b"a##b####c", b"##") == [b"a", b"b", b"c"]
