from cloudformation.diagram import mermaid, references


def test_what_a_resource_names_is_found_in_every_form() -> None:
    value = {
        "A": {"Ref": "One"},
        "B": [{"Fn::GetAtt": ["Two", "Arn"]}],
        "C": {"Fn::Sub": "arn:${AWS::Region}:${Three}/${Four.Arn}"},
    }
    assert list(references(value)) == ["One", "Two", "Three", "Four"]


def test_roles_are_left_out_and_alarms_drawn_as_one() -> None:
    template = {
        "Resources": {
            "Stream": {"Type": "AWS::Kinesis::Stream"},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"A": {"Ref": "Stream"}}},
            "LateAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"A": {"Ref": "Stream"}}},
            "FullAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"A": {"Ref": "Stream"}}},
        }
    }
    assert mermaid(template) == (
        "flowchart LR\n"
        '  Stream(["Stream<br/><small>Kinesis Stream</small>"])\n'
        '  Alarms["Alarms<br/><small>CloudWatch Alarm</small>"]\n'
        "  Alarms --> Stream\n"
    )
