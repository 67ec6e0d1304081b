"""`loglake cost`."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from catalog.settings import DEFAULT_STACK, stack_outputs
from cloudformation import report
from cloudformation.account import explained
from cloudformation.cost import estimate
from cloudformation.cost.metrics import Metrics
from cloudformation.cost.rates import BUILT_IN, Rates, read_rates
from cloudformation.cost.usage import Traffic, Usage, monthly_usage, shards_for
from cloudformation.sections import BOARD, TEMPLATE
from cloudformation.template import declared_parameters, parse_assignments, parse_template

_positive = click.FloatRange(min=0, min_open=True)


@click.command()
@click.option("--rate", type=_positive, default=50.0, show_default=True, help="Mean events a second.")
@click.option("--event-bytes", type=_positive, default=600.0, show_default=True, help="Bytes of one event as JSON.")
@click.option("--services", type=click.IntRange(1), default=6, show_default=True, help="Services that write.")
@click.option("--queries", type=click.FloatRange(min=0), default=500.0, show_default=True, help="Queries a day.")
@click.option("--query-bytes", type=_positive, default=10e6, show_default=True, help="Bytes that one query scans.")
@click.option("--parameter", "-p", multiple=True, metavar="NAME=VALUE", help="A parameter of the stack; repeatable.")
@click.option("--observed", is_flag=True, help="From the metrics and parameters of the deployed stack, not from flags.")
@click.option("--stack-name", default=DEFAULT_STACK, envvar="LOGLAKE_STACK", show_default=True, help="For --observed.")
@click.option("--days", type=click.IntRange(1, 60), default=7, show_default=True, help="Days that --observed reads.")
@click.option(
    "--rates",
    "rates_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=BUILT_IN,
    help="Your own file of rates; by default the dated one that comes along, us-east-1.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cost(
    rate: float,
    event_bytes: float,
    services: int,
    queries: float,
    query_bytes: float,
    parameter: tuple[str, ...],
    observed: bool,
    stack_name: str,
    days: int,
    rates_file: Path,
    as_json: bool,
) -> None:
    """Estimate what a month of the stack costs, line by line, and what would make it cheaper.

    Nothing is deployed and, without --observed, AWS is not called.
    """
    template = parse_template(TEMPLATE.read_text(encoding="utf-8"))
    declared = declared_parameters(template)
    parameters = {name: item.default for name, item in declared.items() if item.default is not None}
    traffic = Traffic(rate, event_bytes, services, queries_per_day=queries, bytes_per_query=query_bytes)
    measured: Mapping[str, float] = {}
    if observed:
        with explained():
            traffic, measured = _observed(traffic, parameters, stack_name, days)
    parameters |= parse_assignments(parameter, declared)
    rates = read_rates(rates_file)
    nested = parse_template(BOARD.read_text(encoding="utf-8"))
    resources = [*template["Resources"].values(), *nested["Resources"].values()]
    alarms = sum(body["Type"] == "AWS::CloudWatch::Alarm" for body in resources)

    def usage_of(values: Mapping[str, str]) -> Usage:
        return monthly_usage(traffic, values, alarms)

    usage = estimate.observed(usage_of(parameters), measured)
    lines = estimate.bill(usage, rates, parameters)
    price = _pricing(usage_of, rates)
    found = estimate.levers(parameters, price)
    if as_json:
        click.echo(json.dumps(_as_json(rates, traffic, lines, found, sorted(measured)), indent=2))
    else:
        _show(report.new_console(), rates, traffic, lines, found, sorted(measured))


def _pricing(usage_of: Callable[[Mapping[str, str]], Usage], rates: Rates) -> Callable[[Mapping[str, str]], float]:
    return lambda values: estimate.total(estimate.bill(usage_of(values), rates, values))


def _observed(
    traffic: Traffic, parameters: dict[str, str], stack_name: str, days: int
) -> tuple[Traffic, Mapping[str, float]]:
    """Return the traffic and the usage that the stack's metrics tell; put its parameters into `parameters`."""
    session = boto3.Session()
    settings = stack_outputs(stack_name)
    stack = session.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    parameters.update({item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", ())})
    seen = Metrics(session, settings, days).read()
    found = Traffic(
        seen.events_per_second,
        seen.event_bytes,
        traffic.services,
        queries_per_day=traffic.queries_per_day,
        bytes_per_query=traffic.bytes_per_query,
    )
    return found, seen.usage


def _as_json(
    rates: Rates,
    traffic: Traffic,
    lines: tuple[estimate.Line, ...],
    levers: tuple[estimate.Lever, ...],
    measured: list[str],
) -> dict[str, Any]:
    return {
        "rates_as_of": rates.as_of.isoformat(),
        "region": rates.region,
        "events_per_second": traffic.events_per_second,
        "event_bytes": traffic.event_bytes,
        "shards": shards_for(traffic),
        "measured": measured,
        "lines": [line.as_dict() for line in lines],
        "dollars_a_month": round(estimate.total(lines), 2),
        "dollars_per_million_events": round(estimate.per_million_events(lines, traffic), 4),
        "levers": [
            {"parameter": lever.parameter, "value": lever.value, "effect": lever.effect, "saves": round(lever.saves, 2)}
            for lever in levers
        ],
    }


def _show(
    console: Console,
    rates: Rates,
    traffic: Traffic,
    lines: tuple[estimate.Line, ...],
    levers: tuple[estimate.Lever, ...],
    measured: list[str],
) -> None:
    console.print(
        f"{traffic.events_per_second:,.0f} events/s of {traffic.event_bytes:,.0f} bytes, "
        f"prices of {rates.region} as of {rates.as_of}, a month of 730 hours"
    )
    table = Table(box=SIMPLE, show_footer=True)
    table.add_column("Service", "Total")
    table.add_column("Charged for")
    table.add_column("Amount", justify="right")
    table.add_column("Unit")
    table.add_column("$ a month", f"{estimate.total(lines):,.2f}", justify="right")
    for line in lines:
        table.add_row(line.service, line.item, f"{line.amount:,.1f}", line.unit, f"{line.dollars:,.2f}")
    console.print(table)
    console.print(f"${estimate.per_million_events(lines, traffic):.3f} for a million events.")
    if measured:
        console.print(f"Measured, not worked out: events, bytes, {', '.join(measured)}.")
    if levers:
        console.print("\nWhat would save most:")
    for lever in levers[:5]:
        console.print(f"  ${lever.saves:>8,.2f}  {lever.parameter}={lever.value}", highlight=False, soft_wrap=True)
        console.print(f"             {lever.effect}", style="dim", soft_wrap=True)
    console.print("\nWithout free tiers, discounts, tax, transfer out of the region, and the dashboard's own host.")
