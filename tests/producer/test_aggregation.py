import hashlib

from aws_kinesis_agg.deaggregator import messages_pb2
from hypothesis import given
from hypothesis import strategies as st

from producer.aggregation import MAGIC, Aggregator, varint
from tests.producer.kinesis_server import user_records

KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)


def by_protobuf(records: list[bytes], partition_key: str, *hash_keys: str, places: list[int] | None = None) -> bytes:
    message = messages_pb2.AggregatedRecord()
    message.partition_key_table.append(partition_key)
    message.explicit_hash_key_table.extend(hash_keys)
    for data, place in zip(records, places or [0] * len(records), strict=True):
        message.records.add(partition_key_index=0, explicit_hash_key_index=place, data=data)
    encoded = message.SerializeToString()
    return MAGIC + encoded + hashlib.md5(encoded).digest()


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=30), KEYS, st.integers(0, (1 << 128) - 1))
def test_an_aggregate_is_byte_for_byte_what_protobuf_writes(records: list[bytes], key: str, hash_key: int) -> None:
    assert Aggregator().encode(records, key, str(hash_key)) == by_protobuf(records, key, str(hash_key))


@given(
    st.lists(st.integers(0, (1 << 128) - 1), min_size=1, max_size=300, unique=True),
    st.lists(st.tuples(st.binary(max_size=400), st.integers(0, 1 << 30)), min_size=1, max_size=30),
)
def test_an_aggregate_under_many_keys_is_what_protobuf_writes(
    hash_keys: list[int], content: list[tuple[bytes, int]]
) -> None:
    records, places = [data for data, _ in content], [place % len(hash_keys) for _, place in content]
    names = [str(hash_key) for hash_key in hash_keys]
    expected = by_protobuf(records, "k", *names, places=places)
    assert Aggregator().encode_keyed(records, "k", names, places) == expected


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=4))
def test_long_records_keep_their_lengths(lengths: list[int]) -> None:
    records = [b"x" * length for length in lengths]
    assert Aggregator().encode(records, "k", "1") == by_protobuf(records, "k", "1")


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=30))
def test_aws_reader_takes_an_aggregate_apart(records: list[bytes]) -> None:
    assert user_records(Aggregator().encode(records, "loglake", "7")) == records


@given(st.integers(0, 1 << 40))
def test_a_varint_is_minimal_and_reads_back(value: int) -> None:
    encoded = varint(value)
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(encoded)) == value
    assert len(encoded) == max(1, -(-value.bit_length() // 7))
    assert all(byte & 0x80 for byte in encoded[:-1])
    assert not encoded[-1] & 0x80
