"""Names of the AWS resources that the stages share: the stack's outputs, each overridable by the environment.

An output `RawBucket` is the setting `raw_bucket`, overridable by `LOGLAKE_RAW_BUCKET`.
"""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from catalog.errors import SettingsError

OUTPUTS: Mapping[str, str] = {
    "Region": "region the stack lives in",
    "IngestMode": "`stream` (Kinesis feeds Firehose) or `direct` (the producer puts to Firehose)",
    "Stream": "Kinesis data stream; empty in direct mode",
    "DeliveryStream": "Firehose delivery stream",
    "RawBucket": "bucket of raw objects and error objects",
    "LakeBucket": "bucket of curated tables, rejects and checkpoints",
    "ResultsBucket": "bucket of query results",
    "Database": "Glue database",
    "WorkGroup": "Athena workgroup",
    "Crawler": "Glue crawler of the raw objects",
    "Job": "Glue job that curates",
    "Trigger": "Glue trigger that starts the job",
    "DropLevels": "levels that the curated logs leave out, comma-separated",
    "ScanCutoffBytes": "bytes after which Athena cancels a query",
    "LiveTable": "DynamoDB table of live counters and recent events; empty in direct mode",
}
"""The outputs every stack has, and what they name."""

DEFAULT_STACK = "loglake"


def setting_name(output: str) -> str:
    """Return the setting's name for an output's: `RawBucket` -> `raw_bucket`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", output).lower()


class Settings:
    """The settings of one stack, read once, on first need.

    `settings.raw_bucket` and the like; one that neither the environment nor the stack gives raises `SettingsError`
    naming it. The environment is asked first, so a stage with every name set never calls CloudFormation.
    """

    def __init__(self, stack_name: str, environment: Mapping[str, str], client: Any = None) -> None:
        self.stack_name = stack_name
        self._environment = environment
        self._client = client

    @cached_property
    def _outputs(self) -> Mapping[str, str]:
        return stack_outputs(self.stack_name, self._client)

    def get(self, name: str) -> str:
        """Return the setting, which may be empty when the stack says so; raise `SettingsError` if nobody gives it."""
        override = self._environment.get(f"LOGLAKE_{name.upper()}")
        if override is not None:
            return override
        if name not in self._outputs:
            raise SettingsError(
                f"not set: LOGLAKE_{name.upper()}, and stack {self.stack_name!r} has no such output; "
                "run 'loglake deploy', or 'loglake up' for a laptop"
            )
        return self._outputs[name]

    def __getattr__(self, name: str) -> str:
        if name.startswith("_") or name not in {setting_name(output) for output in OUTPUTS}:
            raise AttributeError(name)
        return self.get(name)


def stack_outputs(stack_name: str, client: Any = None) -> dict[str, str]:
    """Return a stack's outputs under their settings' names; raise `SettingsError` when the stack can't be read.

    `-` is returned as the empty text, because CloudFormation allows no empty output.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        client = client or boto3.client("cloudformation")
        stacks = client.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            raise SettingsError(
                f"no stack named {stack_name!r}; run 'loglake deploy', or 'loglake up' for a laptop"
            ) from None
        raise SettingsError(f"stack {stack_name!r} can't be read: {error}") from error
    except BotoCoreError as error:
        raise SettingsError(f"stack {stack_name!r} can't be read: {error}") from error
    outputs = stacks[0].get("Outputs", [])
    return {
        setting_name(output["OutputKey"]): "" if output["OutputValue"] == "-" else output["OutputValue"]
        for output in outputs
    }


def load(stack_name: str | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of `stack_name`, else of the stack that `LOGLAKE_STACK` names, else of `loglake`.

    For entry points: reads the process's environment when none is given.
    """
    environment = os.environ if environment is None else environment
    return Settings(stack_name or environment.get("LOGLAKE_STACK") or DEFAULT_STACK, environment)
