from pathlib import Path

import pytest

from localcloud.jobs.arguments import (
    Place,
    extra_py_files,
    merged,
    mirror_uri,
    places,
    script_arguments,
    spark_settings,
)

ROOT = Path("/data/mirror")


def test_merged_lets_the_run_override_defaults_but_not_the_fixed() -> None:
    job = {"DefaultArguments": {"--a": "1", "--b": "1", "--c": "1"}, "NonOverridableArguments": {"--c": "3"}}

    assert merged(job, {"--b": "2", "--c": "2"}) == {"--a": "1", "--b": "2", "--c": "3"}


@pytest.mark.parametrize(
    ("place", "uri"),
    [
        (Place("raw", "logs/"), "file:///data/mirror/raw/logs/"),
        (Place("raw", "logs/a.json"), "file:///data/mirror/raw/logs/a.json"),
        (Place("raw", ""), "file:///data/mirror/raw/"),
    ],
)
def test_mirror_uri_keeps_the_slash_that_makes_a_folder(place: Place, uri: str) -> None:
    assert mirror_uri(ROOT, place) == uri


def test_place_that_leaves_the_mirror_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must not have '\.' or '\.\.'"):
        mirror_uri(ROOT, Place("raw", "../../etc/"))


def test_script_gets_pairs_with_places_of_the_mirror() -> None:
    arguments = {
        "--task": "available-now",
        "--raw-path": "s3://raw/logs/",
        "--lake-bucket": "lake",
        "--extra-py-files": "s3://artifacts/libraries.zip",
        "--conf": "spark.sql.ansi.enabled=false",
    }

    assert script_arguments(arguments, ROOT, "curate", "jr_1") == [
        *("--JOB_NAME", "curate", "--JOB_RUN_ID", "jr_1"),
        *("--task", "available-now", "--raw-path", "file:///data/mirror/raw/logs/", "--lake-bucket", "lake"),
    ]


def test_places_are_those_the_script_may_read() -> None:
    arguments = {
        "--raw-path": "s3a://raw/logs/",
        "--TempDir": "s3://tmp/x/",
        "--extra-py-files": "s3://artifacts/l.zip",
        "--name": "logs",
    }

    assert places(arguments) == [Place("raw", "logs/")]


def test_extra_py_files_and_conf_hold_several_values() -> None:
    assert extra_py_files({"--extra-py-files": "s3://a/x.zip, s3://a/y.py"}) == ["s3://a/x.zip", "s3://a/y.py"]
    assert spark_settings({"--conf": "spark.a=1 --conf spark.b=x=y --conf other=1"}) == {
        "spark.a": "1",
        "spark.b": "x=y",
    }
