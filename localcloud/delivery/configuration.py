"""What a delivery stream does, read from its own description, and what AWS would refuse in one."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.delivery import prefixes

MB = 1024 * 1024
EXTENSIONS: Mapping[str, str] = {
    "GZIP": ".gz",
    "UNCOMPRESSED": "",
    "ZIP": ".zip",
    "Snappy": ".snappy",
    "HADOOP_SNAPPY": ".hsnappy",
}
"""Compression formats that are built, and the extension each adds."""
MIN_DYNAMIC_MB = 64
MIN_DYNAMIC_SECONDS = 60

_EXTENSION = re.compile(r"^$|^\.[0-9a-z!\-_.*'()]+$")


class Unsupported(Exception):
    """A configuration that AWS refuses, or that is not built here; the text is for the caller."""


@dataclass(frozen=True, slots=True)
class Transformation:
    """The Lambda processor."""

    function_arn: str
    retries: int
    batch_bytes: int


@dataclass(frozen=True, slots=True)
class Backup:
    """Where source records go as they came, whatever becomes of them."""

    bucket: str
    prefix: str
    buffer_bytes: int
    buffer_seconds: float
    compression: str
    extension: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """One version of a delivery stream to S3; zone names are IANA's, sizes are bytes before compression."""

    name: str
    arn: str
    version: str
    source_stream_arn: str
    bucket: str
    prefix: str
    error_prefix: str
    buffer_bytes: int
    buffer_seconds: float
    compression: str
    extension: str
    time_zone: str
    dynamic: bool
    deaggregation: str
    deaggregation_delimiter: bytes
    transformation: Transformation | None
    extraction_query: str
    delimiter: bytes
    backup: Backup | None = None

    def required_keys(self) -> tuple[str, ...]:
        """Return the partition keys that the prefix needs, as `namespace:name`."""
        return tuple(
            f"{expression.namespace}:{expression.value}"
            for expression in prefixes.expressions(self.prefix)
            if expression.namespace in (prefixes.QUERY, prefixes.LAMBDA)
        )


def read(stream: Mapping[str, Any]) -> Configuration | None:
    """Return the configuration in the emulator's record of a delivery stream; None when its destination is not S3."""
    destination = next((each for each in stream["destinations"] if each["type"] in ("ExtendedS3", "S3")), None)
    if destination is None:
        return None
    config = destination["config"]
    dynamic = is_dynamic(config)
    hints = config.get("BufferingHints") or {}
    compression = config.get("CompressionFormat") or "UNCOMPRESSED"
    processors = read_processors(config)
    deaggregation = processors.get("RecordDeAggregation", {})
    return Configuration(
        name=stream["name"],
        arn=stream["arn"],
        version=str(stream["version"]),
        source_stream_arn=(stream.get("kinesis_source") or {}).get("KinesisStreamARN", ""),
        bucket=config["BucketARN"].rpartition(":::")[2],
        prefix=prefixes.data_prefix(config.get("Prefix") or "", dynamic=dynamic),
        error_prefix=prefixes.error_prefix(config.get("ErrorOutputPrefix") or "", config.get("Prefix") or ""),
        buffer_bytes=int(hints.get("SizeInMBs", 5)) * MB,
        buffer_seconds=float(hints.get("IntervalInSeconds", 300)),
        compression=compression,
        extension=config.get("FileExtension") or EXTENSIONS.get(compression, ""),
        time_zone=config.get("CustomTimeZone") or "UTC",
        dynamic=dynamic,
        deaggregation=deaggregation.get("SubRecordType", ""),
        deaggregation_delimiter=base64.b64decode(deaggregation.get("Delimiter", "")),
        transformation=_transformation(processors.get("Lambda")),
        extraction_query=processors.get("MetadataExtraction", {}).get("MetadataExtractionQuery", ""),
        delimiter=_delimiter(processors.get("AppendDelimiterToRecord")),
        backup=_backup(config) if config.get("S3BackupMode") == "Enabled" else None,
    )


def check(config: Mapping[str, Any]) -> None:
    """Raise `Unsupported` unless AWS would take this S3 destination and all of it is built here."""
    compression = config.get("CompressionFormat") or "UNCOMPRESSED"
    if compression not in EXTENSIONS:
        raise Unsupported(
            f"CompressionFormat must be one of {', '.join(EXTENSIONS)} on this endpoint; got {compression!r}"
        )
    if is_true((config.get("DataFormatConversionConfiguration") or {}).get("Enabled")):
        raise Unsupported("DataFormatConversionConfiguration is not built on this endpoint; leave it out")
    if config.get("S3BackupMode") == "Enabled":
        _check_backup(_backup_settings(config))
    if not _EXTENSION.match(config.get("FileExtension") or ""):
        raise Unsupported(f"FileExtension must start with a dot; got {config['FileExtension']!r}")
    for kind in read_processors(config):
        if kind not in ("Lambda", "RecordDeAggregation", "MetadataExtraction", "AppendDelimiterToRecord"):
            raise Unsupported(f"Processor type {kind} is not built on this endpoint")
    if is_dynamic(config):
        _check_dynamic(config)
    _check_error_prefix(config)


