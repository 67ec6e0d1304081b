# ruff: noqa: E501  a case on one line
from pathlib import Path

import pytest

from catalog.errors import UsageError
from dashboard.alerts.rules import Rule, RuleFile, parse, rule_of
from dashboard.state import Address


def test_default_rules_are_written_once_and_hold(tmp_path: Path) -> None:
    book = RuleFile(tmp_path).read()
    assert {rule.kind for rule in book.rules} == {"error_rate", "p95", "volume_drop", "new_pattern", "stale"}
    (tmp_path / "alerts.yaml").write_text("rules: []")
    assert RuleFile(tmp_path).read().rules == ()


def test_a_rule_put_comes_back_and_keeps_its_place(tmp_path: Path) -> None:
    file = RuleFile(tmp_path)
    names = [rule.name for rule in file.read().rules]
    changed = Rule("slow-responses", "p95", 900, 15, 20, ("payment",), 3, severity="page", is_enabled=False)
    file.put(changed)
    assert [rule.name for rule in file.read().rules] == names
    assert changed in file.read().rules
    file.put(Rule("mine", "stale", 5))
    assert file.read().rules[-1] == Rule("mine", "stale", 5)
    file.remove("mine")
    assert [rule.name for rule in file.read().rules] == names


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"name": "Bad Name"}, "a rule's name must be small letters, digits and dashes; got 'Bad Name'"),
        ({"name": "a", "kind": "vibes"}, "`kind` of rule 'a' must be one of error_rate, p95, volume_drop, new_pattern, stale; got 'vibes'"),
        ({"name": "a", "kind": "p95", "threshold": 0}, "`threshold` of rule 'a' must be above 0; got 0.0"),
        ({"name": "a", "kind": "error_rate", "threshold": 5}, "`threshold` of rule 'a' must be at most 1; got 5.0"),
        ({"name": "a", "kind": "p95", "threshold": "x"}, "rule 'a' must hold numbers where numbers belong; got could not convert string to float: 'x'"),
    ],
)  # fmt: skip
def test_a_rule_that_will_not_do_is_refused_in_words(facts: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        rule_of(facts)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a list", "must be a mapping"),
        ("channels: {chat: {webhook: 'file:///etc/passwd'}}", "must be an http or https address"),
        ("rules: [{name: a, kind: stale, threshold: 1, notify: [nobody]}]", "`notify` of rule 'a' must be one of the channels"),
        ("rules: [{name: a, kind: stale, threshold: 1}, {name: a, kind: stale, threshold: 2}]", "the only one of that name"),
        ("rules: [", "must be YAML"),
    ],
)  # fmt: skip
def test_a_file_that_will_not_do_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse(text)


def test_links_begin_with_what_is_served_unless_the_file_names_another_host(tmp_path: Path) -> None:
    rules = RuleFile(tmp_path)
    assert rules.address() == "http://127.0.0.1:8050"
    Address(tmp_path).write("http://127.0.0.1:8077/logs/")
    for link, address in (
        ("", "http://127.0.0.1:8077/logs"),
        ("http://localhost:8050/", "http://127.0.0.1:8077/logs"),
        ("https://logs.example.com/", "https://logs.example.com"),
    ):
        rules.path.write_text(f"link: {link!r}")
        assert rules.address() == address
    rules.path.write_text("rules: [")
    assert rules.address() == "http://127.0.0.1:8077/logs/"
