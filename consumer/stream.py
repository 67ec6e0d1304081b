"""The stream, read: the one module of the consumer that talks to Kinesis."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from consumer.errors import ConsumerError, Stopped
from consumer.records import Record

FATAL = frozenset({"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException"})
LONGEST_PAUSE_S = 5.0


class IteratorExpired(Exception):
    """The iterator was not used for five minutes, or its endpoint forgot it; a new one is to be asked for."""


class PlaceUnknown(Exception):
    """The stream does not know the sequence number to go on after: it is another stream of the same name."""


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """A shard as the stream lists it."""

    id: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Where to read from: after a sequence number, else from a moment, else from the oldest record or the newest."""

    after: str = ""
    moment: float = 0.0
    newest: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What one GetRecords gave; `next_iterator` is empty at the end of a shard that was split or merged."""

    records: Sequence[Record]
    next_iterator: str
    behind_ms: int


class Stream:
    """One Kinesis stream. `wait(seconds)` returns True when the consumer is to stop."""

    def __init__(self, client: Any, name: str, say: Callable[[str], None], wait: Callable[[float], bool]) -> None:
        self.name = name
        self._client = client
        self._say = say
        self._wait = wait
        self._is_waiting = False

    def shards(self) -> list[ShardInfo]:
        """Return the stream's shards, closed ones too as long as they hold records."""
        found: list[ShardInfo] = []
        arguments: dict[str, Any] = {"StreamName": self.name}
        while True:
            page = self._call("list_shards", **arguments)
            for shard in page["Shards"]:
                parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
                found.append(ShardInfo(shard["ShardId"], tuple(parent for parent in parents if parent)))
            if not page.get("NextToken"):
                return found
            arguments = {"NextToken": page["NextToken"]}

    def iterator(self, shard: str, start: Start) -> str:
        """Return an iterator; raise `PlaceUnknown` for a sequence number that is not of this shard."""
        arguments: dict[str, Any] = {"ShardIteratorType": "LATEST" if start.newest else "TRIM_HORIZON"}
        if start.after:
            arguments = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": start.after}
        elif start.moment:
            moment = datetime.fromtimestamp(start.moment, UTC)
            arguments = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": moment}
        answer = self._call("get_shard_iterator", StreamName=self.name, ShardId=shard, **arguments)
        return str(answer["ShardIterator"])

    def read(self, iterator: str) -> Page:
        """Return the records behind an iterator; raise `IteratorExpired` when it is no longer one."""
        answer = self._call("get_records", ShardIterator=iterator)
        records = [
            Record(
                each["SequenceNumber"], int(each["ApproximateArrivalTimestamp"].timestamp() * 1000 + 0.5), each["Data"]
            )
            for each in answer["Records"]
        ]
        return Page(records, answer.get("NextShardIterator") or "", int(answer.get("MillisBehindLatest") or 0))

    def _call(self, operation: str, **arguments: Any) -> Any:
        """Call Kinesis until it answers; throttling and outages are waited out, and said once."""
        pause = 0.2
        while True:
            try:
                answer = getattr(self._client, operation)(**arguments)
            except ClientError as error:
                reason = self._reason(error)
            except BotoCoreError as error:
                reason = str(error)
            else:
                if self._is_waiting:
                    self._is_waiting = False
                    self._say(f"stream {self.name} answers again")
                return answer
            if not self._is_waiting:
                self._is_waiting = True
                self._say(f"stream {self.name} can't be read ({reason}); trying again")
            if self._wait(pause * random.uniform(0.5, 1.0)):
                raise Stopped(f"stopped while stream {self.name} could not be read ({reason})")
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _reason(self, error: ClientError) -> str:
        """Return why a call failed that may be repeated; raise for one that may not."""
        code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
        if code == "ExpiredIteratorException":
            raise IteratorExpired from None
        if code == "InvalidArgumentException":
            raise PlaceUnknown(text) from None
        if code == "ResourceNotFoundException":
            raise ConsumerError(
                f"the stream must exist; {self.name!r} does not, or was deleted ({text}); run 'loglake deploy'"
            ) from None
        if code in FATAL:
            raise ConsumerError(f"the stream {self.name!r} can't be read: {text or code}") from None
        return f"{code}: {text}"
