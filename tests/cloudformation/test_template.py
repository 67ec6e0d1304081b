"""What no linter checks: that the template keeps the catalog's word, and the limits that the services state."""

import base64
import json
import re
import string
from collections.abc import Mapping
from typing import Any

import pytest

from catalog.named_queries import named_queries
from catalog.settings import OUTPUTS
from catalog.tables import TABLES, Table
from cloudformation.sections import (
    BOARD,
    GUIDE,
    QUERIES,
    TEMPLATE,
    logical_id,
    render,
    render_guide,
    render_queries,
)
from cloudformation.template import declared_parameters, parse_template
from firehose.transform import handler

Template = Mapping[str, Any]


def resources_of(template: Template, kind: str) -> dict[str, Any]:
    return {name: body for name, body in template["Resources"].items() if body["Type"] == kind}


@pytest.fixture(scope="session")
def destination(template: Template) -> Mapping[str, Any]:
    destination: Mapping[str, Any] = template["Resources"]["DeliveryStream"]["Properties"][
        "ExtendedS3DestinationConfiguration"
    ]
    return destination


def test_the_template_is_what_the_catalog_says() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert render(text) == text, "run 'python -m cloudformation.sections'"


def test_the_guide_lists_the_templates_parameters_and_outputs() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert render_guide(guide, TEMPLATE.read_text(encoding="utf-8")) == guide, "run 'python -m cloudformation.sections'"
    assert "| `ShardCount` | `1` |" in guide


def test_the_template_keeps_to_cloudformations_limits(template: Template) -> None:
    # The quotas page: 51,200 bytes for a template in the request, as the AWS CLI sends it; 500 resources
    assert len(TEMPLATE.read_bytes()) <= 51_200
    assert len(template["Resources"]) <= 500


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_is_the_catalogs(template: Template, table: Table) -> None:
    found = template["Resources"][logical_id(table.name, "Table")]["Properties"]["TableInput"]
    storage = found["StorageDescriptor"]
    assert found["Name"] == table.name
    assert [(column["Name"], column["Type"]) for column in storage["Columns"]] == [
        (column.name, column.type) for column in table.columns
    ]
    assert found["PartitionKeys"] == [{"Name": key, "Type": "string"} for key in table.partition_keys]
    assert storage["Location"] == {"Fn::Sub": "s3://${LakeBucket}/" + table.prefix}
    assert storage["SerdeInfo"]["SerializationLibrary"] == "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


def test_there_are_no_other_tables(template: Template) -> None:
    assert set(resources_of(template, "AWS::Glue::Table")) == {logical_id(table.name, "Table") for table in TABLES}


def test_the_named_queries_are_the_files() -> None:
    assert QUERIES.read_text(encoding="utf-8") == render_queries(), "run 'python -m cloudformation.sections'"
    template = parse_template(QUERIES.read_text(encoding="utf-8"))
    found = {
        body["Properties"]["Name"]: body["Properties"]["QueryString"]["Fn::Sub"]
        for body in resources_of(template, "AWS::Athena::NamedQuery").values()
    }
    assert found == {query.name: query.template for query in named_queries()}
    assert len(found) >= 15


def test_there_is_an_output_for_every_setting(template: Template) -> None:
    assert set(OUTPUTS) <= set(template["Outputs"])


def test_no_output_can_be_empty(template: Template) -> None:
    empty = {name for name, body in template["Parameters"].items() if body.get("Default") == ""}
    values = {name: body["Value"] for name, body in template["Outputs"].items()}
    assert not [name for name, value in values.items() if value == "" or value.get("Ref") in empty]
    assert values["Stream"]["Fn::If"][2] == "-"


def test_buffers_keep_to_the_minima_of_dynamic_partitioning(template: Template, destination: Template) -> None:
    hints = destination["BufferingHints"]
    assert destination["DynamicPartitioningConfiguration"]["Enabled"] is True
    assert template["Parameters"][hints["SizeInMBs"]["Ref"]]["MinValue"] == 64
    assert template["Parameters"][hints["IntervalInSeconds"]["Ref"]]["MinValue"] == 60


def test_the_prefix_uses_the_keys_that_the_lambda_returns(destination: Template) -> None:
    used = re.findall(r"!\{partitionKeyFromLambda:(\w+)\}", destination["Prefix"])
    event = {
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "timestamp": "2026-11-21T10:00:00.123Z",
        "level": "INFO",
        "service": "payment",
        "message": "charged",
    }
    record = {"recordId": "1", "data": base64.b64encode(json.dumps(event).encode()).decode()}
    returned = handler({"records": [record]}, None)["records"][0]["metadata"]["partitionKeys"]
    assert used == ["service", "year", "month", "day"]
    assert set(used) == set(returned)
    assert destination["Prefix"].startswith("logs/!{partitionKeyFromLambda:service}/year=!{")


def test_errors_go_outside_the_crawled_path_by_their_type(template: Template, destination: Template) -> None:
    prefix = destination["ErrorOutputPrefix"]
    crawled = template["Resources"]["Crawler"]["Properties"]["Targets"]["S3Targets"][0]["Path"]["Fn::Sub"]
    assert crawled == "s3://${RawBucket}/logs/"
    assert prefix.startswith("errors/!{firehose:error-output-type}/")
    assert "partitionKeyFrom" not in prefix


