"""The endpoint as a process: it answers, keeps its state, refuses a second owner, and listens on loopback only."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.conftest import EndpointProcess

pytestmark = pytest.mark.local
Start = Callable[[], EndpointProcess]


def get(url: str, **headers: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers)) as response:
        content: bytes = response.read()
    return content


def second(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "localcloud", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_endpoint_keeps_its_stacks_and_objects_over_kill_9(own_endpoint: Start) -> None:
    first = own_endpoint()
    first.client("s3").create_bucket(Bucket="kept")
    first.client("s3").put_object(Bucket="kept", Key="a/b", Body=b"x" * 100_000)
    template = json.dumps({"Resources": {"S": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": "events"}}}})
    first.client("cloudformation").create_stack(StackName="stack", TemplateBody=template)
    first.client("cloudformation").get_waiter("stack_create_complete").wait(StackName="stack")
    time.sleep(3)  # a snapshot follows a change within two seconds
    first.kill()
    again = own_endpoint()
    assert again.client("s3").get_object(Bucket="kept", Key="a/b")["Body"].read() == b"x" * 100_000
    assert again.client("kinesis").list_streams()["StreamNames"] == ["events"]
    assert again.client("cloudformation").describe_stacks()["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


def test_endpoint_keeps_what_changed_just_before_sigterm(own_endpoint: Start) -> None:
    first = own_endpoint()
    first.client("glue").create_database(DatabaseInput={"Name": "kept"})
    assert first.stop() == 0
    databases = own_endpoint().client("glue").get_databases()["DatabaseList"]
    assert [database["Name"] for database in databases] == ["kept"]


def test_endpoint_takes_the_earlier_generation_of_a_torn_state_file(own_endpoint: Start) -> None:
    first = own_endpoint()
    for name in ("one", "two"):
        first.client("glue").create_database(DatabaseInput={"Name": name})
        time.sleep(3)
    first.kill()
    state = first.data_dir / "state" / "glue.json"
    state.write_bytes(state.read_bytes()[:-10])
    again = own_endpoint()
    assert [database["Name"] for database in again.client("glue").get_databases()["DatabaseList"]] == ["one"]
    assert "glue.json was torn; took its earlier generation" in again.log()


def test_endpoint_refuses_a_torn_state_file_without_an_earlier_generation(own_endpoint: Start) -> None:
    first = own_endpoint()
    first.client("glue").create_database(DatabaseInput={"Name": "one"})
    first.stop()
    state = first.data_dir / "state" / "glue.json"
    state.write_bytes(b'{"pay')
    state.with_name("glue.json.previous").unlink(missing_ok=True)
    refused = second("--port", "0", "--data-dir", str(first.data_dir))
    assert refused.returncode == 1
    assert refused.stderr == (
        f"LoglakeError: a state file must be whole, '{state}'; got 5 bytes that are not JSON; "
        "move it away to start without what it held, or give another --data-dir\n"
    )


def test_data_directory_has_one_owner(endpoint: EndpointProcess) -> None:
    assert endpoint.process is not None
    refused = second("--port", "0", "--data-dir", str(endpoint.data_dir))
    assert refused.returncode == 1
    assert refused.stderr == (
        f"LoglakeError: a data directory must have one endpoint, '{endpoint.data_dir}'; "
        f"it belongs to process {endpoint.process.pid}; run 'loglake down', or give another --data-dir\n"
    )


def test_taken_port_is_named(endpoint: EndpointProcess, tmp_path: object) -> None:
    port = endpoint.url.rpartition(":")[2]
    refused = second("--port", port, "--data-dir", str(tmp_path))
    assert refused.returncode == 1
    assert refused.stderr == (
        f"LoglakeError: the endpoint's port must be free, 127.0.0.1:{port}; got 'Address already in use'; "
        "run 'loglake down' if it is ours, or give another --port\n"
    )


def test_endpoint_listens_on_loopback_only(endpoint: EndpointProcess) -> None:
    psutil = pytest.importorskip("psutil")
    assert endpoint.process is not None
    process = psutil.Process(endpoint.process.pid)
    listening = [
        connection
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


@pytest.mark.parametrize("header", [{"Origin": "https://example.com"}, {"Host": "example.com"}])
def test_web_pages_are_refused(endpoint: EndpointProcess, header: dict[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(endpoint.url + "/", **header)
    assert refused.value.code == 403


def test_health_names_the_process_and_its_folder(endpoint: EndpointProcess) -> None:
    assert endpoint.process is not None
    health = json.loads(get(endpoint.url + "/_loglake/health"))
    assert health["ready"] is True
    assert health["pid"] == endpoint.process.pid
    assert health["data_dir"] == str(endpoint.data_dir)


def test_large_uploads_pass_through(endpoint: EndpointProcess) -> None:
    client = endpoint.client("s3")
    client.create_bucket(Bucket="large-uploads")
    client.put_object(Bucket="large-uploads", Key="k", Body=b"0123456789" * 3_000_000)
    assert client.head_object(Bucket="large-uploads", Key="k")["ContentLength"] == 30_000_000


def test_put_that_does_not_reach_the_disk_is_refused(own_endpoint: Start) -> None:
    running = own_endpoint()
    client = running.client("s3")
    client.create_bucket(Bucket="unwritable")
    folder = running.data_dir / "s3" / "000000000000" / "unwritable"
    folder.rmdir()
    folder.write_text("a file where the bucket's folder should be")
    with pytest.raises(ClientError) as refused:
        client.put_object(Bucket="unwritable", Key="k", Body=b"x")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
