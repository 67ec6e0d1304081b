"""GetObject and HeadObject as S3 answers them, whoever sends the body."""

import base64
import http.client
import threading
import urllib.request
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import EndpointProcess

pytestmark = pytest.mark.local

BUCKET = "object-reads"
BODY = bytes(range(256)) * 10_000
SIGNED = "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00"


@pytest.fixture(scope="module")
def s3(endpoint: EndpointProcess) -> Any:
    client = endpoint.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(
        Bucket=BUCKET,
        Key="a b/körper",
        Body=BODY,
        ContentType="text/x",
        Metadata={"Who": "me"},
        ChecksumAlgorithm="CRC32",
    )
    client.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    return client


def read(s3: Any, **options: Any) -> Any:
    return s3.get_object(Bucket=BUCKET, Key="a b/körper", **options)


def code_of(call: Any, **options: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(Bucket=BUCKET, **options)
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], caught.value.response["Error"]["Code"]


def test_a_whole_object_comes_with_its_headers_and_checksum(s3: Any) -> None:
    answer = read(s3, ChecksumMode="ENABLED")
    assert answer["Body"].read() == BODY
    assert (answer["ContentType"], answer["Metadata"], answer["ContentLength"]) == ("text/x", {"who": "me"}, len(BODY))
    assert answer["ChecksumCRC32"] == base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
    head = s3.head_object(Bucket=BUCKET, Key="a b/körper")
    assert (head["ContentLength"], head["ETag"], head["AcceptRanges"]) == (len(BODY), answer["ETag"], "bytes")
    assert s3.get_object(Bucket=BUCKET, Key="empty")["Body"].read() == b""


def test_a_range_carries_no_checksum_of_the_whole(s3: Any) -> None:
    answer = read(s3, Range="bytes=10-19", ChecksumMode="ENABLED")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (answer["ContentRange"], "ChecksumCRC32" in answer) == (f"bytes 10-19/{len(BODY)}", False)
    assert answer["Body"].read() == BODY[10:20]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(BODY) - 1), st.integers(0, 2 * len(BODY)))
def test_every_range_is_the_slice_that_it_names(s3: Any, start: int, length: int) -> None:
    asked = {f"bytes={start}-{start + length}": BODY[start : start + length + 1], f"bytes={start}-": BODY[start:]}
    asked[f"bytes=-{length + 1}"] = BODY[-length - 1 :]
    for text, expected in asked.items():
        assert read(s3, Range=text)["Body"].read() == expected


def test_a_range_beyond_the_end_is_refused_with_the_size(s3: Any) -> None:
    with pytest.raises(ClientError) as caught:
        read(s3, Range=f"bytes={len(BODY)}-")
    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (416, "InvalidRange")
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-range"] == f"bytes */{len(BODY)}"


def test_preconditions_decide(s3: Any) -> None:
    etag = s3.head_object(Bucket=BUCKET, Key="a b/körper")["ETag"]
    assert read(s3, IfMatch=etag, Range="bytes=0-1")["Body"].read() == BODY[:2]
    assert code_of(s3.get_object, Key="a b/körper", IfMatch='"other"') == (412, "PreconditionFailed")
    assert code_of(s3.get_object, Key="a b/körper", IfNoneMatch=etag)[0] == 304
    assert code_of(s3.head_object, Key="a b/körper", IfMatch='"other"')[0] == 412
    assert code_of(s3.get_object, Key="nope") == (404, "NoSuchKey")
    assert code_of(s3.head_object, Key="nope")[0] == 404


def test_a_read_that_has_begun_sees_one_object_though_another_is_put_over_it(s3: Any) -> None:
    bodies = [bytes([letter]) * 3_000_000 for letter in b"ab"]
    s3.put_object(Bucket=BUCKET, Key="swapped", Body=bodies[0])
    stop = threading.Event()

    def swap() -> None:
        turn = 1
        while not stop.is_set():
            s3.put_object(Bucket=BUCKET, Key="swapped", Body=bodies[turn % 2])
            turn += 1

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        for _ in range(15):
            assert s3.get_object(Bucket=BUCKET, Key="swapped")["Body"].read() in bodies
    finally:
        stop.set()
        swapping.join()


def test_a_client_that_leaves_in_the_middle_leaves_the_endpoint_well(endpoint: EndpointProcess, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="long", Body=b"x" * 20_000_000)
    host = endpoint.url.removeprefix("http://")
    for _ in range(5):
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request("GET", f"/{BUCKET}/long", headers={"Authorization": SIGNED})
        assert len(connection.getresponse().read(1000)) == 1000
        connection.close()
    assert s3.get_object(Bucket=BUCKET, Key="long", Range="bytes=19999999-")["Body"].read() == b"x"


def test_versions_and_subresources_go_the_emulators_way(s3: Any) -> None:
    s3.create_bucket(Bucket="object-reads-versioned")
    s3.put_bucket_versioning(Bucket="object-reads-versioned", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="object-reads-versioned", Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket="object-reads-versioned", Key="k", Body=b"2")
    assert s3.get_object(Bucket="object-reads-versioned", Key="k", VersionId=first)["Body"].read() == b"1"
    assert s3.get_object(Bucket="object-reads-versioned", Key="k")["Body"].read() == b"2"
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "object-reads-versioned", "Key": "k"})
    assert urllib.request.urlopen(url).read() == b"2"
