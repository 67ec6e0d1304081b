from pathlib import Path

import pytest

from catalog.errors import UsageError
from producer.own_schema.reading import read_schema

HEAD = "name: orders\nfields:\n"


def error_of(tmp_path: Path, text: str) -> str:
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_schema(file)
    return str(raised.value).removeprefix(f"{tmp_path}/")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "my.yaml:1: must not be empty"),
        ("name: x\n", "my.yaml:1: a schema must have `fields`"),
        ("fields: []\n", "my.yaml:1: `fields` must be a mapping; got []"),
        ("fields: {}\n", "my.yaml:1: `fields` must name at least one field"),
        ("feilds: {}\n", "my.yaml:1: a schema has `name` and `fields`; got 'feilds'"),
        ("fields:\n  a: {type: uuid\n", "my.yaml:3: must be YAML; got expected ',' or '}', but got '<stream end>'"),
        (HEAD + "  a: 7\n", "my.yaml:3: field `a` must be a mapping; got 7"),
        (HEAD + "  a: {type: uuid}\n  a: {type: bool}\n", "my.yaml:4: `fields`: a key must occur once; got 'a' again"),
        (HEAD + "  a: {kind: uuid}\n", "my.yaml:3: field `a`: must have one of type, values, "),
        (HEAD + "  a: {type: uuid, faker: name}\n", "my.yaml:3: field `a`: must have one of type, values, "),
        (
            HEAD + "  a: {type: uid}\n",
            "my.yaml:3: field `a`: `type` must be one of uuid, timestamp, int, double, bool, sequence; got 'uid'",
        ),
        (
            HEAD + "  a:\n    type: int\n    range: [9, 1]\n",
            "my.yaml:5: field `a`: `range` must be two numbers, the lower first; got [9, 1]",
        ),
        (HEAD + "  a: {type: int, range: [0, 1.5]}\n", "`range` of an int must be whole numbers; got [0, 1.5]"),
        (HEAD + "  a: {type: int}\n", "my.yaml:3: field `a`: `type: int` must have a `range` or a `median`"),
        (HEAD + "  a: {type: uuid, range: [1, 2]}\n", "beside `type: uuid` there may be null; got 'range'"),
        (HEAD + "  a: {faker: nme}\n", "my.yaml:3: field `a`: `faker` must be a provider and its arguments; got 'nme'"),
        (HEAD + "  a: {faker: name, locale: xx_YY}\n", "`locale` must be one of Faker's, such as de_DE; got 'xx_YY'"),
        (HEAD + "  a: {pattern: 'a{9'}\n", "`pattern` must be one that can be written; got '{' at character 2"),
        (HEAD + "  a: {pattern: '[^a]'}\n", "got [^…], and what is not in a set is too much to choose from"),
        (HEAD + "  a: {values: {x: -1}}\n", "a weight must be a number of zero or more, not all zero; got [-1]"),
        (HEAD + "  a: {values: []}\n", "my.yaml:3: field `a`: `values` must not be empty"),
        (HEAD + "  a: {type: bool, null: 2}\n", "`null` must be a number from 0 to 1; got 2"),
        (HEAD + "  a: {text: '{b}'}\n", "my.yaml:3: field `a`: a reference must name a field; got 'b'"),
        (HEAD + "  a: {from: b}\n", "my.yaml:3: field `a`: `from` needs a `map` of that field's values"),
        (
            HEAD + "  a: {product: [b]}\n  b: {sum: [c]}\n  c: {text: '{a}'}\n",
            "my.yaml:3: field `a`: references must not form a cycle; got a → b → c → a",
        ),
        (HEAD + "  a: {text: '{a}'}\n", "my.yaml:3: field `a`: references must not form a cycle; got a → a"),
        (
            HEAD + "  a:\n    fields:\n      b: {type: word}\n",
            "my.yaml:5: field `a.b`: `type` must be one of uuid, ",
        ),
    ],
)
def test_a_wrong_schema_is_one_error_that_names_file_line_and_field(tmp_path: Path, text: str, error: str) -> None:
    assert error in error_of(tmp_path, text)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--schema must be a readable YAML file; got No such file or directory for "):
        read_schema(tmp_path / "none.yaml")


def test_a_schema_without_a_name_has_that_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text("fields:\n  a: {type: uuid}\n")
    assert read_schema(tmp_path / "orders.yaml").name == "orders"


def test_yaml_that_builds_objects_is_refused(tmp_path: Path) -> None:
    text = HEAD + "  a: {constant: !!python/object/apply:os.system ['true']}\n"
    assert error_of(tmp_path, text) == (
        "my.yaml:3: must be plain YAML; got could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.system'"
    )
