"""The local cloud as `make up` runs it: processes, signals, exit codes, and what is left after a stop."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local import __main__
from local.failures import ExitCode
from local.ports import free_port
from local.state import VERSION
from tests import aws

ROOT = Path(__file__).parents[3]
LIMIT = 300  # seconds for anything


@dataclass
class Instance:
    """A running `python -m local up`."""

    process: subprocess.Popen[str]
    state: Path
    ready: dict[str, Any]
    listening_port: int = 0

    def aws(self, service: str) -> Any:
        return aws.local_client(service, self.ready)

    def get(self, path: str, password: str | None = None) -> tuple[int, bytes]:
        request = urllib.request.Request(self.ready["registry"] + path)
        if password is not None:
            credentials = base64.b64encode(f"{self.ready['admin']}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {credentials}")
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def password(self) -> str:
        return Path(self.ready["password_file"]).read_text()


def local(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "local", *arguments]


@contextlib.contextmanager
def up(state: Path, *options: str) -> Iterator[Instance]:
    """Run an instance; kill it at the end unless the test has stopped it."""
    port = free_port()
    process = subprocess.Popen(
        local("up", "--state", str(state), "--port", str(port), *options),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Instance(process, state, wait_until_ready(process, state), port)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LIMIT)
        process.kill()
        process.communicate()


def wait_until_ready(process: subprocess.Popen[str], state: Path) -> dict[str, Any]:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"exit code {process.returncode}: {process.communicate()}")
        with contextlib.suppress(FileNotFoundError):
            document: dict[str, Any] = json.loads((state / "ready.json").read_text())
            if document["pid"] == process.pid:  # not what a killed one has left
                return document
        time.sleep(0.05)
    raise AssertionError("not ready")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(local(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)


def put_something(instance: Instance) -> None:
    item = {"pk": {"S": "test"}, "sk": {"S": "kept"}}
    instance.aws("dynamodb").put_item(TableName=instance.ready["index_table"], Item=item)
    instance.aws("s3").put_object(Bucket=instance.ready["bucket"], Key="blobs/kept", Body=b"bytes")


def assert_something_is_there(instance: Instance) -> None:
    key = {"pk": {"S": "test"}, "sk": {"S": "kept"}}
    assert "Item" in instance.aws("dynamodb").get_item(TableName=instance.ready["index_table"], Key=key)
    body = instance.aws("s3").get_object(Bucket=instance.ready["bucket"], Key="blobs/kept")["Body"]
    with contextlib.closing(body):
        assert body.read() == b"bytes"


def children(of: int) -> list[int]:
    """Return the processes whose environment or command line names this state: children, even orphans."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == of:
                found.append(int(entry.name))
    return found


def wait_for_the_end_of(processes: list[int]) -> None:
    wait_for(lambda: not any(is_running(process) for process in processes))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_content_survives_ctrl_c_and_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with up(state) as instance:
        ready = instance.ready
        assert ready["pid"] == instance.process.pid
        assert instance.get("/v2/")[0] == 401
        password = instance.password()
        assert instance.get("/token?service=roadstead", password)[0] == 200
        assert instance.get("/token?service=roadstead", "wrong")[0] == 401
        assert (state / "admin-password").stat().st_mode & 0o777 == 0o600
        put_something(instance)
        parameter = instance.aws("ssm").get_parameter(Name=ready["upload_keys_parameter"], WithDecryption=True)
        instance.process.send_signal(signal.SIGINT)
        out, err = instance.process.communicate(timeout=LIMIT)
        assert (instance.process.returncode, err) == (0, "")
        assert f"serves at {ready['registry']}" in out
        assert out.count(ready["registry"].removeprefix("http://")) >= 4
        assert ready["password_file"] in out
        assert not (state / "ready.json").exists()
    with up(state) as again:
        assert_something_is_there(again)
        assert again.password() == password
        assert again.get("/token?service=roadstead", password)[0] == 200
        assert again.ready["token_key"] == ready["token_key"]
        kept = again.aws("ssm").get_parameter(Name=ready["upload_keys_parameter"], WithDecryption=True)
        assert kept["Parameter"]["Value"] == parameter["Parameter"]["Value"]


def test_the_password_file_is_right_even_after_a_crash_before_the_user_was_created(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "version").write_text(VERSION)
    (state / "admin-password").write_text("of the start that crashed")
    with up(state) as instance:
        assert instance.get("/token?service=roadstead", "of the start that crashed")[0] == 200
        (state / "admin-password").unlink()  # as one should who has stored it elsewhere
    with up(state) as again:
        assert again.get("/token?service=roadstead", "of the start that crashed")[0] == 200
        assert not (state / "admin-password").exists()


