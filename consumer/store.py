"""The live table, written: the one module of the consumer that talks to DynamoDB.

Every write is conditional on the position it reaches, so that a replay, or a former owner of a shard that still
writes, adds nothing. Throttling and outages are waited out: nothing is read meanwhile, and nothing is lost. Only a
table that is gone, or permission that is missing, ends the consumer.
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from catalog import live, live_items
from catalog.live import Chunk, Head
from catalog.live_items import Item
from consumer.errors import ConsumerError, Stopped
from consumer.shard import Shard, Slot, Stored

FATAL = frozenset(
    {
        "ResourceNotFoundException",
        "AccessDeniedException",
        "UnrecognizedClientException",
        "ValidationException",
        "ExpiredTokenException",
        "InvalidSignatureException",
    }
)
LONGEST_PAUSE_S = 5.0
Say = Callable[[str], None]


class Store:
    """One live table. `wait(seconds)` returns True when the consumer is to stop."""

    def __init__(
        self,
        client: Any,
        table: str,
        say: Say,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.table = table
        self._client = client
        self._say = say
        self._wait = wait
        self._clock = clock
        self._is_waiting = False

    def heads(self) -> dict[str, Head]:
        """Return every shard's head, by shard."""
        return {head.shard: head for head in map(live_items.head_of, self._query(live.HEADS))}

    def load(self, shard: str) -> Stored | None:
        """Return what the table holds of a shard; None when it holds nothing."""
        item = self._call("get_item", TableName=self.table, Key=live_items.head_key(shard), ConsistentRead=True)
        slots = {
            slot: Slot(counts, position)
            for slot, counts, position in map(
                live_items.counts_in, self._query(live_items.counts_partition(shard), self._oldest())
            )
        }
        chunks = [*map(live_items.chunk_of, self._query(live_items.ring_partition(shard), newest=True))]
        if not slots and not chunks and "Item" not in item:
            return None
        head = live_items.head_of(item["Item"]) if "Item" in item else Head(shard)
        return Stored(head, slots, chunks[0] if chunks else None)

    def write(self, shard: Shard, checkpoint: str = "") -> None:
        """Write what a shard has new: its slots, its ring's next chunk, at last its head.

        Once it returns, the shard may be checkpointed at its position. Raises `ConsumerError` when the table is gone,
        `Stopped` when the consumer was told to stop while DynamoDB refused.
        """
        now = self._clock()
        for start in sorted(shard.dirty):
            self._write_slot(shard, start, now)
        self._write_chunks(shard, now)
        self._write_head(shard, checkpoint, now)
        shard.forget_before(shard.last_arrival - live.COUNTED_SECONDS - 2 * live.SLOT_SECONDS)

    def _write_slot(self, shard: Shard, start: int, now: float) -> None:
        expires_at = max(start + live.COUNTS_KEPT_SECONDS, now + 600)
        item = live_items.counts_item(shard.id, start, shard.slots[start].counts, shard.position, expires_at)
        found = self._put(item, "attribute_not_exists(pk) OR #p < :p")
        if found is None:
            shard.wrote_slot(start)
            return
        _, counts, position = live_items.counts_in(found)
        shard.adopt_slot(start, Slot(counts, position))

    def _write_chunks(self, shard: Shard, now: float) -> None:
        last = None
        for chunk in shard.chunks():
            last = chunk
            if not self._write_chunk(shard.id, chunk, now):
                newest = next(self._query(live_items.ring_partition(shard.id), newest=True))
                last = live_items.chunk_of(newest)
                break
        if last is not None:
            shard.wrote_chunk(last, now)

    def _write_chunk(self, shard: str, chunk: Chunk, now: float) -> bool:
        """Write a chunk and delete the one that leaves the ring; return False if somebody else has written it."""
        item = live_items.chunk_item(shard, chunk, now + live.RING_KEPT_SECONDS)
        found = self._put(item, "attribute_not_exists(pk)")
        if found is not None and found["position"] != item["position"]:
            return False
        gone = chunk.number - live.RING_CHUNKS
        if gone > 0:
            key = {"pk": item["pk"], "sk": {"S": live.slot_key(gone)}}
            self._call("delete_item", TableName=self.table, Key=key)
        return True

    def _write_head(self, shard: Shard, checkpoint: str, now: float) -> None:
        item = live_items.head_item(shard.head(now, checkpoint), now + live.HEAD_KEPT_SECONDS)
        found = self._put(item, "attribute_not_exists(pk) OR #p <= :p")
        if found is not None:
            shard.adopt_totals(live_items.head_of(found))

    def _put(self, item: Item, condition: str) -> Item | None:
        """Put an item; return the stored one instead when the condition does not hold of it."""
        arguments: dict[str, Any] = {"ConditionExpression": condition}
        if "#p" in condition:
            arguments |= {
                "ExpressionAttributeNames": {"#p": "position"},
                "ExpressionAttributeValues": {":p": item["position"]},
            }
        answer = self._call("put_item", TableName=self.table, Item=item, **arguments)
        if answer is not None:
            return None
        key = {"pk": item["pk"], "sk": item["sk"]}
        found = self._call("get_item", TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        return found or self._put(item, condition)

    def _oldest(self) -> str:
        return live.slot_key(int(self._clock()) - live.COUNTS_KEPT_SECONDS)

    def _query(self, partition: str, start: str = "", newest: bool = False) -> Iterator[Item]:
        arguments: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": "pk = :pk AND sk >= :sk",
            "ExpressionAttributeValues": {":pk": {"S": partition}, ":sk": {"S": start or "-"}},
            "ConsistentRead": True,
            "ScanIndexForward": not newest,
        }
        if newest:
            arguments["Limit"] = 1
        while True:
            page = self._call("query", **arguments)
            yield from page["Items"]
            if newest or "LastEvaluatedKey" not in page:
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _call(self, operation: str, **arguments: Any) -> Any:
        """Call DynamoDB until it answers; return None when a condition did not hold."""
        pause = 0.1
        while True:
            try:
                answer = getattr(self._client, operation)(**arguments)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "ConditionalCheckFailedException":
                    return None
                if code in FATAL:
                    raise ConsumerError(self._explained(code, error)) from None
                reason = f"{code}: {error.response['Error'].get('Message', '')}"
            except BotoCoreError as error:
                reason = str(error)
            else:
                if self._is_waiting:
                    self._is_waiting = False
                    self._say(f"table {self.table} answers again; nothing was lost")
                return answer
            if not self._is_waiting:
                self._is_waiting = True
                self._say(f"table {self.table} can't be used ({reason}); waiting, and reading nothing meanwhile")
            if self._wait(pause * random.uniform(0.5, 1.0)):
                raise Stopped(f"stopped while table {self.table} could not be used ({reason})")
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _explained(self, code: str, error: ClientError) -> str:
        if code == "ResourceNotFoundException":
            return f"the live table must exist; {self.table!r} does not, or was deleted; run 'loglake deploy'"
        return f"the live table {self.table!r} can't be written: {error.response['Error'].get('Message', code)}"
