"""From spooled records to buffered bytes, in AWS's order: KPL, RecordDeAggregation, Lambda, extraction, delimiter."""

import base64
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from catalog import kpl
from localcloud.delivery import aggregates, prefixes, transformation
from localcloud.delivery.configuration import Configuration
from localcloud.delivery.extraction import ExtractionError, extract
from localcloud.delivery.record import Failure, Item, Record

EXTRACTION_FAILED = "metadata-extraction-failed"
PARTITIONS_EXCEEDED = "activePartitionExceeded"
SOURCE_BACKUP = "source-backup"
"""The output type of the group that holds the records as they came; no error, but kept apart from the data like one."""

Keys = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Group:
    """Consecutive records of one partition, or of one kind of error: `output_type` is empty for data."""

    keys: Keys
    output_type: str
    oldest_ms: int
    parts: list[bytes] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


def run(
    configuration: Configuration, region: str, records: Sequence[Record], invoke: transformation.Invoke
) -> list[Group]:
    """Return what the records became, grouped by the buffer it belongs into: each is in one group, or was dropped."""
    items = sources = list(_items(configuration, records))
    failures: list[Failure] = []
    if configuration.transformation is not None:
        items, failures = transformation.transform(configuration, region, items, invoke)
    if configuration.extraction_query:
        items = list(_extracted(configuration.extraction_query, items, failures))
    groups = _groups(configuration, items, failures)
    return [*groups, *_backup(sources)] if configuration.backup else groups


def _backup(sources: Sequence[Item]) -> list[Group]:
    if not sources:
        return []
    oldest_ms = min(item.record.arrival_ms for item in sources)
    return [Group((), SOURCE_BACKUP, oldest_ms, [item.raw for item in sources])]


def _items(configuration: Configuration, records: Iterable[Record]) -> Iterator[Item]:
    opened = _opener(configuration)
    for record in records:
        users = [(record.partition_key, record.data)]
        if record.sequence_number:
            users = kpl.open_kpl(record.data, record.partition_key)
        aggregated = len(users) > 1 or users[0][1] is not record.data
        for sub, (partition_key, data) in enumerate(users):
            for piece in opened(data):
                yield Item(record, piece, piece, partition_key, sub if aggregated else None)


def _opener(configuration: Configuration) -> Callable[[bytes], list[bytes]]:
    if configuration.deaggregation == "JSON":
        return aggregates.open_json
    if configuration.deaggregation == "DELIMITED":
        return lambda data: aggregates.open_delimited(data, configuration.deaggregation_delimiter)
    return lambda data: [data]


def _extracted(query: str, items: Iterable[Item], failures: list[Failure]) -> Iterator[Item]:
    for item in items:
        try:
            item.keys = {**item.keys, **extract(query, item.data)}
        except ExtractionError as error:
            failures.append(extraction_failure(item, str(error)))
        else:
            yield item


def extraction_failure(item: Item, message: str) -> Failure:
    """Return the failure of a record whose partition can't be told."""
    return Failure(item, EXTRACTION_FAILED, "DynamicPartitioning.MetadataExtractionFailed", message)


def _groups(configuration: Configuration, items: Iterable[Item], failures: list[Failure]) -> list[Group]:
    required = configuration.required_keys() if configuration.dynamic else ()
    groups: dict[Keys, Group] = {}
    known: dict[int, Group | None] = {}  # by the identity of the keys, of which many items share one object
    for item in items:
        identity = id(item.keys)
        if identity not in known:
            known[identity] = _group_of(item, required, groups)
        group = known[identity]
        if group is None:
            failures.append(extraction_failure(item, "partitionKeys values must not be null or empty"))
            continue
        group.parts.append(item.data + configuration.delimiter if configuration.delimiter else item.data)
        group.items.append(item)
        if item.record.arrival_ms < group.oldest_ms:
            group.oldest_ms = item.record.arrival_ms
    return [*groups.values(), *error_groups(failures)]


def _group_of(item: Item, required: Sequence[str], groups: dict[Keys, Group]) -> Group | None:
    """Return the group of an item's partition, a new one if it is the first; None if the item has no partition."""
    values = [item.keys.get(name, "") for name in required]
    if "" in values:
        return None
    keys = tuple(zip(required, values, strict=True))
    return groups.setdefault(keys, Group(keys, "", item.record.arrival_ms))


def error_groups(failures: Iterable[Failure]) -> list[Group]:
    """Return one group for each kind of error."""
    groups: dict[str, Group] = {}
    for failure in failures:
        arrival_ms = failure.item.record.arrival_ms
        group = groups.setdefault(failure.output_type, Group((), failure.output_type, arrival_ms))
        group.parts.append(error_line(failure))
        group.oldest_ms = min(group.oldest_ms, arrival_ms)
    return list(groups.values())


def overflow(group: Group) -> list[Group]:
    """Return the error group that a partition becomes when no more partitions may be active."""
    code = "DynamicPartitioning.ActivePartitionsLimitExceeded"
    message = "The number of active partitions exceeds the limit of the delivery stream."
    return error_groups(Failure(item, PARTITIONS_EXCEEDED, code, message) for item in group.items)


def error_line(failure: Failure) -> bytes:
    """Return the line of an error object for one record, in AWS's shape (Firehose guide, data transformation)."""
    line = {
        "attemptsMade": failure.attempts,
        "arrivalTimestamp": failure.item.record.arrival_ms,
        "errorCode": failure.code,
        "errorMessage": failure.message,
        "attemptEndingTimestamp": int(time.time() * 1000),
        "rawData": base64.b64encode(failure.item.raw).decode(),
    }
    if failure.function_arn:
        line["lambdaArn"] = failure.function_arn
    return orjson.dumps(line) + b"\n"


def key_of(configuration: Configuration, group_keys: Keys, output_type: str, oldest_ms: int, identity: str) -> str:
    """Return the S3 key of a buffer."""
    if output_type == SOURCE_BACKUP and configuration.backup:
        backup = configuration.backup
        folder = prefixes.evaluate(backup.prefix, {}, oldest_ms, configuration.time_zone)
        return folder + prefixes.object_name(
            configuration.name, configuration.version, oldest_ms, configuration.time_zone, identity, backup.extension
        )
    prefix = configuration.error_prefix if output_type else configuration.prefix
    extension = "" if output_type else configuration.extension
    zone = configuration.time_zone
    folder = prefixes.evaluate(prefix, dict(group_keys), oldest_ms, zone, output_type)
    return folder + prefixes.object_name(
        configuration.name, configuration.version, oldest_ms, zone, identity, extension
    )
