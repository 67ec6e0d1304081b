import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud import emulator
from localcloud.delivery.engine import DeliveryEngine
from localcloud.engine import Context, ServiceError
from tests.localcloud.delivery.streams import description


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeliveryEngine]:
    """Yield the engine of one delivery stream `d`, which nothing delivers: there is no function and no bucket."""

    def no_client(service: str) -> Any:
        raise ConnectionError(f"no {service}")

    monkeypatch.setattr(emulator, "delivery_streams", lambda: {"d": description(Prefix="in/")})
    engine = DeliveryEngine(Context(no_client, no_client, tmp_path, "http://127.0.0.1:1"))
    yield engine
    for stream in engine._streams.values():
        stream.stop()


def put(engine: DeliveryEngine, *datas: bytes) -> dict[str, Any]:
    records = [{"Data": base64.b64encode(data).decode()} for data in datas]
    return engine.put_record_batch({"DeliveryStreamName": "d", "Records": records})


def test_a_full_spool_is_service_unavailable_and_takes_no_part_of_the_batch(engine: DeliveryEngine) -> None:
    put(engine, b"one")
    (stream,) = engine._streams.values()
    stream._spool._limit_bytes = stream._spool.end + 100
    end = stream._spool.end

    with pytest.raises(ServiceError) as refused:
        put(engine, *[b"x" * 50] * 3)

    assert (refused.value.code, refused.value.status) == ("ServiceUnavailableException", 503)
    assert stream._spool.end == end
    assert stream.counters.totals["ThrottledRecords"] == 3
    assert put(engine, b"x")["FailedPutCount"] == 0


def test_a_stopping_endpoint_is_service_unavailable(engine: DeliveryEngine) -> None:
    put(engine, b"one")
    engine._stopped.set()
    with pytest.raises(ServiceError, match="stopping"):
        put(engine, b"two")


@pytest.mark.parametrize("data", ["not base64!", "eA=", "é", "eA==\n"])
def test_data_that_is_no_base64_is_a_serialization_exception(engine: DeliveryEngine, data: str) -> None:
    with pytest.raises(ServiceError) as refused:
        engine.put_record({"DeliveryStreamName": "d", "Record": {"Data": data}})
    assert refused.value.code == "SerializationException"


def test_every_record_of_a_batch_has_an_id_of_its_own(engine: DeliveryEngine) -> None:
    answers = put(engine, *[b"x"] * 500)["RequestResponses"]
    assert len({answer["RecordId"] for answer in answers}) == 500
