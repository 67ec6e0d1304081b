"""The templates are safe, and stay so: each hardening property, taken away or spoilt in turn, breaks just its rule."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cloudformation.sections import TEMPLATE
from cloudformation.template import parse_template
from tests.cloudformation.guard import RULES, broken_rules, file_of, rule_names

BUCKETS = ("RawBucket", "LakeBucket", "ResultsBucket")
ROLES = ("TransformRole", "DeliveryRole", "CrawlerRole", "JobRole")
TABLES = ("LogsTable", "LogMinutesTable", "RejectsTable", "RunsTable")
DESTINATION = "DeliveryStream.Properties.ExtendedS3DestinationConfiguration"
JOB = "Job.Properties"
CRAWLER = "Crawler.Properties"
QUERIES = "WorkGroup.Properties.WorkGroupConfiguration"
TRUST = "Properties.AssumeRolePolicyDocument.Statement.0"
CONTAINERS = ("DashboardTask", "ConsumerTask", "ProducerTask")
VOLUME = "DashboardTask.Properties.Volumes.2.EFSVolumeConfiguration"

REMOVED: Mapping[str, tuple[str, ...]] = {
    "buckets_are_private": (
        *(f"{bucket}.Properties.PublicAccessBlockConfiguration" for bucket in BUCKETS),
        "RawBucket.Properties.PublicAccessBlockConfiguration.BlockPublicAcls",
        "RawBucket.Properties.PublicAccessBlockConfiguration.BlockPublicPolicy",
        "RawBucket.Properties.PublicAccessBlockConfiguration.IgnorePublicAcls",
        "RawBucket.Properties.PublicAccessBlockConfiguration.RestrictPublicBuckets",
    ),
    "buckets_take_no_access_lists": tuple(f"{bucket}.Properties.OwnershipControls" for bucket in BUCKETS),
    "buckets_are_encrypted": tuple(f"{bucket}.Properties.BucketEncryption" for bucket in BUCKETS),
    "buckets_outlive_the_stack": tuple(
        f"{bucket}.{policy}" for bucket in BUCKETS for policy in ("DeletionPolicy", "UpdateReplacePolicy")
    ),
    "incomplete_uploads_expire": tuple(f"{bucket}.Properties.LifecycleConfiguration" for bucket in BUCKETS),
    "buckets_take_tls_only": (
        *(f"{bucket}Policy" for bucket in BUCKETS),
        *(f"{bucket}Policy.Properties.PolicyDocument.Statement.0.Condition" for bucket in BUCKETS),
        "RawBucketPolicy.Properties.PolicyDocument.Statement.0.Resource.0",
        "RawBucketPolicy.Properties.PolicyDocument.Statement.0.Resource.1",
    ),
    "streams_are_encrypted": ("Stream.Properties.StreamEncryption",),
    "live_tables_are_encrypted_and_forget": (
        "LiveTable.Properties.SSESpecification",
        "LiveTable.Properties.TimeToLiveSpecification",
    ),
    "direct_delivery_is_encrypted": ("DeliveryStream.Properties.DeliveryStreamEncryptionConfigurationInput",),
    "delivered_objects_are_encrypted": (f"{DESTINATION}.EncryptionConfiguration",),
    "delivery_keeps_what_fails_apart": (f"{DESTINATION}.ErrorOutputPrefix", f"{DESTINATION}.Prefix"),
    "delivery_logs_why": (
        f"{DESTINATION}.CloudWatchLoggingOptions",
        f"{DESTINATION}.CloudWatchLoggingOptions.LogGroupName",
    ),
    "delivery_transforms_every_record": (
        f"{DESTINATION}.ProcessingConfiguration",
        f"{DESTINATION}.ProcessingConfiguration.Processors.1",
    ),
    "functions_log_where_logs_expire": ("Transform.Properties.LoggingConfig",),
    "functions_keep_their_variables_under_the_key": ("Transform.Properties.KmsKeyArn",),
    "logs_expire": ("TransformLogs.Properties.RetentionInDays", "DeliveryLogs.Properties.RetentionInDays"),
    "topics_take_tls_only": (
        "AlarmTopicPolicy.Properties.PolicyDocument.Statement.2",
        "AlarmTopicPolicy.Properties.PolicyDocument.Statement.2.Condition",
    ),
    "topics_are_published_to_for_us_only": ("AlarmTopicPolicy.Properties.PolicyDocument.Statement.0.Condition",),
    "alarms_reach_the_topic": (
        "FreshnessAlarm.Properties.AlarmActions",
        "TransformThrottlesAlarm.Properties.AlarmActions",
        "PutFailedAlarm.Properties.AlarmActions",
        "BytesHighAlarm.Properties.TreatMissingData",
        "DeliveryAlarm.Properties.TreatMissingData",
    ),
    "events_reach_the_topic": ("ErrorObjectRule.Properties.Targets",),
    "crawls_delete_nothing": (f"{CRAWLER}.SchemaChangePolicy", f"{CRAWLER}.SchemaChangePolicy.DeleteBehavior"),
    "crawls_read_logs_only": (f"{CRAWLER}.Targets",),
    "curated_tables_lie_in_the_lake": tuple(
        f"{table}.Properties.TableInput.StorageDescriptor.Location" for table in TABLES
    ),
    "jobs_are_pinned_bounded_and_alone": (
        f"{JOB}.GlueVersion",
        f"{JOB}.Timeout",
        f"{JOB}.MaxRetries",
        f"{JOB}.ExecutionProperty",
    ),
    "jobs_log_and_keep_no_bookmark": (
        f"{JOB}.DefaultArguments.--job-bookmark-option",
        f"{JOB}.DefaultArguments.--enable-continuous-cloudwatch-log",
        f"{JOB}.DefaultArguments.--enable-metrics",
    ),
    "triggers_fire": ("Trigger.Properties.StartOnCreation", "CrawledTrigger.Properties.StartOnCreation"),
    "clients_cannot_override_the_workgroup": (f"{QUERIES}.EnforceWorkGroupConfiguration",),
    "queries_are_cut_off": (f"{QUERIES}.BytesScannedCutoffPerQuery",),
    "queries_are_measured": (f"{QUERIES}.PublishCloudWatchMetricsEnabled",),
    "workgroups_go_with_the_stack": ("WorkGroup.Properties.RecursiveDeleteOption",),
    "results_are_encrypted": (f"{QUERIES}.ResultConfiguration.EncryptionConfiguration",),
    "results_go_to_our_own_bucket": (
        f"{QUERIES}.ResultConfiguration.ExpectedBucketOwner",
        f"{QUERIES}.ResultConfiguration.OutputLocation",
    ),
    "roles_are_for_services": tuple(f"{role}.{TRUST}.Principal" for role in ROLES),
    "roles_are_assumed_for_us_only": tuple(
        f"{role}.{TRUST}.Condition" for role in ("DeliveryRole", "CrawlerRole", "JobRole", "DashboardRole")
    ),
    "roles_may_do_what_is_named": (
        "JobRole.Properties.Policies.0.PolicyDocument.Statement.0.Resource",
        "JobRole.Properties.Policies.0.PolicyDocument.Statement.6.Condition",
    ),
    "policies_allow_what_is_named": (
        "DashboardPolicy.Properties.PolicyDocument.Statement.0.Action",
        "DashboardPolicy.Properties.PolicyDocument.Statement.1.Resource",
    ),
    "containers_run_as_nobody": (
        *(f"{task}.Properties.ContainerDefinitions.0.User" for task in CONTAINERS),
        "AlertsTask.Properties.ContainerDefinitions.0.User",
        *(f"{task}.Properties.ContainerDefinitions.0.LinuxParameters.Capabilities" for task in CONTAINERS),
    ),
    "containers_cannot_change_themselves": tuple(
        f"{task}.Properties.ContainerDefinitions.0.ReadonlyRootFilesystem" for task in CONTAINERS
    ),
    "containers_log": tuple(f"{task}.Properties.ContainerDefinitions.0.LogConfiguration" for task in CONTAINERS),
    "tasks_mount_files_encrypted_and_by_role": (f"{VOLUME}.TransitEncryption", f"{VOLUME}.AuthorizationConfig.IAM"),
    "services_roll_back": tuple(
        f"{service}.Properties.DeploymentConfiguration" for service in ("Dashboard", "Consumer", "Producer")
    ),
    "files_are_encrypted_backed_up_and_kept": (
        "Files.Properties.Encrypted",
        "Files.Properties.BackupPolicy",
        "Files.DeletionPolicy",
        "Files.UpdateReplacePolicy",
    ),
    "listeners_log_people_in_over_tls": (
        "Listener.Properties.SslPolicy",
        "Listener.Properties.DefaultActions.0",
        "PlainListener.Properties.DefaultActions.0.RedirectConfig",
    ),
    "background_calls_are_refused_not_redirected": (
        "CallbackRule.Properties.Actions.0",
        "CallbackRule.Properties.Conditions.0.PathPatternConfig",
    ),
    "balancers_drop_invalid_headers": ("LoadBalancer.Properties.LoadBalancerAttributes.0",),
    "groups_name_who_may_come_in": (
        "BalancerGroup.Properties.SecurityGroupIngress.0.CidrIp",
        "FilesGroup.Properties.SecurityGroupIngress.0.SourceSecurityGroupId",
        "EndpointGroup.Properties.SecurityGroupIngress.0.SourceSecurityGroupId",
    ),
    "tasks_are_reached_by_the_load_balancer_only": ("TaskIngress.Properties.SourceSecurityGroupId",),
    "people_are_added_by_us_and_kept": (
        "UserPool.Properties.AdminCreateUserConfig",
        "UserPool.DeletionPolicy",
        "UserPool.UpdateReplacePolicy",
    ),
}
"""Rule -> paths of what, taken away, breaks it."""

SPOILT: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "roles_are_for_services": ((f"JobRole.{TRUST}.Principal", {"AWS": "*"}), (f"JobRole.{TRUST}.Principal", "*")),
    "roles_may_do_what_is_named": (
        ("JobRole.Properties.Policies.0.PolicyDocument.Statement.0.Action", "s3:*"),
        ("JobRole.Properties.Policies.0.PolicyDocument.Statement.3.Action.0", "s3:Put*"),
        ("JobRole.Properties.Policies.0.PolicyDocument.Statement.0.Resource", "*"),
        ("JobRole.Properties.Policies.0.PolicyDocument.Statement.2.Resource.0", "*"),
        ("JobRole.Properties.Policies.0.PolicyDocument.Statement.7.Fn::If.1.Resource", "*"),
    ),
    "policies_allow_what_is_named": (
        ("ProducerPolicy.Properties.PolicyDocument.Statement.0.Fn::If.1.Action", "kinesis:*"),
        ("DashboardPolicy.Properties.PolicyDocument.Statement.0.Resource", "*"),
    ),
    "buckets_are_private": (("LakeBucket.Properties.PublicAccessBlockConfiguration.BlockPublicPolicy", False),),
    "crawls_read_logs_only": ((f"{CRAWLER}.Targets.S3Targets.0.Path.Fn::Sub", "s3://${RawBucket}/"),),
    "crawls_delete_nothing": ((f"{CRAWLER}.SchemaChangePolicy.DeleteBehavior", "DELETE_FROM_DATABASE"),),
    "jobs_are_pinned_bounded_and_alone": ((f"{JOB}.ExecutionProperty.MaxConcurrentRuns", 2),),
    "queries_are_cut_off": ((f"{QUERIES}.BytesScannedCutoffPerQuery", 10**15),),
    "groups_name_who_may_come_in": (
        ("BalancerGroup.Properties.SecurityGroupIngress.0.CidrIp", "0.0.0.0/0"),
        ("FilesGroup.Properties.SecurityGroupIngress.0.SourceSecurityGroupId", {"Ref": "BalancerGroup"}),
    ),
    "tasks_are_reached_by_the_load_balancer_only": (
        ("TaskIngress.Properties.SourceSecurityGroupId", {"Ref": "FilesGroup"}),
        ("TaskGroup.Properties.SecurityGroupIngress", [{"IpProtocol": "tcp", "CidrIp": {"Ref": "AllowedCidr"}}]),
    ),
    "background_calls_are_refused_not_redirected": (
        ("CallbackRule.Properties.Actions.0.AuthenticateCognitoConfig.OnUnauthenticatedRequest", "authenticate"),
    ),
    "listeners_log_people_in_over_tls": (
        ("Listener.Properties.DefaultActions.0.AuthenticateCognitoConfig.OnUnauthenticatedRequest", "allow"),
        ("PlainListener.Properties.DefaultActions", [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}]),
    ),
    "containers_run_as_nobody": (("DashboardTask.Properties.ContainerDefinitions.0.Privileged", True),),
}
"""Rule -> paths and the values that, put there, break it."""

_GONE = object()
MUTANTS = [(rule, path, _GONE) for rule, paths in REMOVED.items() for path in paths]
MUTANTS += [(rule, path, value) for rule, changes in SPOILT.items() for path, value in changes]


@pytest.fixture(scope="module")
def templates() -> tuple[Mapping[str, Any], ...]:
    paths = sorted(TEMPLATE.parent.glob("[a-z]*.yaml"))
    return tuple(parse_template(path.read_text(encoding="utf-8")) for path in paths)


def mutant(templates: tuple[Mapping[str, Any], ...], path: str, value: Any) -> Mapping[str, Any]:
    """Return a copy of the template that has the resource, with `value` at the path, or without what lies there."""
    steps: list[Any] = [int(step) if step.isdigit() else step for step in path.split(".")]
    template = copy.deepcopy(next(template for template in templates if steps[0] in template["Resources"]))
    place: Any = template["Resources"]
    for step in steps[:-1]:
        place = place[step]
    if value is _GONE:
        del place[steps[-1]]
    else:
        place[steps[-1]] = value
    return template


def all_rules() -> Iterator[str]:
    for path in RULES:
        yield from rule_names(path)


def test_every_template_keeps_every_rule(templates: tuple[Mapping[str, Any], ...]) -> None:
    assert [broken_rules(template) for template in templates] == [[], [], [], []]


def test_every_rule_would_be_missed(templates: tuple[Mapping[str, Any], ...]) -> None:
    assert sorted(REMOVED) == sorted(all_rules())


@pytest.mark.parametrize(("rule", "path", "value"), MUTANTS, ids=[f"{path}-{rule}" for rule, path, _ in MUTANTS])
def test_a_mutant_breaks_its_rule(templates: tuple[Mapping[str, Any], ...], rule: str, path: str, value: Any) -> None:
    assert broken_rules(mutant(templates, path, value), file_of(rule)) == [rule]
