from typing import Any

from localcloud.jobs.triggers import Conditions, scheduled


def conditional(logical: str, *conditions: dict[str, str], **more: str) -> dict[str, Any]:
    predicate = {"Logical": logical, "Conditions": list(conditions)}
    return {"Name": "after", "Type": "CONDITIONAL", "State": "ACTIVATED", "Predicate": predicate, **more}


CRAWLED = {"CrawlerName": "raw", "CrawlState": "SUCCEEDED"}
CURATED = {"JobName": "curate", "State": "SUCCEEDED"}


def test_scheduled_leaves_out_what_is_not_activated() -> None:
    trigger = {"Name": "t", "Type": "SCHEDULED", "State": "ACTIVATED", "Schedule": "cron(0 * * * ? *)"}
    others = [{**trigger, "Name": "a", "State": "CREATED"}, {**trigger, "Name": "b", "Type": "ON_DEMAND"}]

    assert list(scheduled([trigger, *others])) == ["t"]


def test_and_waits_for_every_condition() -> None:
    conditions, trigger = Conditions(), conditional("AND", CRAWLED, CURATED)

    assert conditions.ended(("crawler", "raw", "SUCCEEDED"), [trigger]) == []
    assert conditions.ended(("job", "curate", "SUCCEEDED"), [trigger]) == [trigger]
    assert conditions.ended(("job", "curate", "SUCCEEDED"), [trigger]) == []


def test_any_fires_at_the_first_condition() -> None:
    trigger = conditional("ANY", CRAWLED, CURATED)

    assert Conditions().ended(("job", "curate", "SUCCEEDED"), [trigger]) == [trigger]


def test_other_endings_fire_nothing() -> None:
    triggers = [conditional("ANY", CURATED), conditional("ANY", CURATED, Name="off", State="DEACTIVATED")]

    assert Conditions().ended(("job", "curate", "FAILED"), triggers) == []
    assert Conditions().ended(("job", "other", "SUCCEEDED"), triggers) == []
    assert [one["Name"] for one in Conditions().ended(("job", "curate", "SUCCEEDED"), triggers)] == ["after"]
