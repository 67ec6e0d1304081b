import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.crawler.glue_types import GlueType, dump, hive, infer, load, merge, merge_all


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "int"),
        (2**31 - 1, "int"),
        (2**31, "bigint"),
        (-(2**31), "int"),
        (-(2**31) - 1, "bigint"),
        (2**63, "double"),
        (1.0, "double"),
        (True, "boolean"),
        ("x", "string"),
        (None, "string"),
        ([], "array<string>"),
        ([1, 2**40], "array<bigint>"),
        ([1, "x"], "array<string>"),
        ({}, "string"),
        ({"a": 1, "b": {"c": [True]}}, "struct<a:int,b:struct<c:array<boolean>>>"),
        ([{"a": 1}, {"b": None}], "array<struct<a:int,b:string>>"),
    ],
)
def test_infer_gives_glues_type(value: Any, text: str) -> None:
    assert hive(infer(value)) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([1, 2**40], "bigint"),
        ([1, 1.5], "double"),
        ([2**40, 1.5], "double"),
        ([None, 1], "int"),
        ([1, "x"], "string"),
        ([True, 1], "string"),
        ([{"a": 1}, {"a": 1.5, "b": "x"}], "struct<a:double,b:string>"),
        ([[1], [None]], "array<int>"),
        ([{"a": 1}, [1]], "string"),
        ([{"a": 1}, None], "struct<a:int>"),
    ],
)
def test_merge_widens_and_falls_back_to_string(values: list[Any], text: str) -> None:
    assert hive(merge_all(map(infer, values))) == text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TYPES = VALUES.map(infer)


def same(left: GlueType, right: GlueType) -> bool:
    """Compare with fields in any order: a struct's order is the order of arrival."""
    return json.dumps(dump(left), sort_keys=True) == json.dumps(dump(right), sort_keys=True)


@given(TYPES, TYPES)
def test_merge_does_not_depend_on_the_order(left: GlueType, right: GlueType) -> None:
    assert same(merge(left, right), merge(right, left))


@given(TYPES, TYPES)
def test_merge_holds_what_it_has_held(left: GlueType, right: GlueType) -> None:
    both = merge(left, right)

    assert merge(both, left) == both
    assert merge(both, right) == both


@given(TYPES)
def test_dump_and_load_give_the_type_back(kind: GlueType) -> None:
    assert load(json.loads(json.dumps(dump(kind)))) == kind
