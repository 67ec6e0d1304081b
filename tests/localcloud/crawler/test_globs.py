import pytest

from localcloud.crawler.globs import exclusion


@pytest.mark.parametrize(
    ("pattern", "key", "excluded"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "folder/a.csv", False),
        ("**.csv", "folder/deep/a.csv", True),
        ("**.tmp", "a.tmp", True),
        ("folder/**", "folder/a/b.json", True),
        ("folder/**", "folders/a.json", False),
        ("/folder/*", "folder/a.json", True),
        ("*/*", "a/b", True),
        ("*/*", "a/b/c", False),
        ("_spark_metadata/**", "_spark_metadata/0", True),
        ("a?.json", "ab.json", True),
        ("a?.json", "a/.json", False),
        ("[a-c]*", "b.json", True),
        ("[!a-c]*", "b.json", False),
        ("[!a-c]*", "d.json", True),
        ("*.{json,csv}", "a.csv", True),
        ("*.{json,csv}", "a.txt", False),
        ("year=202{4,5}/**", "year=2025/month=01/a", True),
        (r"a\*.json", "a*.json", True),
        (r"a\*.json", "ab.json", False),
        ("a.json", "abjson", False),
        ("a,b", "a,b", True),
        ("[", "[", True),
        ("{a", "a", True),
    ],
)
def test_exclusion_follows_glues_globs(pattern: str, key: str, excluded: bool) -> None:
    assert exclusion([pattern])(key) is excluded


def test_nothing_is_excluded_without_patterns() -> None:
    assert exclusion([])("a.json") is False
