"""What must hold in an AWS account before the stack is deployed to it: `loglake doctor --aws` prints it."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.preflight import Check

SHARDS, STREAMS, CONCURRENCY = 1, 1, 10
"""What one stack takes at least: shards, delivery streams, Lambda runs at once."""

_DELIVERY_STREAMS = 50
"""Delivery streams of an account in a region, unless AWS has granted more (Data Firehose quota page)."""

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TO_AWS = "a shell without AWS_ENDPOINT_URL looks at AWS"


def account_checks(session: Any = None) -> Iterator[Check]:
    """Yield what was found in the account and region of the credentials in use; nothing is changed.

    Where they lead to an endpoint of this machine, that is said, and nothing is claimed about AWS.
    """
    session = session or boto3.Session()
    config = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "max_attempts": 2})
    if not session.region_name:
        yield Check("region", "none", "run 'export AWS_DEFAULT_REGION=us-east-1'")
        return
    yield Check("region", session.region_name)
    sts = session.client("sts", config=config)
    is_local = urlsplit(sts.meta.endpoint_url).hostname in LOOPBACK
    if is_local:
        yield Check("endpoint", f"{sts.meta.endpoint_url} on this machine, not AWS; {_TO_AWS}")
    try:
        identity = sts.get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        yield Check("credentials", str(error), "run 'aws configure', or 'eval \"$(loglake env)\"' for a laptop")
        return
    yield Check("credentials", f"account {identity['Account']}, {identity['Arn']}")
    if is_local:
        yield Check("quotas", "none here; those of an AWS account were not looked at")
        return
    for subject, look in (("shards", _shards), ("delivery", _delivery_streams), ("Lambda", _concurrency)):
        yield _asked(subject, look, lambda service: session.client(service, config=config))


def _asked(subject: str, look: Callable[[Callable[[str], Any]], Check], client: Callable[[str], Any]) -> Check:
    try:
        return look(client)
    except (BotoCoreError, ClientError) as error:
        return Check(subject, f"not readable: {error}", "let whoever deploys read it, or look in Service Quotas")


def _shards(client: Callable[[str], Any]) -> Check:
    limits = client("kinesis").describe_limits()
    left = limits["ShardLimit"] - limits["OpenShardCount"]
    mend = "" if left >= SHARDS else "ask for more 'Shards per Region' of Kinesis in Service Quotas, or use ON_DEMAND"
    return Check("shards", f"{limits['OpenShardCount']} of {limits['ShardLimit']} used", mend)


def _delivery_streams(client: Callable[[str], Any]) -> Check:
    firehose, count = client("firehose"), 0
    last: dict[str, str] = {}
    while True:
        answer = firehose.list_delivery_streams(Limit=50, **last)
        count += len(answer["DeliveryStreamNames"])
        if not answer["HasMoreDeliveryStreams"]:
            break
        last = {"ExclusiveStartDeliveryStreamName": answer["DeliveryStreamNames"][-1]}
    mend = (
        "" if count + STREAMS <= _DELIVERY_STREAMS else "ask for more 'Delivery streams' of Firehose in Service Quotas"
    )
    return Check("delivery", f"{count} of {_DELIVERY_STREAMS} delivery streams, unless more were granted", mend)


def _concurrency(client: Callable[[str], Any]) -> Check:
    limit = client("lambda").get_account_settings()["AccountLimit"]
    free = limit["UnreservedConcurrentExecutions"]
    mend = "" if free >= CONCURRENCY else "ask for more 'Concurrent executions' of Lambda in Service Quotas"
    return Check("Lambda", f"{free} of {limit['ConcurrentExecutions']} concurrent runs unreserved", mend)
