"""Asking the emulator for Glue's records, and answering with them: errors, pages and times as the API has them."""

from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from localcloud.engine import Parameters, ServiceError


def paged(items: list[Any], parameters: Parameters, default: int) -> tuple[list[Any], Parameters]:
    """Return one page of `items` and, unless it is the last, its NextToken."""
    try:
        start = int(parameters.get("NextToken") or 0)
    except ValueError:
        raise ServiceError("InvalidInputException", "NextToken must be one that an earlier page gave") from None
    end = start + int(parameters.get("MaxResults") or default)
    return items[start:end], {"NextToken": str(end)} if end < len(items) else {}


def plain(value: Any) -> Any:
    """Return the value with times as epoch seconds, as Glue's JSON protocol writes them."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def ask(operation: Any, parameters: Parameters) -> dict[str, Any]:
    """Call a client's operation; its AWS error becomes ours."""
    try:
        answer = operation(**parameters)
    except ClientError as error:
        details = error.response["Error"]
        raise ServiceError(details["Code"], details["Message"]) from error
    assert isinstance(answer, dict)
    return answer
