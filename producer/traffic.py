"""The traffic model as numbers: every way a request can end, its chance, and the log lines it leaves, in order.

A request writes its lines in the order in which its calls finish (children before parents), so the subtree of a line is
the run of lines just before it, and a total latency is a difference of two running sums.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.schema import LEVELS
from producer.services import DEBUG_SHARE, JOURNEYS, SLOW_FACTOR, SLOW_SHARE, Call, Failure, Journey, Route

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of log line. `latency_ms` is its own work; a line without a status (DEBUG) has no response to time."""

    route: Route
    level: str
    status: int | None
    error_type: str | None
    message: str
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a request can end: its chance, its lines, and for each line how many lines its subtree holds.

    `cause` is the service whose own failure (5xx) made it end so; empty when it went well or the caller erred.
    """

    weight: float
    lines: tuple[Line, ...]
    subtrees: tuple[int, ...]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class _Node:
    route: Route
    parent: int
    children_before: int


def outcomes_of(journey: Journey) -> Iterator[Outcome]:
    """Yield every way `journey` can end: well, well with DEBUG lines, one call late, or one call failing."""
    nodes = list(_finishing_order(journey.edge, []))
    troubled = 0.0
    for place, node in enumerate(nodes):
        for failure in node.route.failures:
            troubled += failure.rate
            yield _failing(nodes, place, failure, journey.weight * failure.rate)
        troubled += SLOW_SHARE
        yield _well(nodes, journey.weight * SLOW_SHARE, slow=place)
    yield _well(nodes, journey.weight * (1 - troubled) * (1 - DEBUG_SHARE))
    yield _well(nodes, journey.weight * (1 - troubled) * DEBUG_SHARE, debug=True)


def _finishing_order(call: Call, nodes: list[_Node]) -> list[_Node]:
    before = len(nodes)
    roots = []
    for child in call.calls:
        _finishing_order(child, nodes)
        roots.append(len(nodes) - 1)
    place = len(nodes)
    for root in roots:
        nodes[root] = _Node(nodes[root].route, place, nodes[root].children_before)
    nodes.append(_Node(call.route, -1, place - before))
    return nodes


def _success(route: Route) -> Line:
    return Line(route, "INFO", route.status, None, route.message, route.latency_ms)


def _slow(route: Route) -> Line:
    limit = round(route.latency_ms * 10)
    message = f"slow {route.method} {route.endpoint}: over {limit} ms, waited for connection {{small}} of {{small}}"
    return Line(route, "WARNING", route.status, None, message, route.latency_ms * SLOW_FACTOR)


def _debug(route: Route) -> Line:
    return Line(route, "DEBUG", None, None, route.debug, route.latency_ms * 0.3)


def _well(nodes: Sequence[_Node], weight: float, slow: int = -1, debug: bool = False) -> Outcome:
    lines: list[Line] = []
    subtrees: list[int] = []
    for place, node in enumerate(nodes):
        if debug:
            lines.append(_debug(node.route))
            subtrees.append(1)
        lines.append(_slow(node.route) if place == slow else _success(node.route))
        subtrees.append((node.children_before + 1) * (2 if debug else 1))
    return Outcome(weight, tuple(lines), tuple(subtrees))


def _failing(nodes: Sequence[_Node], place: int, failure: Failure, weight: float) -> Outcome:
    """What finished before stays well; the callers of the failed call fail with it; later calls are never made."""
    lines = [_success(node.route) for node in nodes[:place]]
    subtrees = [node.children_before + 1 for node in nodes[:place]]
    route = nodes[place].route
    latency_ms = _failed_latency(route, failure)
    lines.append(Line(route, failure.severity, failure.status, failure.error_type, failure.message, latency_ms))
    subtrees.append(nodes[place].children_before + 1)
    first, parent = place - nodes[place].children_before, nodes[place].parent
    while parent >= 0:
        first = min(first, parent - nodes[parent].children_before)
        lines.append(_passed_on(nodes[parent].route, route, failure))
        subtrees.append(len(lines) - first)
        parent = nodes[parent].parent
    return Outcome(weight, tuple(lines), tuple(subtrees), route.service if failure.status >= 500 else "")


def _failed_latency(route: Route, failure: Failure) -> float:
    if failure.status == 504:
        return 10_000.0
    return route.latency_ms * (6.0 if failure.status >= 500 else 0.8)


def _passed_on(route: Route, failed: Route, failure: Failure) -> Line:
    if failure.status < 500:
        message = f"{route.method} {route.endpoint} {failure.status} {failure.error_type} from {failed.service}"
        return Line(route, "WARNING", failure.status, failure.error_type, message, route.latency_ms)
    status = 504 if failure.status == 504 else 502
    message = (
        f"UpstreamError: {failed.service} answered {failure.status} to {failed.method} {failed.endpoint},"
        " gave up after {small} retries"
    )
    return Line(route, "ERROR", status, "UpstreamError", message, route.latency_ms)


@dataclass(frozen=True, slots=True)
class Model:
    """The outcomes laid out as arrays; `lines[k]` are the kinds of line, and outcome `i` owns a run of `flat_*`."""

    lines: tuple[Line, ...]
    services: tuple[str, ...]
    chances: Floats
    starts: Integers
    sizes: Integers
    flat_lines: Integers
    flat_subtrees: Integers
    line_service: Integers
    line_level: Integers
    line_latency: Floats
    line_spread: Floats
    weights: Floats
    journeys: Integers
    causes: Integers

    def chances_when(self, failures: Floats) -> Floats:
        """Return the chances when each service fails `failures` times as often, with the mix of journeys unchanged.

        What fails more takes its share from the requests of the same journey that end otherwise.
        """
        caused = self.causes >= 0
        scaled = np.where(caused, self.weights * failures[self.causes], 0.0)
        weight = np.bincount(self.journeys, weights=self.weights)
        trouble = np.bincount(self.journeys, weights=scaled)
        otherwise = weight - np.bincount(self.journeys, weights=np.where(caused, self.weights, 0.0))
        shrink = np.minimum(1.0, weight / np.maximum(trouble, 1e-12))[self.journeys]
        left = (np.maximum(0.0, weight - trouble) / otherwise)[self.journeys]
        chances = np.cumsum(np.where(caused, scaled * shrink, self.weights * left))
        return np.asarray(chances / chances[-1], dtype=np.float64)

    def service_means(self) -> Floats:
        """Return how many lines of each service one request writes on average."""
        shares = np.diff(self.chances, prepend=0.0)
        weights = np.repeat(shares, self.sizes)
        services = self.line_service[self.flat_lines]
        return np.bincount(services, weights=weights, minlength=len(self.services)).astype(np.float64)


def compile_model(services: Sequence[str], journeys: Sequence[Journey] = JOURNEYS) -> Model:
    """Return the model of `journeys`; a service's number is its place in `services`."""
    ways = [list(outcomes_of(journey)) for journey in journeys]
    outcomes = [outcome for way in ways for outcome in way]
    lines: dict[Line, int] = {}
    flat = [lines.setdefault(line, len(lines)) for outcome in outcomes for line in outcome.lines]
    sizes = np.array([len(outcome.lines) for outcome in outcomes], dtype=np.int64)
    weights = np.array([outcome.weight for outcome in outcomes])
    chances = np.cumsum(weights)
    return Model(
        lines=tuple(lines),
        services=tuple(services),
        chances=chances / chances[-1],
        starts=np.cumsum(sizes) - sizes,
        sizes=sizes,
        flat_lines=np.array(flat, dtype=np.int64),
        flat_subtrees=np.array([size for outcome in outcomes for size in outcome.subtrees], dtype=np.int64),
        line_service=np.array([services.index(line.route.service) for line in lines], dtype=np.int64),
        line_level=np.array([LEVELS.index(line.level) for line in lines], dtype=np.int64),
        line_latency=np.array([line.latency_ms for line in lines]),
        line_spread=np.array([line.route.spread for line in lines]),
        weights=weights,
        journeys=np.repeat(np.arange(len(ways)), [len(way) for way in ways]),
        causes=np.array([services.index(outcome.cause) if outcome.cause else -1 for outcome in outcomes]),
    )
