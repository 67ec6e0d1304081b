import pytest

from glue_streaming.arguments import parse

REQUIRED = [
    "--raw-path=s3://raw/logs",
    "--checkpoint-path=s3://lake/checkpoints/curate/",
    "--staging-path=s3://lake/staging/",
    "--lake-bucket=lake",
    "--database=app_logs_db",
]


def test_glues_own_arguments_pass_and_folders_end_in_a_slash() -> None:
    arguments = parse([*REQUIRED, "--JOB_NAME", "curate", "--JOB_RUN_ID", "jr_1", "--enable-metrics", "true"])
    assert (arguments.raw_path, arguments.run_id) == ("s3://raw/logs/", "jr_1")
    assert arguments.drop_levels == ("DEBUG", "INFO")


def test_drop_levels_may_be_none() -> None:
    assert parse([*REQUIRED, "--drop-levels", ""]).drop_levels == ()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--drop-levels=LOUD", "a level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL; got 'LOUD'"),
        ("--dedup-window-hours=0", "hours must be more than 0; got '0'"),
    ],
)
def test_a_bad_argument_is_refused_with_its_value(
    option: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as failure:
        parse([*REQUIRED, option])
    assert failure.value.code == 2
    assert message in capsys.readouterr().err