def test_a_killed_instance_leaves_no_process_and_loses_no_content(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with up(state) as instance:
        put_something(instance)
        parts = children(instance.process.pid)
        assert len(parts) >= 3
        instance.process.kill()
        instance.process.wait()
        wait_for_the_end_of(parts)
    with up(state) as again:
        assert_something_is_there(again)


def test_the_instance_stops_with_a_message_when_the_embedded_aws_dies(tmp_path: Path) -> None:
    with up(tmp_path / "state") as instance:
        aws = next(part for part in children(instance.process.pid) if b"local.cloud" in command_line(part))
        os.kill(aws, signal.SIGKILL)
        _, err = instance.process.communicate(timeout=LIMIT)
        assert instance.process.returncode == ExitCode.COMPONENT_FAILED
        assert err.startswith("roadstead: The embedded AWS died")
        assert err.count("\n") == 1
    with up(tmp_path / "state"):
        pass


def test_a_relay_that_always_runs_is_replaced_when_it_dies_and_ready_json_names_the_new_one(tmp_path: Path) -> None:
    with up(tmp_path / "state", "--relay", "fargate") as instance:
        killed = instance.ready["pids"]["relay"]
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: json.loads((tmp_path / "state" / "ready.json").read_text())["pids"]["relay"] != killed)
        token = json.loads(instance.get("/token?scope=repository:acme/web:pull,push", instance.password())[1])["token"]
        location = start_upload(instance.ready["registry"], token)
        assert send(instance.ready["registry"], "PATCH", location, bytes(6 * 1024 * 1024))[0] == 202


def test_a_relay_is_started_by_the_first_upload_ends_when_it_idles_and_is_started_again(tmp_path: Path) -> None:
    with up(tmp_path / "state", "--relay-idle", "1") as instance:

        def servers() -> dict[str, int]:
            pids: dict[str, int] = json.loads((tmp_path / "state" / "ready.json").read_text())["pids"]
            return {name: pid for name, pid in pids.items() if name.startswith("relay")}

        assert servers() == {}
        token = json.loads(instance.get("/token?scope=repository:acme/web:pull,push", instance.password())[1])["token"]
        seen = set()
        for _ in range(2):
            location = start_upload(instance.ready["registry"], token)
            assert send(instance.ready["registry"], "PATCH", location, bytes(6 * 1024 * 1024))[0] == 202
            wait_for(lambda: servers() != {})
            seen.add(servers()["relay"])
            wait_for(lambda: servers() == {})
        assert len(seen) == 2
        assert [
            process for process in children(instance.process.pid) if b"functions.relay" in command_line(process)
        ] == []


def command_line(process: int) -> bytes:
    return (Path("/proc") / str(process) / "cmdline").read_bytes()


def test_everything_listens_on_the_loopback_and_s3_has_its_own_host(tmp_path: Path) -> None:
    with up(tmp_path / "state") as instance:
        hosts = [instance.ready[name].split("/")[2].partition(":")[0] for name in ("registry", "s3")]
        assert hosts == ["127.0.0.1", "localhost"]
        processes = [instance.process.pid, *children(instance.process.pid)]
        listening = {address for process in processes for address in listening_addresses(process)}
        assert listening <= {"127.0.0.1", "::1"}


