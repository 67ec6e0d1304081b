import subprocess
import sys

PROGRAM = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from localcloud import file_limit, preflight
file_limit.raise_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
print(preflight._files())
"""


def run(soft: int, hard: int) -> list[str]:
    """Return what a process with these limits has after it raised them, and what its preflight says."""
    command = [sys.executable, "-c", PROGRAM.format(soft=soft, hard=hard)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_a_low_limit_is_raised_as_far_as_the_hard_one_allows() -> None:
    limit, check = run(64, 4096)
    assert (limit, check) == ("4096", "Check(subject='open files', found='4,096 allowed', mend='')")


def test_a_hard_limit_that_is_too_low_is_refused_with_what_to_do() -> None:
    limit, check = run(64, 64)
    assert limit == "64"
    assert "found='64 allowed'" in check and "allow at least 1024 open files: 'ulimit -n 1024' in a new shell" in check
