"""A run, opened: its sink, and the work that fills it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from catalog.schema import SERVICES
from catalog.settings import Settings
from producer.counts import Counts
from producer.dead_letters import DeadLetters
from producer.ledger import Ledger
from producer.plan import Plan
from producer.produce import Run
from producer.replay import ServiceNumbers, replayed
from producer.shipping.opening import field_mapping, line_parser, open_source
from producer.shipping.shipper import Reader, Shipper, SpoolKept
from producer.shipping.spool import Spool
from producer.shipping.unparsable import UnparsableLines
from producer.sinks.opening import dead_letters_of, open_sink

Work = Callable[[], None]


def open_run(plan: Plan, settings: Settings, counts: Counts) -> tuple[Run, Work]:
    """Return the run and its work. Raises `LoglakeError` when a part can't be opened."""
    if plan.source:
        return _shipping(plan, settings, counts)
    if plan.replay:
        return _replay(plan, settings, counts)
    from producer.generating import generate, traffic_of

    traffic = traffic_of(plan)
    run = _run(plan, settings, counts, dead_letters_of(plan), traffic.services)
    return run, partial(generate, plan, run, traffic)


def _replay(plan: Plan, settings: Settings, counts: Counts) -> tuple[Run, Work]:
    assert plan.replay
    services = ServiceNumbers(SERVICES)
    run = _run(plan, settings, counts, dead_letters_of(plan), services.names)
    return run, lambda: run.history(replayed(plan.replay, services))


def _shipping(plan: Plan, settings: Settings, counts: Counts) -> tuple[Run, Work]:
    """Nothing is given up: what can't be sent waits in the spool, also for the next run."""
    spool, services = Spool(plan.spool), ServiceNumbers(SERVICES)
    unparsable = UnparsableLines(plan.spool / "unparsable.jsonl")
    mapping = field_mapping(plan)
    parser = line_parser(plan, mapping)
    dead_letters = SpoolKept(dead_letters_of(plan), counts)
    ledger = Ledger(plan.ledger, services.names) if plan.ledger else None
    sink = open_sink(replace(plan, retry_for=float("inf")), settings, counts, dead_letters, ledger, services.names)
    run = Run(sink, counts, dead_letters)

    def say(text: str) -> None:
        run.say(text)

    source = open_source(plan, mapping, spool, run.stopping, say)
    at_once = say if plan.follow else lambda _: None
    reader = Reader(source, parser, spool, unparsable, counts, run.stopping, at_once)
    return run, partial(Shipper(spool, run, ledger, services).send, reader)


def _run(plan: Plan, settings: Settings, counts: Counts, dead_letters: DeadLetters, services: Sequence[str]) -> Run:
    ledger = Ledger(plan.ledger, services) if plan.ledger else None
    return Run(open_sink(plan, settings, counts, dead_letters, ledger, services), counts, dead_letters)
