"""What delivery asks of other services: the function, the bucket, the metrics. The one module here that talks boto3."""

import logging
from pathlib import Path
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.delivery.metrics import NAMESPACE
from localcloud.delivery.transformation import UNREACHABLE, Reply
from localcloud.engine import Context

logger = logging.getLogger(__name__)


class Services:
    """The services, through the endpoint's own API."""

    def __init__(self, context: Context) -> None:
        self._client = context.client

    def invoke(self, function_arn: str, payload: bytes) -> Reply:
        """Call a function and wait for its answer."""
        try:
            response = self._client("lambda").invoke(FunctionName=function_arn, Payload=payload)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            return Reply(code=f"Lambda.{_INVOKE_CODES.get(code, 'InvokeFailed')}", message=str(error))
        except BotoCoreError as error:
            return Reply(code=UNREACHABLE, message=str(error))
        content = response["Payload"].read()
        if response.get("FunctionError"):
            logger.warning("function %s failed: %s", function_arn, content[:2000].decode(errors="replace"))
            return _function_error(content)
        try:
            return Reply(body=orjson.loads(content))
        except ValueError:
            return Reply(code="Lambda.JsonProcessingException", message="There was an error parsing returned records.")

    def put_object(self, bucket: str, key: str, body: Path) -> None:
        """Put an object; raises what boto3 raises."""
        with body.open("rb") as file:
            self._client("s3").put_object(Bucket=bucket, Key=key, Body=file, ContentType="application/octet-stream")

    def put_metrics(self, data: list[dict[str, Any]]) -> None:
        """Put metrics; a failure is only logged."""
        try:
            self._client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
        except (ClientError, BotoCoreError) as error:
            logger.warning("metrics can't be put: %s", error)


_INVOKE_CODES = {
    "ResourceNotFoundException": "FunctionNotFound",
    "AccessDeniedException": "InvokeAccessDenied",
    "TooManyRequestsException": "InvokeLimitExceeded",
    "RequestTooLargeException": "RequestTooLarge",
}


def _function_error(content: bytes) -> Reply:
    if b"Task timed out" in content:
        return Reply(
            code="Lambda.FunctionTimedOut",
            message="The Lambda function invocation timed out. Increase the Timeout setting in the Lambda function.",
        )
    return Reply(
        code="Lambda.FunctionError",
        message="The Lambda function was successfully invoked but it returned an error result.",
    )
