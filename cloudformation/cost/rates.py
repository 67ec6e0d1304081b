"""The rates: one dated file, so that whoever doubts a figure knows what to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from catalog.errors import UsageError

BUILT_IN = Path(__file__).with_name("rates.yaml")


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars by name; `as_of` is the day they were read."""

    as_of: date
    region: str
    dollars: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.dollars[name]


def read_rates(path: Path = BUILT_IN) -> Rates:
    """Return the rates of a file; raise `UsageError` naming the one that is missing or no price."""
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        as_of, region, dollars = body["as_of"], body["region"], dict(body["rates"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"a file of rates must have as_of, region and rates; got {str(path)!r}: {error}") from None
    if not isinstance(as_of, date):
        raise UsageError(f"as_of must be a day, 2026-11-21, in {str(path)!r}; got {as_of!r}")
    if path != BUILT_IN:
        wanted = read_rates().dollars
        missing = sorted(set(wanted) - set(dollars))
        if missing:
            raise UsageError(f"a file of rates must have {missing[0]} (see {str(BUILT_IN)!r}); {str(path)!r} has none")
    for name, value in dollars.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise UsageError(f"rate {name} must be a number of dollars in {str(path)!r}; got {value!r}")
    return Rates(as_of, str(region), dollars)