def test_compressed_objects_are_named_so(destination: Template) -> None:
    assert (destination["CompressionFormat"], destination["FileExtension"]) == ("GZIP", ".json.gz")


def test_records_are_transformed_then_delimited(template: Template, destination: Template) -> None:
    direct, transform, delimit = destination["ProcessingConfiguration"]["Processors"]
    assert direct["Fn::If"][:2] == [
        "IsDirect",
        {
            "Type": "RecordDeAggregation",
            "Parameters": [{"ParameterName": "SubRecordType", "ParameterValue": "JSON"}],
        },
    ]
    assert (transform["Type"], delimit["Type"]) == ("Lambda", "AppendDelimiterToRecord")


def test_the_crawler_makes_a_table_of_each_service(template: Template) -> None:
    configuration = json.loads(template["Resources"]["Crawler"]["Properties"]["Configuration"])
    assert configuration["Grouping"] == {
        "TableGroupingPolicy": "CombineCompatibleSchemas",
        "TableLevelConfiguration": 3,
    }
    assert configuration["CrawlerOutput"]["Partitions"] == {"AddOrUpdateBehavior": "InheritFromTable"}
    assert configuration["CrawlerOutput"]["Tables"]["AddOrUpdateBehavior"] == "MergeNewColumns"


def test_the_crawl_can_come_first_and_its_success_starts_the_job(template: Template) -> None:
    resources = template["Resources"]
    schedule = resources["Crawler"]["Properties"]["Schedule"]
    assert schedule["Fn::If"][:2] == ["CrawlsFirst", {"Ref": "AWS::NoValue"}]
    first = resources["Trigger"]["Properties"]["Actions"][0]["Fn::If"]
    assert first == ["CrawlsFirst", {"CrawlerName": {"Ref": "Crawler"}}, {"JobName": {"Ref": "Job"}}]
    crawled = resources["CrawledTrigger"]
    assert (crawled["Condition"], crawled["Properties"]["Type"]) == ("CrawlsFirst", "CONDITIONAL")
    [condition] = crawled["Properties"]["Predicate"]["Conditions"]
    assert (condition["CrawlerName"], condition["CrawlState"]) == ({"Ref": "Crawler"}, "SUCCEEDED")
    assert crawled["Properties"]["Actions"] == [{"JobName": {"Ref": "Job"}}]


def test_the_job_runs_the_pinned_glue(template: Template) -> None:
    assert template["Resources"]["Job"]["Properties"]["GlueVersion"] == {"Ref": "GlueVersion"}
    assert template["Parameters"]["GlueVersion"]["Default"] == "5.1"


def test_every_physical_name_carries_the_stacks(template: Template) -> None:
    keys = ("BucketName", "Name", "FunctionName", "DeliveryStreamName", "LogGroupName", "TopicName", "AlarmName")
    shared = ("AWS::Athena::NamedQuery", "AWS::Logs::LogStream")
    for name, body in template["Resources"].items():
        for key in keys:
            value = body.get("Properties", {}).get(key)
            if value is not None and body["Type"] not in shared:
                assert "AWS::StackName" in json.dumps(value), f"{name}.{key} would clash with a second stack's"


def test_every_parameter_is_described_and_grouped(template: Template) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])
    assert all(body.get("Description") for body in template["Parameters"].values())


def test_every_default_obeys_its_own_constraint(template: Template) -> None:
    for parameter in declared_parameters(template).values():
        if parameter.default is not None:
            parameter.check(parameter.default)


def test_operators_are_told_what_each_alarm_means(template: Template) -> None:
    board = parse_template(BOARD.read_text(encoding="utf-8"))
    alarms = [each for part in (template, board) for each in resources_of(part, "AWS::CloudWatch::Alarm").values()]
    names = [body["Properties"]["AlarmName"]["Fn::Sub"].partition("}-")[2] for body in alarms]
    guide = (GUIDE.parent / "operations.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z-]+)` \|", guide, re.MULTILINE))
    assert sorted(told) == sorted(names)


def test_the_topic_lets_alarms_and_rules_publish(template: Template) -> None:
    statements = template["Resources"]["AlarmTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = {one["Principal"]["Service"]: one for one in statements if one["Effect"] == "Allow"}
    assert set(allowed) == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}
    # EventBridge user guide, resource-based policies: a condition in a topic's policy keeps rules from publishing.
    assert "Condition" not in allowed["events.amazonaws.com"]


def test_logical_ids_are_readable() -> None:
    assert logical_id("log_minutes", "Table") == "LogMinutesTable"
    assert set(logical_id("count-by-level", "Query")) <= set(string.ascii_letters)


def test_the_board_shows_what_the_stack_names(template: Template) -> None:
    board = parse_template(BOARD.read_text(encoding="utf-8"))
    body = board["Resources"]["Board"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    alarms = [name.partition(":alarm:")[2] for name in widgets[0]["properties"]["alarms"]]
    named = {
        body["Properties"]["AlarmName"]["Fn::Sub"] for body in resources_of(template, "AWS::CloudWatch::Alarm").values()
    }
    assert {name.replace("${StackName}", "${AWS::StackName}") for name in alarms} <= named
    assert template["Resources"]["Transform"]["Properties"]["FunctionName"] == {
        "Fn::Sub": "${AWS::StackName}-transform"
    }
    assert "${StackName}-transform" in body
    boxes = [(widget["x"], widget["y"]) for widget in widgets]
    assert len(set(boxes)) == len(boxes)
