import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.shipping.frames import DamagedFrame, encode_frame, whole_frames

PAYLOADS = st.lists(st.binary(max_size=60), min_size=1, max_size=5)


@given(PAYLOADS)
def test_an_end_torn_at_any_byte_leaves_the_whole_frames_before_it(payloads: list[bytes]) -> None:
    frames = [encode_frame(payload) for payload in payloads]
    log = b"".join(frames)
    for size in range(len(log) + 1):
        read = [frame.payload for frame in whole_frames(log[:size])]
        whole = next(count for count in range(len(frames), -1, -1) if len(b"".join(frames[:count])) <= size)
        assert read == payloads[:whole]


@given(PAYLOADS, st.integers(1, 40))
def test_zeros_that_a_crash_left_at_the_end_count_for_nothing(payloads: list[bytes], zeros: int) -> None:
    log = b"".join(map(encode_frame, payloads)) + bytes(zeros)
    assert [frame.payload for frame in whole_frames(log)] == payloads


@given(PAYLOADS, st.integers(0, 1 << 20))
def test_a_bit_changed_before_the_last_frame_is_damage_or_ends_the_log(payloads: list[bytes], bit: int) -> None:
    first = encode_frame(b"the first")
    log = bytearray(first + b"".join(map(encode_frame, payloads)))
    place = bit % (len(first) * 8)
    log[place // 8] ^= 1 << place % 8
    try:
        read = [frame.payload for frame in whole_frames(bytes(log))]
    except DamagedFrame as damage:
        assert damage.offset == 0
    else:
        assert read == []  # a length that reaches beyond the end looks like a torn frame


def test_damage_is_named_by_its_place() -> None:
    log = encode_frame(b"one") + b"?" + encode_frame(b"two")
    with pytest.raises(DamagedFrame, match=f"a damaged frame at byte {100 + len(encode_frame(b'one'))}"):
        list(whole_frames(log, 100))
