import pytest

from cloudformation.events import Event, ends_operation, explain, first_failure


def event(status: str, resource: str = "Database", reason: str = "", kind: str = "AWS::Glue::Database") -> Event:
    return {
        "StackId": "arn:stack",
        "PhysicalResourceId": "arn:stack" if kind == "AWS::CloudFormation::Stack" else resource,
        "LogicalResourceId": resource,
        "ResourceType": kind,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_a_final_state_of_the_stack_ends_the_operation(status: str) -> None:
    assert ends_operation(event(status, "loglake", kind="AWS::CloudFormation::Stack"))
    assert not ends_operation(event(status))


@pytest.mark.parametrize(
    "status", ["CREATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "CREATE_FAILED", "UPDATE_FAILED"]
)
def test_a_state_that_another_follows_does_not(status: str) -> None:
    assert not ends_operation(event(status, "loglake", kind="AWS::CloudFormation::Stack"))


def test_the_first_failure_is_the_cause_not_the_cancelled_neighbours() -> None:
    cause = event("CREATE_FAILED", "Job", "Access denied")
    events = [event("CREATE_FAILED", "Role", "Resource creation cancelled"), cause, event("CREATE_FAILED", "Crawler")]
    assert first_failure(events) is cause
    assert first_failure([event("CREATE_COMPLETE")]) is None


def test_a_known_reason_comes_with_what_mends_it() -> None:
    assert explain(event("CREATE_FAILED", reason="Database app_logs_db already exists")) == (
        "Database (AWS::Glue::Database) could not be created: Database app_logs_db already exists; "
        "something of that name exists outside this stack: delete it, or deploy under another --stack-name "
        "(a second stack also needs --parameter DatabaseName=…)"
    )


def test_an_unknown_reason_is_the_services_own() -> None:
    assert explain(event("DELETE_FAILED", reason="Rate exceeded")) == (
        "Database (AWS::Glue::Database) could not be deleted: Rate exceeded"
    )
