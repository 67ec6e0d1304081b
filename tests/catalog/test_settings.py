import pytest

from catalog.errors import SettingsError
from catalog.settings import Settings, setting_name


class Stacks:
    """Stands for CloudFormation: one stack with one output."""

    def describe_stacks(self, StackName: str) -> dict[str, object]:
        return {"Stacks": [{"Outputs": [{"OutputKey": "RawBucket", "OutputValue": "from-the-stack"}]}]}


def test_an_output_becomes_a_setting() -> None:
    assert setting_name("RawBucket") == "raw_bucket"
    assert Settings("loglake", {}, Stacks()).raw_bucket == "from-the-stack"


def test_the_environment_overrides_the_stack() -> None:
    assert Settings("loglake", {"LOGLAKE_RAW_BUCKET": "mine"}, Stacks()).raw_bucket == "mine"


def test_a_missing_setting_names_itself_and_the_command_that_mends_it() -> None:
    with pytest.raises(SettingsError) as failure:
        _ = Settings("loglake", {}, Stacks()).stream
    assert str(failure.value) == (
        "not set: LOGLAKE_STREAM, and stack 'loglake' has no such output; "
        "run 'loglake deploy', or 'loglake up' for a laptop"
    )
