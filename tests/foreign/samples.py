"""What the sample logs hold, and what of each must arrive."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "logs"


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, its service, how many of its lines are no events, its events by level, and the first and last moment."""

    name: str
    service: str
    unparsable: int
    levels: Counter[str]
    first: str
    last: str

    @property
    def path(self) -> Path:
        """Return where it is."""
        return FOLDER / self.name

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.levels.total()


def _levels(**counts: int) -> Counter[str]:
    return Counter(counts)


SAMPLES: tuple[Sample, ...] = (
    Sample(
        "billing.structlog.json",
        "billing",
        2,
        _levels(DEBUG=6, INFO=49, WARNING=14, ERROR=1, CRITICAL=2),
        "06:00:27.026",
        "06:24:13.052",
    ),
    Sample("cart.pino.json", "cart", 3, _levels(DEBUG=10, INFO=68, WARNING=8, ERROR=9), "06:00:14.010", "06:32:59.776"),
    Sample(
        "checkout.python.json",
        "checkout",
        7,
        _levels(DEBUG=11, INFO=55, WARNING=14, ERROR=2, CRITICAL=2),
        "06:00:29.854",
        "06:29:01.144",
    ),
    Sample("edge.nginx.json", "edge", 1, _levels(INFO=58, WARNING=16, ERROR=16), "06:00:13.000", "06:28:44.000"),
    Sample(
        "ledger.logback.json",
        "ledger",
        2,
        _levels(DEBUG=4, INFO=49, WARNING=13, ERROR=14),
        "06:00:17.101",
        "06:28:28.690",
    ),
    Sample(
        "orders-2026-11-28.insights.csv",
        "orders",
        0,
        _levels(INFO=54, WARNING=8, ERROR=2),
        "06:00:02.405",
        "06:22:59.979",
    ),
    Sample(
        "otel-collector.otlp.json",
        "search-api",
        2,
        _levels(DEBUG=18, INFO=97, WARNING=16, ERROR=15, CRITICAL=3),
        "06:00:08.710",
        "06:46:28.588",
    ),
    Sample("resize.lambda.json", "resize", 1, _levels(INFO=58, WARNING=1, ERROR=5), "06:00:07.862", "06:04:00.273"),
    Sample(
        "till.export.csv", "till", 1, _levels(DEBUG=4, INFO=41, WARNING=11, ERROR=2), "06:00:29.646", "06:19:11.517"
    ),
    Sample("web.access.log", "web", 1, _levels(INFO=77, WARNING=27, ERROR=14), "06:00:21.000", "06:40:09.000"),
)
