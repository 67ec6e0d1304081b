import hashlib
from typing import Any

import pytest

pytestmark = pytest.mark.spark

TEMPLATES = {
    "user u-123456 logged in by password, session 9f86d081": "user <*> logged in by password, session <*>",
    "took 12.5 ms, 3 of 20 busy (0x1F)": "took <*> ms, <*> of <*> busy (<*>)",
    "login failed for a.b+c@example.org from 192.0.2.7: too old": "login failed for <*> from <*>: too old",
    "login failed for <email> from 2001:db8::1: wrong password": "login failed for <email> from <*>: wrong password",
    "GET /users/{id} 404 user 01932b7e-7c1a-7f00-8000-0123456789ab does not exist": (
        "GET /users/{id} <*> user <*> does not exist"
    ),
    "can't open \"/var/lib/x y\" or 'other file'; it isn't there": "can't open <*> or <*>; it isn't there",
    "connection to users-db-3 reset by peer": "connection to <*> reset by peer",
    "read /var/log/app/7.log.": "read /var/log/app/<*>.",
    "first line 1\n  at frame 2": "first line <*>",
    "no number at all": "no number at all",
    "": "",
}


def patterns_of(spark: Any, messages: list[str]) -> list[tuple[str, str]]:
    from pyspark.sql import functions as F

    from glue_streaming.patterns import pattern, pattern_id

    frame = spark.createDataFrame([(message,) for message in messages], "message string")
    text = pattern(F.col("message"))
    return [tuple(row) for row in frame.select(text, pattern_id(text)).collect()]


def test_a_pattern_keeps_the_words_and_its_id_is_a_hash_of_its_text(spark: Any) -> None:
    found = patterns_of(spark, list(TEMPLATES))
    assert dict(zip(TEMPLATES, (text for text, _ in found), strict=True)) == TEMPLATES
    assert all(identity == hashlib.md5(text.encode()).hexdigest()[:16] for text, identity in found)


def test_a_pattern_is_of_the_beginning_of_a_message_however_long(spark: Any) -> None:
    [(text, _)] = patterns_of(spark, ["word " * 1_000_000])
    assert len(text) == 300


def test_rare_patterns_beyond_the_commonest_are_counted_together(spark: Any) -> None:
    from pyspark.sql import functions as F

    from glue_streaming.patterns import MAX_PATTERNS, OTHER, counted

    rows = [(f"pattern {number:03}", number) for number in range(1, 101)]
    frame = spark.createDataFrame([(rows,)], "entries array<struct<pattern: string, events: bigint>>")
    [[kept]] = frame.select(counted(F.col("entries"))).collect()
    assert len(kept) == MAX_PATTERNS
    assert kept["pattern 100"] == 100
    assert kept[OTHER] == sum(range(1, 52))
    assert sum(kept.values()) == 5050
