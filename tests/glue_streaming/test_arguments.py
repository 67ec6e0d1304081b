import re
from datetime import date

import pytest

from cloudformation.sections import TEMPLATE
from cloudformation.template import parse_template
from glue_streaming.arguments import _parser, parse
from glue_streaming.levels import Levels
from tests.conftest import REPOSITORY

REQUIRED = [
    "--raw-path=s3://raw/logs",
    "--checkpoint-path=s3://lake/checkpoints/curate/",
    "--staging-path=s3://lake/staging/",
    "--lake-bucket=lake",
    "--database=app_logs_db",
]

RESERVED = {"--conf", "--debug", "--mode", "--JOB_NAME", "--endpoint"}
"""Names that Glue uses within, "never use them", `--conf` among them in its older pages: AWS Glue developer guide,
"Using job parameters in AWS Glue jobs"."""


def test_no_argument_has_a_name_that_glue_keeps_for_itself() -> None:
    ours = {option for action in _parser()._actions for option in action.option_strings}
    job = parse_template(TEMPLATE.read_text())["Resources"]["Job"]["Properties"]
    assert RESERVED & (ours | set(job["DefaultArguments"])) == set()


def test_glues_own_arguments_pass_and_folders_end_in_a_slash() -> None:
    arguments = parse([*REQUIRED, "--JOB_NAME", "curate", "--JOB_RUN_ID", "jr_1", "--enable-metrics", "true"])
    assert (arguments.raw_path, arguments.run_id) == ("s3://raw/logs/", "jr_1")
    assert arguments.levels.drop == ("DEBUG", "INFO")


def test_drop_levels_may_be_none() -> None:
    assert parse([*REQUIRED, "--drop-levels", ""]).levels.drop == ()
    assert parse([*REQUIRED, "--drop-levels", "NONE", "--keep-sample", "none"]).levels == Levels(())


def test_a_share_of_a_dropped_level_may_be_kept() -> None:
    assert parse([*REQUIRED, "--keep-sample", "INFO=0.01, debug=1"]).levels.sample == {"INFO": 0.01, "DEBUG": 1.0}


def test_reprocessing_takes_days() -> None:
    arguments = parse([*REQUIRED, "--task=reprocess", "--from=2026-11-20", "--to=2026-11-21"])
    assert (arguments.from_day, arguments.to_day) == (date(2026, 11, 20), date(2026, 11, 21))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--drop-levels=LOUD", "a level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; got 'LOUD'"),
        ("--dedup-window-hours=0", "the number must be more than 0; got '0'"),
        ("--keep-sample=INFO", "a sample must be LEVEL=SHARE; got 'INFO'"),
        ("--keep-sample=INFO=2", "a share must be between 0 and 1; got '2'"),
        ("--task=reprocess", "--from and --to must be days in order; got None and None"),
    ],
)
def test_a_bad_argument_is_refused_with_its_value(
    option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as failure:
        parse([*REQUIRED, option])
    assert failure.value.code == 2
    assert message in capsys.readouterr().err


def test_the_job_imports_nothing_of_glues_own() -> None:
    sources = {path.name: path.read_text() for path in (REPOSITORY / "glue_streaming").glob("*.py")}
    assert "job.py" in sources
    assert [name for name, text in sources.items() if re.search(r"^\s*(import|from) awsglue", text, re.MULTILINE)] == []
