"""What `loglake compact` and `curate` refuse before they ask AWS anything."""

from datetime import UTC, datetime, timedelta

import pytest

from loglake import main

TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("days", ["-1", "0", "36501"])
def test_compacting_the_open_day_or_days_to_come_is_refused(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "compact", "--before", days)
    assert f"Invalid value for '--before': {days} is not in the range 1<=x<=36500." in said


def test_rebuilding_a_day_that_has_not_begun_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "curate", "--from", str(TOMORROW))
    assert said == f"UsageError: --from must be today ({TODAY}, UTC) or earlier; got {TOMORROW}\n"


@pytest.mark.parametrize("last", [TOMORROW, TODAY - timedelta(days=1)])
def test_rebuilding_to_a_day_to_come_or_before_the_first_is_refused(
    last: object, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "curate", "--from", str(TODAY), "--to", str(last))
    assert said == f"UsageError: --to must be a day from --from ({TODAY}) to today ({TODAY}, UTC); got {last}\n"


def test_the_job_itself_refuses_days_below_zero(capsys: pytest.CaptureFixture[str]) -> None:
    from glue_streaming.arguments import parse

    with pytest.raises(SystemExit):
        parse(["--mode=compact", "--before-days=-1"])
    assert "argument --before-days: the days must be 0 or more; got '-1'" in capsys.readouterr().err
