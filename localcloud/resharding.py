"""Resharding as Kinesis does it: ministack forgets a shard that is split or merged, with all its records.

Here a parent is closed: it takes no more records, what it holds stays readable until it expires, its last read names
its children, and it is listed until it is empty.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from localcloud.retention import RECORD_WINDOW_SECONDS

Shard = dict[str, Any]
Stream = dict[str, Any]
Handler = Callable[[dict[str, Any]], Any]
CLOSED_AT = "closed_at"
ENDING = "ending_sequence_number"


def install() -> None:
    """Bend this process's ministack."""
    from ministack.services import kinesis

    split, merge = kinesis._split_shard, kinesis._merge_shards
    kinesis._split_shard = _keeping(split, ("ShardToSplit",))
    kinesis._merge_shards = _keeping(merge, ("ShardToMerge", "AdjacentShardToMerge"))
    kinesis._update_shard_count = _update_shard_count
    kinesis._route_to_shard = _route
    kinesis._shard_out = _describing(kinesis._shard_out)
    kinesis._get_records = _ending(kinesis._get_records)
    kinesis._list_shards = _filtering(kinesis._list_shards)
    kinesis._describe_stream_summary = _counting(kinesis._describe_stream_summary)


def open_shards(stream: Stream) -> dict[str, Shard]:
    """Return the shards of a stream that take records."""
    return {name: shard for name, shard in list(stream["shards"].items()) if ENDING not in shard}


def forget_closed(stream: Stream) -> None:
    """Forget closed shards that are empty and past the window in which anything could have been read."""
    oldest = time.time() - RECORD_WINDOW_SECONDS
    for name, shard in list(stream["shards"].items()):
        if shard.get(CLOSED_AT, oldest) < oldest and not shard["records"]:
            del stream["shards"][name]


def _keeping(operation: Handler, parameters: tuple[str, ...]) -> Handler:
    """Keep the parents of a split or a merge, closed; refuse one that is closed already."""

    def run(request: dict[str, Any]) -> Any:
        from ministack.core.responses import error_response_json
        from ministack.services import kinesis

        _, stream = kinesis._resolve_stream(request)
        names = [request.get(parameter) for parameter in parameters]
        parents = {name: stream["shards"][name] for name in names if stream and name in stream["shards"]}
        closed = [name for name, shard in parents.items() if ENDING in shard]
        if closed:
            return error_response_json("ResourceInUseException", f"Shard {closed[0]} is closed", 400)
        answer = operation(request)
        if answer[0] == 200:
            for name, shard in parents.items():
                shard |= {ENDING: kinesis._next_sequence_number(), CLOSED_AT: time.time()}
                stream["shards"][name] = shard
        return answer

    return run


def _route(hash_key: int, stream: Stream) -> str:
    shards = open_shards(stream)
    for name, shard in shards.items():
        if int(shard["starting_hash_key"]) <= hash_key <= int(shard["ending_hash_key"]):
            return name
    return next(iter(shards))


def _update_shard_count(request: dict[str, Any]) -> Any:
    """Split and merge until the stream has the count that is asked for, evenly spread: each step as on AWS."""
    from ministack.core.responses import error_response_json, json_response
    from ministack.services import kinesis

    name, stream = kinesis._resolve_stream(request)
    if not stream:
        return error_response_json("ResourceNotFoundException", f"Stream {name} not found", 400)
    target = int(request.get("TargetShardCount") or 0)
    if target < 1:
        return error_response_json("ValidationException", "TargetShardCount must be >= 1", 400)
    before = len(open_shards(stream))
    for start, end in kinesis._compute_hash_ranges(target):
        _cut_at(request, stream, int(start))
        _join(request, stream, int(start), int(end))
    counts = {"CurrentShardCount": before, "TargetShardCount": target}
    return json_response({"StreamName": stream["StreamName"], "StreamARN": stream["StreamARN"], **counts})


def _cut_at(request: dict[str, Any], stream: Stream, place: int) -> None:
    from ministack.services import kinesis

    for name, shard in open_shards(stream).items():
        if int(shard["starting_hash_key"]) < place <= int(shard["ending_hash_key"]):
            kinesis._split_shard({**request, "ShardToSplit": name, "NewStartingHashKey": str(place)})


def _join(request: dict[str, Any], stream: Stream, start: int, end: int) -> None:
    """Make one shard of all that lie between two hash keys; what begins between them and ends behind is cut first."""
    from ministack.services import kinesis

    if end + 1 <= kinesis.MAX_HASH_KEY:
        _cut_at(request, stream, end + 1)
    while True:
        inside = sorted(
            (int(shard["starting_hash_key"]), name)
            for name, shard in open_shards(stream).items()
            if start <= int(shard["starting_hash_key"]) <= end
        )
        if len(inside) < 2:
            return
        kinesis._merge_shards({**request, "ShardToMerge": inside[0][1], "AdjacentShardToMerge": inside[1][1]})


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
