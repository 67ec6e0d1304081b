"""A live table in memory, with DynamoDB's words for the few operations that are used; it can refuse on demand."""

import threading
from collections import deque
from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str) -> ClientError:
    """Return an error as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": f"{code} on purpose"}}, "PutItem")


def size_of(item: dict[str, Any]) -> int:
    """Return an item's size as DynamoDB counts it, numbers at their most."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _size_of_value(inner) for name, inner in content.items())
    if kind == "N":
        return 21
    return 1 if kind == "BOOL" else len(content.encode() if isinstance(content, str) else content)


class MemoryTable:
    """Takes the place of a DynamoDB client. `refusals` are raised, one a call, before anything is done.

    With `after` set, a refused put is stored all the same: its answer got lost.
    """

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.refusals: deque[Exception] = deque()
        self.after = False
        self._lock = threading.Lock()

    def put_item(
        self,
        TableName: str,
        Item: dict[str, Any],
        ConditionExpression: str = "",
        ExpressionAttributeValues: dict[str, Any] | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        if not self.after:
            self._refuse()
        if size_of(Item) > 400 * 1024:
            raise refusal("ValidationException")
        with self._lock:
            key = (Item["pk"]["S"], Item["sk"]["S"])
            stored = self.items.get(key)
            position = (ExpressionAttributeValues or {}).get(":p", {}).get("S", "")
            if stored is not None and ConditionExpression:
                before = stored["position"]["S"]
                allowed = {"<": before < position, "<=": before <= position}
                operator = ConditionExpression.split()[-2] if "#p" in ConditionExpression else ""
                if not allowed.get(operator, False):
                    raise refusal("ConditionalCheckFailedException")
            self.items[key] = Item
        if self.after:
            self._refuse()
        return {}

    def get_item(self, TableName: str, Key: dict[str, Any], **_: Any) -> dict[str, Any]:
        self._refuse()
        found = self.items.get((Key["pk"]["S"], Key["sk"]["S"]))
        return {"Item": found} if found else {}

    def delete_item(self, TableName: str, Key: dict[str, Any]) -> dict[str, Any]:
        self.items.pop((Key["pk"]["S"], Key["sk"]["S"]), None)
        return {}

    def query(
        self,
        TableName: str,
        ExpressionAttributeValues: dict[str, Any],
        ScanIndexForward: bool = True,
        Limit: int = 10_000,
        **_: Any,
    ) -> dict[str, Any]:
        self._refuse()
        pk, sk = (ExpressionAttributeValues[name]["S"] for name in (":pk", ":sk"))
        keys = sorted(key for key in [*self.items] if key[0] == pk and key[1] >= sk)
        return {"Items": [self.items[key] for key in (keys if ScanIndexForward else keys[::-1])[:Limit]]}

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.popleft()
