"""A newcomer's session: nothing but the AWS CLI, the commands of docs/aws-cli.md as they stand there."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.local

GUIDE = Path(__file__).parents[2] / "docs" / "aws-cli.md"


def find_aws() -> str:
    """Return the AWS CLI, or skip when there is none that runs."""
    aws = shutil.which("aws")
    if aws is None or subprocess.run([aws, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("the AWS CLI is not installed")
    return aws


def commands() -> str:
    """Return the guide's shell blocks, one script."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S))


def test_the_guides_session_ends_in_an_answer_to_its_query(endpoint: Any, tmp_path: Path) -> None:
    find_aws()
    environment = {**os.environ, **endpoint.environment(), "AWS_PAGER": "", "HOME": str(tmp_path)}
    script = "set -eu\n" + commands().replace("http://127.0.0.1:4566", endpoint.url)
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    answer = json.loads(done.stdout[done.stdout.rindex("[\n    [") :])
    assert answer == [["shop", "orders"], ["lisbon", "2"], ["porto", "1"]]
    tables = endpoint.client("glue").get_tables(DatabaseName="shops")["TableList"]
    assert [table["Name"] for table in tables] == ["orders"]
    assert [key["Name"] for key in tables[0]["PartitionKeys"]] == ["year", "month"]
