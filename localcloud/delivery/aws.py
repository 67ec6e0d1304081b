"""What delivery asks of other services: the function, the bucket, the metrics. The one module here that talks boto3.

The function is called within this process: an event of a megabyte would be parsed and signed twice on its way.
"""

import logging
from pathlib import Path
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from localcloud import emulator
from localcloud.delivery.metrics import NAMESPACE
from localcloud.delivery.transformation import Reply
from localcloud.engine import Context

logger = logging.getLogger(__name__)


class Services:
    """The services of the endpoint that delivery runs in."""

    def __init__(self, context: Context) -> None:
        self._client = context.client

    def invoke(self, function_arn: str, event: dict[str, Any]) -> Reply:
        """Call a function and wait for its answer."""
        answer = emulator.invoke_function(function_arn, event)
        if answer.error_code:
            code = _INVOKE_CODES.get(answer.error_code, "InvokeFailed")
            return Reply(code=f"Lambda.{code}", message=answer.content.decode(errors="replace"))
        if answer.is_function_error:
            logger.warning("function %s failed: %s", function_arn, answer.content[:2000].decode(errors="replace"))
            return _function_error(answer.content)
        try:
            return Reply(body=orjson.loads(answer.content))
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
