"""The transcripts in the docs are what happens: a stack's life by `loglake`, and by the AWS CLI alone."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cloudformation.conftest import ROOT
from tests.cloudformation.transcripts import TRANSCRIPTS, commands, played


@pytest.mark.local
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_transcript_is_what_a_fresh_endpoint_answers(path: Path, own_endpoint: Callable[[], Any]) -> None:
    text = path.read_text(encoding="utf-8")
    if "aws " in "".join(commands(text)) and shutil.which("aws") is None:
        pytest.skip("no `aws` command on PATH; install awscli to run this")
    answered = played(text, {**os.environ, **own_endpoint().environment()})
    assert answered == text, "run 'python -m tests.cloudformation.transcripts'"


def test_the_guide_shows_the_transcripts() -> None:
    guide = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert {path.name for path in TRANSCRIPTS} == set(re.findall(r"\(transcripts/([^)#]+)\)", guide))
