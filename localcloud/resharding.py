"""Resharding as Kinesis does it: ministack forgets a shard that is split or merged, with all its records.

Here a parent is closed: it takes no more records, what it holds stays readable until it expires, its last read names
its children, and it is listed until it is empty.
"""

import json
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from localcloud.engine import ServiceError
from localcloud.shards import ENDING, Change, Shard, Span, Stream, open_shards, route, span_of

Handler = Callable[[dict[str, Any]], Any]
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,38}")
MOST_SHARDS = 10_000
"""Open shards that an account may have, all its streams together."""
MOST_SCALINGS = 10
SCALINGS_WITHIN_SECONDS = 86_400
"""UpdateShardCount takes a stream `MOST_SCALINGS` times within this."""
SCALED_AT = "scaled_at"


def install() -> None:
    """Bend this process's ministack."""
    from ministack.services import kinesis

    kinesis._create_stream = _creating(kinesis._create_stream)
    kinesis._split_shard = _answering(_split)
    kinesis._merge_shards = _answering(_merge)
    kinesis._update_shard_count = _answering(_scale)
    kinesis._route_to_shard = route
    kinesis._shard_out = _describing(kinesis._shard_out)
    kinesis._get_records = _ending(kinesis._get_records)
    kinesis._list_shards = _filtering(kinesis._list_shards)
    kinesis._describe_stream_summary = _counting(kinesis._describe_stream_summary)


def _creating(create: Handler) -> Handler:
    """Refuse a stream whose shards are more than the account may have."""

    def run(request: dict[str, Any]) -> Any:
        from ministack.core.responses import error_response_json

        try:
            _require_room(request.get("ShardCount") or 1)
        except ServiceError as error:
            return error_response_json(error.code, error.message, error.status)
        return create(request)

    return run


def _answering(change: Callable[[Stream, dict[str, Any]], dict[str, Any]]) -> Handler:
    """Make an operation on an existing stream of what changes it, or raises `ServiceError` before it changes it."""

    def run(request: dict[str, Any]) -> Any:
        from ministack.core.responses import error_response_json, json_response
        from ministack.services import kinesis

        name, stream = kinesis._resolve_stream(request)
        try:
            if not stream:
                raise ServiceError("ResourceNotFoundException", f"Stream {name} not found")
            return json_response(change(stream, request))
        except ServiceError as error:
            return error_response_json(error.code, error.message, error.status)

    return run


def _require_room(more: Any) -> None:
    from ministack.services import kinesis

    if not isinstance(more, int):
        raise ServiceError("InvalidArgumentException", f"A count of shards must be a whole number; got {more!r}")
    if more <= 0:
        return
    there = sum(len(open_shards(stream)) for stream in list(kinesis._streams.values()))
    if there + more > MOST_SHARDS:
        message = f"An account may have {MOST_SHARDS} open shards; it has {there}, and {more} more were asked for."
        raise ServiceError("LimitExceededException", message)


def _open_shard(stream: Stream, request: dict[str, Any], parameter: str) -> Span:
    name = request.get(parameter)
    shard: Shard | None = stream["shards"].get(name)
    if shard is None:
        raise ServiceError("ResourceNotFoundException", f"Shard {name} of stream {stream['StreamName']} not found")
    if ENDING in shard:
        raise ServiceError("ResourceInUseException", f"Shard {name} is closed")
    return span_of(str(name), shard)