def listening_addresses(process: int) -> list[str]:
    """Return the addresses on which a process listens, from /proc."""
    links = []
    for descriptor in (Path("/proc") / str(process) / "fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(descriptor.readlink()))
    found = []
    for table in ("tcp", "tcp6"):
        for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in links:
                found.append(address(fields[1].partition(":")[0]))
    return found


def address(hexadecimal: str) -> str:
    if len(hexadecimal) > 8:
        words = (int(hexadecimal[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in (0, 8, 16, 24))
        return socket.inet_ntop(socket.AF_INET6, b"".join(words))
    return socket.inet_ntoa(int(hexadecimal, 16).to_bytes(4, sys.byteorder))


def test_a_second_instance_on_the_same_state_is_refused_and_down_stops_the_first(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with up(state) as instance:
        second = run("up", "--state", str(state), "--port", str(free_port()))
        assert second.returncode == ExitCode.STATE_IN_USE
        assert "make down" in second.stderr
        assert run("down", "--state", str(state)).returncode == 0
        assert instance.process.wait(LIMIT) == 0


def test_reset_stops_the_instance_and_deletes_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with up(state) as instance:
        assert run("reset", "--state", str(state)).returncode == 0
        assert instance.process.wait(LIMIT) == 0
        assert not state.exists()


def test_a_port_in_use_is_a_failure(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run("up", "--state", str(tmp_path / "state"), "--port", str(port))
    assert refused.returncode == ExitCode.PORT_TAKEN
    advice = f"choose another: make up PORT={port + 1}."
    assert refused.stderr == f"roadstead: Port {port} on 127.0.0.1 is in use; {advice}\n"


def test_the_help_lists_every_exit_code() -> None:
    text = run("--help").stdout
    for code in ExitCode:
        assert f"  {code.value}  {code.meaning}\n" in text


def test_a_missing_package_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('gone', name='uvicorn')")
    refused = subprocess.run(
        local("up", "--state", str(tmp_path / "state")),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert refused.returncode == ExitCode.DEPENDENCY_MISSING
    assert refused.stderr == "roadstead: The Python package uvicorn is missing; `make up` installs it.\n"


@pytest.mark.parametrize("content", [None, b"no certificate", b"-----BEGIN CERTIFICATE-----\n\xff\n"])
def test_a_file_without_certificates_is_refused_before_anything_starts(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        __main__.main(["up", "--state", str(tmp_path / "state"), "--ldap-ca", str(path)])
    assert ended.value.code == ExitCode.USAGE
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_sighup_stop_the_instance_like_ctrl_c(tmp_path: Path, number: signal.Signals) -> None:
    with up(tmp_path / "state") as instance:
        instance.process.send_signal(number)
        assert instance.process.wait(LIMIT) == 0


@pytest.mark.parametrize("front", ["all", "edge", "none"])
def test_each_front_accepts_what_it_can_and_refuses_the_rest_with_advice(tmp_path: Path, front: str) -> None:
    with up(tmp_path / "state", "--front", front) as instance:
        ready = instance.ready
        assert (ready["relay"] is not None, ready["api"] == ready["registry"]) == (front == "all", front == "none")
        token = json.loads(instance.get("/token?scope=repository:acme/web:pull,push", instance.password())[1])["token"]
        data = os.urandom(6 * 1024 * 1024)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        patched, _ = send(ready["registry"], "PATCH", start_upload(ready["registry"], token), data)
        whole, answer = send(
            ready["registry"], "PUT", f"{start_upload(ready['registry'], token)}&digest={digest}", data
        )
        assert (patched, whole) == {"all": (202, 201), "edge": (413, 201), "none": (413, 413)}[front]
        if front == "edge":
            answer = send(ready["registry"], "PATCH", start_upload(ready["registry"], token), data)[1]
            assert json.loads(answer)["errors"][0]["code"] == "DENIED"


def start_upload(registry: str, token: str) -> str:
    request = urllib.request.Request(f"{registry}/v2/acme/web/blobs/uploads/", method="POST")
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        return str(answer.headers["Location"])


def send(registry: str, method: str, location: str, data: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(registry + location, data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_with_signed_urls_blobs_are_pulled_through_the_edge_with_their_digest(tmp_path: Path) -> None:
    with up(tmp_path / "state", "--blobs-at", "distribution") as instance:
        registry = instance.ready["registry"]
        token = json.loads(instance.get("/token?scope=repository:acme/web:pull,push", instance.password())[1])["token"]
        data = os.urandom(300_000)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        patched = send_for_location(registry, start_upload(registry, token), data)
        assert send(registry, "PUT", f"{patched}&digest={digest}", b"")[0] == 201

        request = urllib.request.Request(f"{registry}/v2/acme/web/blobs/{digest}")
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Range", "bytes=100-199")
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            assert answer.url.startswith(f"{registry}/blobs/uploads/")
            assert (answer.status, answer.read()) == (206, data[100:200])
            assert answer.headers["Docker-Content-Digest"] == digest
            assert [name for name in answer.headers if name.lower().startswith("x-amz-m")] == []
            signed = answer.url
        for forged in (signed.replace("digest=sha256%3A", "digest=sha256%3Aa"), signed.partition("?")[0]):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(forged, timeout=LIMIT)


def test_clients_that_do_not_find_s3_by_its_name_get_blobs_from_the_edge(tmp_path: Path) -> None:
    with up(tmp_path / "state") as instance:
        registry, s3 = instance.ready["registry"], instance.ready["s3"]
        token = json.loads(instance.get("/token?scope=repository:acme/web:pull,push", instance.password())[1])["token"]
        data = os.urandom(300_000)
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        assert send(registry, "PUT", f"{start_upload(registry, token)}&digest={digest}", data)[0] == 201
        port = urlsplit(registry).port
        for host in ("localhost", "localhost:5000", "registry.example.com", "192.0.2.7:5000"):
            status, headers, body = pull(port, host, digest, token)
            assert (status, body, headers["docker-content-digest"]) == (200, data, digest)
            assert not [name for name in headers if name.startswith(("x-amz-meta", "x-amz-request"))]
            status, headers, body = pull(port, host, digest, token, {"Range": "bytes=100-199"})
            assert (status, body, headers["content-range"]) == (206, data[100:200], "bytes 100-199/300000")
        for host in ("127.0.0.1", f"127.0.0.1:{port}", "[::1]:5000"):
            status, headers, _ = pull(port, host, digest, token)
            assert status == 307
            assert headers["location"].startswith(f"{s3}/roadstead-local/blobs/sha256/")


def pull(
    port: int | None, host: str, digest: str, token: str, more: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        headers = {"Host": host, "Authorization": f"Bearer {token}", **(more or {})}
        connection.request("GET", f"/v2/acme/web/blobs/{digest}", headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_behind_a_proxy_it_goes_by_the_url_that_it_is_told(tmp_path: Path) -> None:
    with up(tmp_path / "state", "--url", "https://registry.example.com/") as instance:
        assert instance.ready["registry"] == "https://registry.example.com"
        port = instance.listening_port
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
            connection.request("GET", "/v2/", headers={"Host": "registry.example.com"})
            challenge = connection.getresponse().headers["WWW-Authenticate"]
        assert 'realm="https://registry.example.com/token"' in challenge


def send_for_location(registry: str, location: str, data: bytes) -> str:
    request = urllib.request.Request(registry + location, data, method="PATCH")
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        return str(answer.headers["Location"])
