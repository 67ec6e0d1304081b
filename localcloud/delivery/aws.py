"""What delivery asks of other services: the function, the bucket, the metrics. The one module here that talks boto3.

The function is called within this process: an event of a megabyte would be parsed and signed twice on its way.
"""

import logging
from pathlib import Path
from typing import Any

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
        try:
            answer = emulator.invoke_function(function_arn, event)
        except ValueError:
            return Reply(code="Lambda.JsonProcessingException", message="There was an error parsing returned records.")
        except Exception as error:  # whatever it was, delivery goes on, as after an answer of 500
            logger.exception("function %s can't be called", function_arn)
            return Reply(code="Lambda.InvokeFailed", message=f"{type(error).__name__}: {error}")
        if answer.error_code:
            return Reply(code=f"Lambda.{_INVOKE_CODES[answer.error_code]}", message=answer.message)
        if answer.is_function_error:
            text = str(answer.value)
            logger.warning("function %s failed: %s", function_arn, text[:2000])
            return _function_error(text)
        return Reply(body=answer.value)

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
    "TooManyRequestsException": "InvokeLimitExceeded",
}


def _function_error(text: str) -> Reply:
    if "Task timed out" in text:
        return Reply(
            code="Lambda.FunctionTimedOut",
            message="The Lambda function invocation timed out. Increase the Timeout setting in the Lambda function.",
        )
    return Reply(
        code="Lambda.FunctionError",
        message="The Lambda function was successfully invoked but it returned an error result.",
    )
