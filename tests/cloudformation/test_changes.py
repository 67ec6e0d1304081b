from cloudformation.changes import Change, read_changes


def described(action: str, resource: str, kind: str, **more: object) -> dict[str, object]:
    return {"ResourceChange": {"Action": action, "LogicalResourceId": resource, "ResourceType": kind, **more}}


def test_what_destroys_comes_first_and_says_what_is_lost() -> None:
    changes = read_changes(
        [
            described("Add", "Job", "AWS::Glue::Job"),
            described("Modify", "Trigger", "AWS::Glue::Trigger", Replacement="False"),
            described("Modify", "Stream", "AWS::Kinesis::Stream", Replacement="True", PolicyAction="ReplaceAndDelete"),
            described("Remove", "Old", "AWS::Glue::Table", PolicyAction="Delete"),
            described("Modify", "Role", "AWS::IAM::Role", Replacement="Conditional"),
        ]
    )
    assert [(change.action, change.resource, change.loses) for change in changes] == [
        ("Remove", "Old", "its partitions, until they are repaired"),
        ("Replace", "Stream", "events not delivered yet"),
        ("Maybe replace", "Role", None),
        ("Modify", "Trigger", None),
        ("Add", "Job", None),
    ]


def test_a_retained_bucket_loses_nothing() -> None:
    (change,) = read_changes([described("Remove", "RawBucket", "AWS::S3::Bucket", PolicyAction="Retain")])
    assert change == Change("Remove", "RawBucket", "AWS::S3::Bucket")


def test_the_properties_that_differ_are_named_once() -> None:
    details = [
        {"Target": {"Attribute": "Properties", "Name": "Timeout"}},
        {"Target": {"Attribute": "Properties", "Name": "Timeout"}},
        {"Target": {"Attribute": "Tags"}},
    ]
    (change,) = read_changes([described("Modify", "Job", "AWS::Glue::Job", Replacement="False", Details=details)])
    assert change.properties == ("Tags", "Timeout")


def test_a_nested_stack_counts_only_if_something_of_it_changed() -> None:
    automatic = {"Target": {"Attribute": "Properties"}, "Evaluation": "Dynamic", "ChangeSource": "Automatic"}
    key = {
        "Target": {"Attribute": "Properties", "Name": "TemplateURL"},
        "ChangeSource": "ParameterReference",
        "CausingEntity": "QueriesKey",
    }
    kind = "AWS::CloudFormation::Stack"
    changes = read_changes(
        [
            described("Modify", "Board", kind, Replacement="False", Details=[automatic]),
            described("Modify", "NamedQueries", kind, Replacement="False", Details=[key]),
        ]
    )
    assert [(change.resource, change.properties) for change in changes] == [("NamedQueries", ("TemplateURL",))]