def is_dynamic(config: Mapping[str, Any]) -> bool:
    """Tell whether dynamic partitioning is on."""
    return is_true((config.get("DynamicPartitioningConfiguration") or {}).get("Enabled"))


def is_true(value: object) -> bool:
    """Tell whether a flag is set, given as a boolean or, by CloudFormation, as a text."""
    return str(value).lower() == "true"


def read_processors(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return each enabled processor's parameters by its type."""
    processing = config.get("ProcessingConfiguration") or {}
    if not is_true(processing.get("Enabled")):
        return {}
    return {
        processor["Type"]: {
            parameter["ParameterName"]: str(parameter["ParameterValue"])
            for parameter in processor.get("Parameters") or ()
        }
        for processor in processing.get("Processors") or ()
    }


def _backup_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {**(config.get("S3BackupConfiguration") or {}), **(config.get("S3BackupUpdate") or {})}


def _backup(config: Mapping[str, Any]) -> Backup:
    settings = _backup_settings(config)
    hints = settings.get("BufferingHints") or {}
    compression = settings.get("CompressionFormat") or "UNCOMPRESSED"
    return Backup(
        bucket=settings["BucketARN"].rpartition(":::")[2],
        prefix=prefixes.data_prefix(settings.get("Prefix") or "", dynamic=False),
        buffer_bytes=int(hints.get("SizeInMBs", 5)) * MB,
        buffer_seconds=float(hints.get("IntervalInSeconds", 300)),
        compression=compression,
        extension=EXTENSIONS.get(compression, ""),
    )


def _check_backup(settings: Mapping[str, Any]) -> None:
    if not settings.get("BucketARN"):
        raise Unsupported("S3BackupConfiguration must be specified when S3BackupMode is Enabled.")
    if (settings.get("CompressionFormat") or "UNCOMPRESSED") not in EXTENSIONS:
        raise Unsupported(f"S3BackupConfiguration.CompressionFormat must be one of {', '.join(EXTENSIONS)}")
    used = prefixes.expressions(settings.get("Prefix") or "")
    if any(expression.namespace in (prefixes.QUERY, prefixes.LAMBDA) for expression in used):
        raise Unsupported("S3BackupConfiguration.Prefix must not contain partition keys.")


def _check_dynamic(config: Mapping[str, Any]) -> None:
    hints = config.get("BufferingHints") or {}
    if int(hints.get("SizeInMBs", MIN_DYNAMIC_MB)) < MIN_DYNAMIC_MB:
        raise Unsupported("BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled.")
    if int(hints.get("IntervalInSeconds", 300)) < MIN_DYNAMIC_SECONDS:
        raise Unsupported(
            "BufferingHints.IntervalInSeconds must be at least 60 seconds when Dynamic Partitioning is enabled."
        )
    if not config.get("Prefix"):
        raise Unsupported("Prefix must be specified when Dynamic Partitioning is enabled.")
    if not config.get("ErrorOutputPrefix"):
        raise Unsupported("ErrorOutputPrefix must be specified when Dynamic Partitioning is enabled.")


def _check_error_prefix(config: Mapping[str, Any]) -> None:
    used = prefixes.expressions(config.get("ErrorOutputPrefix") or "")
    if any(expression.namespace in (prefixes.QUERY, prefixes.LAMBDA) for expression in used):
        raise Unsupported("ErrorOutputPrefix must not contain partitionKeyFromQuery or partitionKeyFromLambda.")
    if used and prefixes.Expression(prefixes.FIREHOSE, "error-output-type") not in used:
        raise Unsupported("ErrorOutputPrefix with expressions must contain !{firehose:error-output-type}.")
    if prefixes.Expression(prefixes.FIREHOSE, "error-output-type") in prefixes.expressions(config.get("Prefix") or ""):
        raise Unsupported("Prefix must not contain !{firehose:error-output-type}.")


def _transformation(parameters: Mapping[str, str] | None) -> Transformation | None:
    if parameters is None:
        return None
    return Transformation(
        function_arn=parameters["LambdaArn"],
        retries=int(parameters.get("NumberOfRetries", "3")),
        batch_bytes=int(float(parameters.get("BufferSizeInMBs", "1")) * MB),
    )


def _delimiter(parameters: Mapping[str, str] | None) -> bytes:
    if parameters is None:
        return b""
    return parameters.get("Delimiter", "\\n").replace("\\n", "\n").encode()
