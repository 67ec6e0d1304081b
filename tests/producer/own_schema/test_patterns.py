import re

import numpy as np
import pytest

from producer.own_schema.patterns import draw_pattern, parse_pattern


@pytest.mark.parametrize(
    "pattern",
    [r"\d{3}", r"[A-F0-9]{1,8}", r"(web|ios)-\w?", r"a\.b\\", r"[a\-z\]]{4}", r".{0,3}x", "ü{2}", r"[\d_-]+"[:-1]],
)
def test_every_text_matches_its_pattern(pattern: str) -> None:
    texts = draw_pattern(parse_pattern(pattern), np.random.default_rng(1), 200)
    assert all(re.fullmatch(pattern, text) for text in texts)
    assert len(set(texts)) > 1 or "{2}" in pattern or "a" in pattern


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ("a*", "'*' at character 2, which is not of this part of regex"),
        ("(a|(b))", "'(' at character 1, which is not of this part of regex"),
        ("a{5,2}", "{5,2}, where 1 to 1000 repeats are possible, the lower number first"),
        ("[z-a]", "the range z-a, whose ends must be in order"),
        ("x\\", "'\\\\' at character 2, which is not of this part of regex"),
    ],
)
def test_what_cannot_be_written_is_named(pattern: str, error: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse_pattern(pattern)
    assert str(raised.value) == error
