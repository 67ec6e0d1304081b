"""The live table's items in DynamoDB's own notation, both ways."""

from collections.abc import Mapping, Sequence
from typing import Any

from catalog.live import HEADS, Chunk, Counts, Head, counts_of, counts_to_bytes, pack, slot_key, unpack

Item = dict[str, dict[str, Any]]
MAX_ITEM_BYTES = 400 * 1024
"""DynamoDB's limit: the names and values of an item's attributes, a number's value at most 21 bytes."""
_REST_BYTES = 1024
"""What a chunk's item holds besides its events, rounded up: names, keys, a position and four numbers."""


def head_key(shard: str) -> Item:
    """Return the key of a shard's head."""
    return {"pk": {"S": HEADS}, "sk": {"S": shard}}


def counts_partition(shard: str) -> str:
    """Return the partition key of a shard's counters."""
    return f"counts#{shard}"


def ring_partition(shard: str) -> str:
    """Return the partition key of a shard's ring."""
    return f"ring#{shard}"


def head_item(head: Head, expires_at: float) -> Item:
    """Return a head as an item; moments are rounded to milliseconds."""
    return {
        **head_key(head.shard),
        "position": {"S": head.position or "0"},
        "read_to": {"N": f"{head.read_to:.3f}"},
        "covered_from": {"N": f"{head.covered_from:.3f}"},
        "written_at": {"N": f"{head.written_at:.3f}"},
        "last_event_at": {"N": f"{head.last_event_at:.3f}"},
        "ended": {"BOOL": head.ended},
        "totals": {"M": {name: {"N": str(count)} for name, count in head.totals.items()}},
        "checkpoint": {"S": head.checkpoint or "-"},
        "expires_at": {"N": str(int(expires_at))},
    }


def head_of(item: Mapping[str, Any]) -> Head:
    """Return the head in an item."""
    position, checkpoint = item["position"]["S"], item["checkpoint"]["S"]
    return Head(
        item["sk"]["S"],
        "" if position == "0" else position,
        float(item["read_to"]["N"]),
        float(item["covered_from"]["N"]),
        float(item["written_at"]["N"]),
        float(item["last_event_at"]["N"]),
        bool(item["ended"]["BOOL"]),
        {name: int(value["N"]) for name, value in item["totals"]["M"].items()},
        "" if checkpoint == "-" else checkpoint,
    )


def counts_item(shard: str, slot: int, counts: Counts, position: str, expires_at: float) -> Item:
    """Return a slot's counts as an item; `events` and `errors` are there for people who look into the table."""
    errors = sum(n for (_, level, _), n in counts.events.items() if level in ("ERROR", "CRITICAL"))
    return {
        "pk": {"S": counts_partition(shard)},
        "sk": {"S": slot_key(slot)},
        "position": {"S": position},
        "events": {"N": str(counts.total)},
        "errors": {"N": str(errors)},
        "content": {"B": counts_to_bytes(counts)},
        "expires_at": {"N": str(int(expires_at))},
    }


def counts_in(item: Mapping[str, Any]) -> tuple[int, Counts, str]:
    """Return the slot, the counts and the position in an item."""
    return int(item["sk"]["S"]), counts_of(item["content"]["B"]), str(item["position"]["S"])


def chunk_item(shard: str, chunk: Chunk, expires_at: float) -> Item:
    """Return a chunk of a shard's ring as an item."""
    return {
        "pk": {"S": ring_partition(shard)},
        "sk": {"S": slot_key(chunk.number)},
        "position": {"S": chunk.position},
        "seen": {"N": str(chunk.seen)},
        "total": {"N": str(chunk.total)},
        "content": {"B": pack(list(chunk.events))},
        "expires_at": {"N": str(int(expires_at))},
    }


def fits(events: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a chunk with these events fits into one item."""
    return len(pack(list(events))) <= MAX_ITEM_BYTES - _REST_BYTES


def chunk_of(item: Mapping[str, Any]) -> Chunk:
    """Return the chunk in an item."""
    return Chunk(
        int(item["sk"]["S"]),
        item["position"]["S"],
        int(item["seen"]["N"]),
        int(item["total"]["N"]),
        tuple(unpack(item["content"]["B"])),
    )
