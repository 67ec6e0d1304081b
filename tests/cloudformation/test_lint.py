import subprocess
import sys

import pytest

from cloudformation.sections import TEMPLATE


@pytest.mark.parametrize("name", sorted(path.name for path in TEMPLATE.parent.glob("[a-z]*.yaml")))
def test_a_template_lints_clean(name: str) -> None:
    program = "import sys; from cfnlint.runner import main; sys.exit(main())"
    lint = subprocess.run(
        [sys.executable, "-c", program, str(TEMPLATE.with_name(name))], capture_output=True, text=True
    )
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")
