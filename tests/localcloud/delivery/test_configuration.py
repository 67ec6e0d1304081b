from typing import Any

import pytest

from localcloud.delivery.configuration import MB, Unsupported, check, read
from localcloud.delivery.engine import refusal
from tests.localcloud.delivery.streams import LAMBDA_ARN, configured, description, processor


def test_configuration_is_read_from_numbers_and_from_cloudformations_texts() -> None:
    config = configured(
        processor("Lambda", LambdaArn=LAMBDA_ARN, NumberOfRetries="2", BufferSizeInMBs="0.5"),
        processor("AppendDelimiterToRecord"),
        BufferingHints={"SizeInMBs": "64", "IntervalInSeconds": "60"},
        DynamicPartitioningConfiguration={"Enabled": "true"},
        CompressionFormat="GZIP",
    )
    assert (config.buffer_bytes, config.buffer_seconds) == (64 * MB, 60)
    assert config.transformation is not None
    assert (config.transformation.retries, config.transformation.batch_bytes) == (2, MB // 2)
    assert (config.delimiter, config.extension, config.dynamic, config.bucket) == (b"\n", ".gz", True, "raw")
    assert config.required_keys() == ("partitionKeyFromLambda:service",)


def test_defaults_are_aws() -> None:
    config = configured(Prefix="", ErrorOutputPrefix="")
    assert (config.buffer_bytes, config.buffer_seconds, config.compression) == (5 * MB, 300, "UNCOMPRESSED")
    assert config.prefix == "!{timestamp:yyyy/MM/dd/HH/}"
    assert config.error_prefix == "!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH/}"


def test_processors_that_are_not_enabled_do_nothing() -> None:
    full = description(processor("AppendDelimiterToRecord"))
    full["destinations"][0]["config"]["ProcessingConfiguration"]["Enabled"] = False
    config = read(full)
    assert config is not None
    assert config.delimiter == b""


def test_a_destination_that_is_not_s3_is_not_delivered() -> None:
    assert read({**description(), "destinations": [{"type": "Splunk", "config": {}}]}) is None


DYNAMIC: dict[str, Any] = {
    "DynamicPartitioningConfiguration": {"Enabled": True},
    "Prefix": "a/",
    "ErrorOutputPrefix": "b/",
    "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
}


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            {**DYNAMIC, "BufferingHints": {"SizeInMBs": 63, "IntervalInSeconds": 60}},
            "BufferingHints.SizeInMBs must be at least 64 when Dynamic Partitioning is enabled.",
        ),
        (
            {**DYNAMIC, "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 59}},
            "BufferingHints.IntervalInSeconds must be at least 60 seconds when Dynamic Partitioning is enabled.",
        ),
        (
            {**DYNAMIC, "ErrorOutputPrefix": ""},
            "ErrorOutputPrefix must be specified when Dynamic Partitioning is enabled.",
        ),
        (
            {"ErrorOutputPrefix": "a/!{timestamp:yyyy}/"},
            "ErrorOutputPrefix with expressions must contain !{firehose:error-output-type}.",
        ),
        (
            {"CompressionFormat": "LZO"},
            "CompressionFormat must be one of GZIP, UNCOMPRESSED, ZIP, Snappy, HADOOP_SNAPPY on this endpoint; "
            "got 'LZO'",
        ),
        ({"S3BackupMode": "Enabled"}, "S3BackupConfiguration must be specified when S3BackupMode is Enabled."),
        ({"FileExtension": "gz"}, "FileExtension must start with a dot; got 'gz'"),
        (
            {"DataFormatConversionConfiguration": {"Enabled": True}},
            "DataFormatConversionConfiguration is not built on this endpoint; leave it out",
        ),
    ],
)
def test_what_aws_refuses_and_what_is_not_built_is_refused(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unsupported) as refused:
        check(config)
    assert str(refused.value) == reason


def test_a_query_that_is_no_jq_is_refused() -> None:
    config = description(processor("MetadataExtraction", MetadataExtractionQuery="{a:"))["destinations"][0]["config"]
    config["BufferingHints"] = DYNAMIC["BufferingHints"]
    reason = refusal({"ExtendedS3DestinationConfiguration": config})
    assert reason.startswith("MetadataExtractionQuery must be jq 1.6; got jq: error: syntax error")
