"""The estimate: its arithmetic against figures worked out by hand, its levers, a running stack's own metrics."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catalog.errors import UsageError
from cloudformation.cost.cli import cost
from cloudformation.cost.estimate import bill, levers, total
from cloudformation.cost.rates import BUILT_IN, read_rates
from cloudformation.cost.usage import Traffic, firings_per_month, monthly_usage, shards_for
from cloudformation.sections import TEMPLATE
from cloudformation.template import declared_parameters, parse_template
from tests.cloudformation.conftest import ROOT, Client, Run

PARAMETERS = {
    name: item.default
    for name, item in declared_parameters(parse_template(TEMPLATE.read_text(encoding="utf-8"))).items()
    if item.default is not None
}


ALARMS = 10
"""Of the template, in both modes together."""


def dollars(traffic: Traffic, **changes: str) -> Mapping[tuple[str, str], float]:
    parameters = PARAMETERS | changes
    lines = bill(monthly_usage(traffic, parameters, ALARMS), read_rates(), parameters)
    return {(line.service, line.item): round(line.dollars, 2) for line in lines}


@pytest.mark.parametrize(
    ("schedule", "firings"),
    [
        ("cron(0/15 * * * ? *)", 4 * 730),
        ("cron(0 0/6 * * ? *)", 4 * 730 / 24),
        ("cron(0 3 1 * ? *)", 1),
        ("cron(0,30 8-17 ? * MON-FRI *)", 20 * 730 / 24 * 5 / 7),
        ("cron(0 0 1 JAN,JUL ? *)", 2 / 12),
    ],
)
def test_a_schedule_fires_as_often_as_it_says(schedule: str, firings: float) -> None:
    assert firings_per_month(schedule) == pytest.approx(firings)


def test_a_schedule_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="got 'rate"):
        firings_per_month("rate(5 minutes)")


def test_a_small_stack_costs_what_a_hand_works_out() -> None:
    # 50 events/s of 600 bytes for 730 hours: 131.4 million events, 73.4 GiB
    found = dollars(Traffic(services=5), BufferSeconds="300")
    assert found["Kinesis", "shards"] == 10.95
    assert found["Firehose", "taken in"] == 18.17  # 626.6 GiB, as each event is rounded up to 5 KB
    assert found["Firehose", "partitioned"] == 1.47
    assert found["Firehose", "objects"] == 0.22  # 43,800
    assert found["Glue", "crawls"] == 17.84  # 121.7 crawls of ten minutes on two DPUs
    assert dollars(Traffic(), StreamMode="ON_DEMAND")["Kinesis", "on demand"] == 29.2


def test_more_traffic_takes_more_shards() -> None:
    assert shards_for(Traffic()) == 1
    assert shards_for(Traffic(events_per_second=5000)) == 9  # 5.7 MiB/s at the peak, 0.7 of a MiB/s each
    assert monthly_usage(Traffic(), PARAMETERS | {"ShardCount": "4"}, 0).shard_hours == 4 * 730


def test_a_direct_put_has_no_stream_and_no_rounding() -> None:
    found = dollars(Traffic(), IngestMode="direct")
    assert not [line for line in found if line[0] == "Kinesis"]
    assert found["Firehose", "taken in"] == 2.13  # 73.4 GiB


def test_a_lever_saves_what_the_two_bills_differ_by() -> None:
    rates = read_rates()

    def price(parameters: Mapping[str, str]) -> float:
        return total(bill(monthly_usage(Traffic(), parameters, ALARMS), rates, parameters))

    found = {lever.parameter: lever for lever in levers(PARAMETERS, price)}
    hourly = found["JobSchedule"]
    assert hourly.saves == pytest.approx(price(PARAMETERS) - price(PARAMETERS | {"JobSchedule": hourly.value}))
    assert "StreamMode" not in found  # it is PROVISIONED already
    assert list(found) == sorted(found, key=lambda name: -found[name].saves)


def test_the_guide_to_scaling_says_what_the_estimate_says() -> None:
    guide = (ROOT / "docs" / "scaling.md").read_text(encoding="utf-8")
    rates = read_rates()
    for row, mode in (("dollars a month", "stream"), ("… put directly, without a stream", "direct")):
        figures = re.search(rf"^\| {row} \| (\S+) \| (\S+) \| (\S+) \|$", guide, re.MULTILINE)
        assert figures is not None
        for rate, figure in zip((50, 5_000, 500_000), figures.groups(), strict=True):
            parameters = PARAMETERS | {"IngestMode": mode}
            lines = bill(monthly_usage(Traffic(rate), parameters, ALARMS), rates, parameters)
            assert float(figure.replace(",", "")) == pytest.approx(total(lines), rel=0.01)


def test_every_rate_is_used_in_some_bill() -> None:
    used: set[str] = set()

    class Noting(dict[str, float]):
        def __getitem__(self, name: str) -> float:
            used.add(name)
            return 1.0

    for changes in ({}, {"GlueVersion": "6.0"}, {"ExecutionClass": "FLEX"}):
        parameters = PARAMETERS | changes
        bill(monthly_usage(Traffic(), parameters, ALARMS), Noting(), parameters)  # type: ignore[arg-type]
    assert used == set(read_rates().dollars)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text.replace("stream_shard_hour: 0.015", ""), "must have stream_shard_hour"),
        (lambda text: text.replace("0.015", "free"), "rate stream_shard_hour must be a number"),
        (lambda text: text.replace("as_of: 2026-11-21", "as_of: today"), "as_of must be a day"),
        (lambda text: "]", "must have as_of, region and rates"),
    ],
)
def test_rates_that_lack_something_are_refused(tmp_path: Path, change: Callable[[str], str], complaint: str) -> None:
    path = tmp_path / "rates.yaml"
    path.write_text(change(BUILT_IN.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UsageError, match=complaint):
        read_rates(path)


def test_the_command_prints_the_bill_and_the_same_as_json() -> None:
    shown = CliRunner().invoke(cost, ["--rate", "50"])
    assert shown.exit_code == 0, shown.output
    answer = json.loads(CliRunner().invoke(cost, ["--rate", "50", "--json"]).output)
    assert f"{answer['dollars_a_month']:,.2f}" in shown.output
    assert sum(line["dollars"] for line in answer["lines"]) == pytest.approx(answer["dollars_a_month"], abs=0.2)
    assert answer["rates_as_of"] in shown.output


def test_a_parameter_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(cost, ["-p", "ShardCount=0"])
    assert "ShardCount must be at least 1; got '0'" in str(result.exception)


@pytest.mark.local
def test_a_stack_is_estimated_from_its_own_metrics(loglake: Run, deployed: None, client: Client) -> None:
    silent = loglake("cost", "--observed")
    assert silent.returncode == 1
    assert "must have delivered something in the last 7 days" in silent.stderr
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=9)
    stream = {"DeliveryStreamName": "loglake-delivery-stream"}
    for number in range(10):
        at = hour + timedelta(hours=number)
        _put(client, "AWS/Firehose", "DeliveryToS3.Records", stream, at, 360_000)
        _put(client, "AWS/Firehose", "DataReadFromKinesisStream.Bytes", stream, at, 360_000 * 500)
        _put(client, "AWS/Athena", "ProcessedBytes", {"WorkGroup": "loglake"}, at, 1e9)
    answer = json.loads(loglake("cost", "--observed", "--json").stdout)
    assert answer["events_per_second"] == pytest.approx(100, rel=0.1)  # of ten hours, or eleven if one ends meanwhile
    assert answer["event_bytes"] == pytest.approx(500)
    assert answer["measured"] == ["athena_tb"]
    scanned = next(line for line in answer["lines"] if line["service"] == "Athena")
    assert scanned["amount"] == pytest.approx(0.73, rel=0.1)  # 1 GB an hour


def _put(client: Client, namespace: str, name: str, dimensions: Mapping[str, str], at: Any, value: float) -> None:
    found = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    datum = {"MetricName": name, "Dimensions": found, "Timestamp": at, "Value": value}
    client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])
