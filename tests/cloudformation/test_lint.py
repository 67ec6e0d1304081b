import subprocess
import sys

from cloudformation.sections import TEMPLATE


def test_the_template_lints_clean() -> None:
    program = "import sys; from cfnlint.runner import main; sys.exit(main())"
    lint = subprocess.run([sys.executable, "-c", program, str(TEMPLATE)], capture_output=True, text=True)
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")
