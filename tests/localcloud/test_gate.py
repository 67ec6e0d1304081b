import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from localcloud.engine import Parameters, ServiceError
from localcloud.gate import Gate

Messages = list[dict[str, Any]]


async def emulator(scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": (await receive())["body"]})


def ask(
    operation: Callable[[Parameters], Parameters], body: bytes = b"{}", target: str = "A.Op", **headers: str
) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and body of one request to a gate with one operation, `A.Op`."""
    sent: Messages = []
    noted: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def run(executor: ThreadPoolExecutor) -> None:
        gate = Gate(
            emulator,
            {"A.Op": operation},
            executor=executor,
            health=lambda: {"ready": True},
            on_request=lambda scope, _: noted.append(scope["path"]),
        )
        named = {"x-amz-target": target, "host": "127.0.0.1:4566", **headers}
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
        await gate({"type": "http", "path": "/", "headers": raw}, receive, send)

    with ThreadPoolExecutor(1) as executor:
        asyncio.run(run(executor))
    content = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, content


def refuse(_: Parameters) -> Parameters:
    raise ServiceError("ThingNotFoundException", "no thing", 400)


def test_an_operation_is_answered_as_json() -> None:
    status, headers, body = ask(
        lambda parameters: {"Got": parameters["N"], "At": datetime(2026, 1, 1, tzinfo=UTC)}, b'{"N":1}'
    )
    assert (status, json.loads(body)) == (200, {"Got": 1, "At": 1767225600.0})
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amzn-requestid"]


def test_a_service_error_is_an_aws_error() -> None:
    status, headers, body = ask(refuse)
    assert (status, headers["x-amzn-errortype"]) == (400, "ThingNotFoundException")
    assert json.loads(body) == {"__type": "ThingNotFoundException", "message": "no thing", "Message": "no thing"}


def test_a_failing_operation_is_an_internal_failure() -> None:
    status, headers, _ = ask(lambda parameters: parameters["missing"])
    assert (status, headers["x-amzn-errortype"]) == (500, "InternalFailure")


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_request_that_is_no_json_object_is_refused(body: bytes) -> None:
    assert ask(lambda _: {}, body)[1]["x-amzn-errortype"] == "SerializationException"


def test_other_operations_and_bypassing_requests_reach_the_emulator() -> None:
    assert ask(refuse, b"body", target="A.Other")[::2] == (299, b"body")
    assert ask(refuse, b"body", x_loglake_bypass="1")[::2] == (299, b"body")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:4566", 200),
        ("localhost", 200),
        ("bucket.s3.localhost:4566", 200),
        ("kinesis.us-east-1.amazonaws.com", 200),
        ("evil.example", 403),
        ("notlocalhost", 403),
    ],
)
def test_only_hosts_of_this_machine_are_answered(host: str, status: int) -> None:
    assert ask(lambda _: {}, host=host)[0] == status


@pytest.mark.parametrize(
    ("origin", "status"), [("http://127.0.0.1:8050", 200), ("https://evil.example", 403), ("null", 403)]
)
def test_pages_of_other_sites_are_refused(origin: str, status: int) -> None:
    assert ask(lambda _: {}, origin=origin)[0] == status


def test_a_full_disk_is_answered_and_logged_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    def operation(_: Parameters) -> Parameters:
        raise sqlite3.OperationalError("database or disk is full")

    status, _, body = ask(operation)
    assert status == 500
    assert json.loads(body)["message"].startswith("the disk of the data directory is full; free some space")
    assert [record.exc_info for record in caplog.records] == [None]


def open_socket(kind: str, *headers: tuple[str, str]) -> tuple[bool, Messages]:
    """Return whether a request of some ASGI kind came to the emulator, and what was sent back by the gate."""
    reached: list[str] = []
    sent: Messages = []

    async def behind(scope: Mapping[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        reached.append(scope["type"])

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.connect"}

    with ThreadPoolExecutor(1) as executor:
        gate = Gate(behind, {}, executor=executor, health=dict, on_request=lambda scope, _: None)
        raw = [(name.encode(), value.encode()) for name, value in headers]
        asyncio.run(gate({"type": kind, "path": "/", "headers": raw}, receive, send))
    return bool(reached), sent


@pytest.mark.parametrize(
    ("headers", "is_let_through"),
    [
        ((("host", "127.0.0.1:4566"),), True),
        ((("host", "127.0.0.1:4566"), ("origin", "http://localhost:8050")), True),
        ((("host", "127.0.0.1:4566"), ("origin", "https://evil.example")), False),
        ((("host", "127.0.0.1:4566"), ("origin", "null")), False),
        ((("host", "evil.example"),), False),
        ((("host", "127.0.0.1:4566"), ("host", "evil.example")), False),
        ((("host", "evil.example"), ("host", "127.0.0.1:4566")), False),
        ((("Origin", "https://evil.example"), ("origin", "http://localhost")), False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_request_of_any_kind_has_the_origin_and_host_of_this_machine(
    kind: str, headers: tuple[tuple[str, str], ...], is_let_through: bool
) -> None:
    reached, sent = open_socket(kind, *headers)
    assert reached is is_let_through
    if kind == "websocket" and not is_let_through:
        assert sent == [{"type": "websocket.close", "code": 1008}]


def test_a_request_of_a_kind_that_nobody_knows_reaches_nothing() -> None:
    with pytest.raises(NotImplementedError, match="got 'webtransport'"):
        open_socket("webtransport", ("host", "127.0.0.1"))
    assert open_socket("lifespan")[0]
