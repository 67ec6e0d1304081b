from pathlib import Path

from benchmarks.__main__ import NAMES, main

FOLDER = Path(__file__).parent.parent / "benchmarks"


def test_every_measurement_is_run_by_make_bench() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "__main__", "measure"} == set(NAMES)


def test_an_unknown_benchmark_is_wrong_usage() -> None:
    assert main(["nonsense"]) == 2