def _hash_key(value: Any, least: int, most: int) -> int:
    """Return a hash key; raise `ServiceError` unless it is a decimal number of the range."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value) or not least <= int(value) <= most:
        message = f"NewStartingHashKey must be a decimal number from {least} to {most}; got {value!r}"
        raise ServiceError("InvalidArgumentException", message)
    return int(value)


def _split(stream: Stream, request: dict[str, Any]) -> dict[str, Any]:
    """Split a shard where its second child is to begin: behind its first hash key, so that neither child is empty."""
    parent = _open_shard(stream, request, "ShardToSplit")
    place = _hash_key(request.get("NewStartingHashKey"), parent.start + 1, parent.end)
    _require_room(1)
    change = Change(stream)
    change.split(parent, place)
    change.commit()
    return {}


def _merge(stream: Stream, request: dict[str, Any]) -> dict[str, Any]:
    """Merge two shards whose hash keys lie side by side, in either order."""
    one, other = (_open_shard(stream, request, name) for name in ("ShardToMerge", "AdjacentShardToMerge"))
    lower, upper = sorted((one, other))
    if lower.end + 1 != upper.start:
        message = f"Shards {one.name} and {other.name} in stream {stream['StreamName']} are not an adjacent pair"
        raise ServiceError("InvalidArgumentException", message)
    change = Change(stream)
    change.merge(one, other)
    change.commit()
    return {}


def _scale(stream: Stream, request: dict[str, Any]) -> dict[str, Any]:
    """Split and merge until a stream's hash keys are spread evenly over the count asked for: each step as on AWS.

    What lies between is closed at once, and empty. A shard that is right as it is stays open.
    """
    from ministack.services import kinesis

    target, now, before = request.get("TargetShardCount"), time.time(), len(open_shards(stream))
    scaled_at = [moment for moment in stream.get(SCALED_AT, []) if moment > now - SCALINGS_WITHIN_SECONDS]
    _require_target(stream, request, target, before, len(scaled_at))
    change = Change(stream)
    wanted = [(int(start), int(end)) for start, end in kinesis._compute_hash_ranges(target)]
    pieces = deque(change.cut(sorted(start for start, _ in wanted)))
    for _, end in wanted:
        whole = pieces.popleft()
        while whole.end < end:
            whole = change.merge(whole, pieces.popleft())
    change.commit()
    stream[SCALED_AT] = [*scaled_at, now]
    counts = {"CurrentShardCount": before, "TargetShardCount": target}
    return {"StreamName": stream["StreamName"], "StreamARN": stream["StreamARN"], **counts}


def _require_target(stream: Stream, request: dict[str, Any], target: Any, count: int, scalings: int) -> None:
    name, kind = stream["StreamName"], request.get("ScalingType", "UNIFORM_SCALING")
    if kind != "UNIFORM_SCALING":
        raise ServiceError("ValidationException", f"ScalingType must be UNIFORM_SCALING; got {kind!r}")
    if not isinstance(target, int) or target < 1:
        raise ServiceError("ValidationException", f"TargetShardCount must be a whole number from 1; got {target!r}")
    if stream.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND":
        raise ServiceError("ValidationException", f"UpdateShardCount is not for stream {name}: it is on demand")
    if target > 2 * count or 2 * target < count:
        message = f"TargetShardCount of stream {name} must be from half to double its {count} open shards; got {target}"
        raise ServiceError("LimitExceededException" if target > MOST_SHARDS else "InvalidArgumentException", message)
    _require_room(target - count)
    if scalings >= MOST_SCALINGS:
        message = f"Stream {name} was scaled {scalings} times within 24 hours, which is the most"
        raise ServiceError("LimitExceededException", message)


def _describing(describe: Callable[[str, Shard], dict[str, Any]]) -> Callable[[str, Shard], dict[str, Any]]:
    def describe_closed(name: str, shard: Shard) -> dict[str, Any]:
        description = describe(name, shard)
        if ENDING in shard:
            description["SequenceNumberRange"]["EndingSequenceNumber"] = shard[ENDING]
        return description

    return describe_closed


def _ending(get_records: Handler) -> Handler:
    """End the reading of a closed shard: no next iterator, but its children."""

    def run(request: dict[str, Any]) -> Any:
        from ministack.services import kinesis

        place = kinesis._shard_iterators.get(request.get("ShardIterator"))
        answer = get_records(request)
        stream = kinesis._streams.get(place["stream"]) if place and answer[0] == 200 else None
        shard = stream["shards"].get(place["shard_id"]) if stream else None
        if not stream or not shard or ENDING not in shard:
            return answer
        body = json.loads(answer[2])
        following = kinesis._shard_iterators.get(body["NextShardIterator"])
        if following["position"] < len(shard["records"]):
            return answer
        body |= {"NextShardIterator": None, "ChildShards": _children(stream, place["shard_id"])}
        return answer[0], answer[1], json.dumps({k: v for k, v in body.items() if v is not None}).encode()

    return run


def _children(stream: Stream, parent: str) -> list[dict[str, Any]]:
    found = []
    for name, shard in stream["shards"].items():
        parents = [shard.get("parent_shard_id"), shard.get("adjacent_parent_shard_id")]
        if parent in parents:
            hashes = {"StartingHashKey": shard["starting_hash_key"], "EndingHashKey": shard["ending_hash_key"]}
            found.append({"ShardId": name, "ParentShards": [p for p in parents if p], "HashKeyRange": hashes})
    return found


def _filtering(list_shards: Handler) -> Handler:
    """Obey ShardFilter: KCL asks for the shards that are open now, or that were at the oldest record."""

    def run(request: dict[str, Any]) -> Any:
        answer = list_shards(request)
        kind = (request.get("ShardFilter") or {}).get("Type", "")
        if answer[0] != 200 or kind not in ("AT_LATEST", "AT_TRIM_HORIZON"):
            return answer
        body = json.loads(answer[2])
        listed = {shard["ShardId"] for shard in body["Shards"]}
        keep = _is_open if kind == "AT_LATEST" else lambda shard: shard.get("ParentShardId") not in listed
        body["Shards"] = [shard for shard in body["Shards"] if keep(shard)]
        return answer[0], answer[1], json.dumps(body).encode()

    return run


def _is_open(shard: dict[str, Any]) -> bool:
    return "EndingSequenceNumber" not in shard["SequenceNumberRange"]


def _counting(summarise: Handler) -> Handler:
    def run(request: dict[str, Any]) -> Any:
        from ministack.services import kinesis

        answer = summarise(request)
        _, stream = kinesis._resolve_stream(request)
        if answer[0] != 200 or not stream:
            return answer
        body = json.loads(answer[2])
        body["StreamDescriptionSummary"]["OpenShardCount"] = len(open_shards(stream))
        return answer[0], answer[1], json.dumps(body).encode()

    return run
