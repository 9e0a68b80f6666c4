"""The package of a relay that is a web function, built with this machine's Python and run as Lambda runs it."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.node import node
from infra.packaging import interpreter, package
from infra.packaging.interpreter import InterpreterError, of_lambda, of_this_machine
from infra.packaging.package import LIMIT, PYTHON, SERVICES, PackageError, build, check_package, needed, write
from local import ports
from local.processes.probe import answers

ROOT = Path(__file__).parents[2]
NOBODY = 65534
SETTINGS = {
    "INDEX_TABLE": "index",
    "BUCKET": "bucket",
    "TOKEN_KEYS": "key",
    "UPLOAD_KEYS_PARAMETER": "/keys",
    "EDGE_SECRET_PARAMETER": "/edge",
    "VIA_DISTRIBUTION_ONLY": "on",
}


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    """Outside of pytest's directory, into which nobody but its user may look."""
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        build(of_this_machine(), Path(temporary))
        yield Path(temporary)


@pytest.fixture(scope="module")
def zipped(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("zip") / "relay.zip"
    write(built, file)
    return file


def test_it_holds_the_entry_point_the_interpreter_and_the_relay(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
        modes = {one.filename: one.external_attr >> 16 for one in archive.infolist()}
    assert {"index.js", PYTHON, "app/functions/relay/__main__.py", "lib/libcrypto.so.3"} <= set(names)
    assert modes[PYTHON] & stat.S_IXOTH
    assert len({name.split("/")[0] for name in names} - {"index.js", "python", "lib", "app"}) == 0
    check_package(zipped)


def test_it_holds_nothing_of_the_workshop(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
    tops = {name.split("/")[1] for name in names if name.startswith("app/")}
    assert not tops & {"tests", "local", "bench", "infra", "cli", "moto", "ministack", "pytest", "chalice", "bin"}
    assert not [name for name in names if re.search(r"/(idlelib|tkinter|test|ensurepip)/", name)]


def test_botocore_has_data_of_the_services_that_are_called_and_of_no_others(built: Path) -> None:
    data = built / "app" / "botocore" / "data"
    assert {one.name for one in data.iterdir() if one.is_dir()} == SERVICES
    called = set()
    for module in ("functions/distribution/composition.py", "functions/relay/__main__.py"):
        called |= set(re.findall(r'\bclient\("(\w+)"', (ROOT / module).read_text()))
    assert called <= SERVICES


def test_it_is_far_below_the_limit_of_a_web_function(built: Path) -> None:
    size = sum(path.stat().st_size for path in built.rglob("*") if path.is_file())
    assert size < 120 * 1024**2 < LIMIT


def test_every_library_that_it_needs_is_in_it_or_in_every_system(built: Path) -> None:
    present = {path.name for path in built.rglob("*.so*")}
    wanted = {name for path in built.rglob("*") if path.is_file() for name in needed(path)}
    assert wanted - present <= package.SYSTEM
    assert not {path.name for path in (built / "lib").iterdir()} & package.SYSTEM


def test_all_of_its_modules_are_compiled_for_where_lambda_unpacks_them(built: Path) -> None:
    sources = {path for top in ("app", "python/lib") for path in (built / top).rglob("*.py")}
    tag = sys.implementation.cache_tag
    missing = [one for one in sources if not (one.parent / "__pycache__" / f"{one.stem}.{tag}.pyc").exists()]
    assert [one for one in missing if "lib2to3" not in str(one)] == []
    (compiled,) = (built / "app" / "functions" / "relay" / "__pycache__").glob("application.*.pyc")
    data = compiled.read_bytes()
    assert b"/var/task/app/functions/relay/application.py" in data
    assert str(built).encode() not in data
    assert data[4:8] == b"\x01\0\0\0"  # unchecked: PEP 552


def test_the_same_input_gives_the_same_bytes(zipped: Path, tmp_path: Path) -> None:
    directory = tmp_path / "again"
    directory.mkdir()
    build(of_this_machine(), directory)
    for path in directory.rglob("*"):
        os.utime(path, (1, 1))
    write(directory, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == zipped.read_bytes()


@contextlib.contextmanager
def running(built: Path, *, user: int | None = None) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Lambda's start of the package: nothing in the environment but what Lambda and the revision set."""
    port = ports.free_port()
    process = subprocess.Popen(
        [node(), str(built / "index.js")],
        cwd="/",
        env={
            "PATH": "/usr/bin:/bin",
            "AWS_LAMBDA_HTTP_ENDPOINT": f"127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
            **SETTINGS,
        },
        stdin=subprocess.DEVNULL,
        user=user,
    )
    try:
        deadline = time.monotonic() + 300
        while not answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, "the relay ended while it started"
            assert time.monotonic() < deadline, "the relay did not start"
            time.sleep(0.02)
        yield process, port
    finally:
        process.kill()
        process.wait()
        gone(port)


def gone(port: int) -> None:
    """Wait until nothing listens there any more."""
    deadline = time.monotonic() + 300
    while answers(f"http://127.0.0.1:{port}/health"):
        assert time.monotonic() < deadline, "the relay outlived its parent"
        time.sleep(0.02)


def test_it_starts_within_two_seconds_of_the_processor(built: Path) -> None:
    """Lambda gives a server 10 s. The time of the processor does not depend on what else this machine does."""
    with running(built) as (process, _):
        process.terminate()
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    assert usage.ru_utime + usage.ru_stime < 2.0


def test_it_refuses_what_did_not_come_through_the_distribution(built: Path) -> None:
    with running(built) as (_, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("PATCH", "/v2/a/blobs/uploads/0?token=x", b"layer")
        response = connection.getresponse()
        assert (response.status, b"DENIED" in response.read()) == (403, True)
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_the_signal_by_which_lambda_stops_it(built: Path, number: signal.Signals) -> None:
    with running(built) as (process, port):
        process.send_signal(number)
        process.wait(300)
        gone(port)


def test_it_does_not_outlive_its_parent_however_that_ends(built: Path) -> None:
    with running(built) as (process, port):
        process.kill()
        process.wait()
        gone(port)


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to become somebody who cannot write")
def test_it_needs_to_write_nowhere(built: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in built.rglob("*")}
    with running(built, user=NOBODY):
        pass
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*")} == before


def test_a_relay_that_cannot_start_ends_the_environment_and_says_why(built: Path) -> None:
    ended = subprocess.run(
        [node(), str(built / "index.js")],
        env={"PATH": "/usr/bin:/bin", "AWS_LAMBDA_HTTP_ENDPOINT": "127.0.0.1:1", "AWS_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 2
    assert "INDEX_TABLE is not set" in ended.stderr


def test_without_docker_it_is_said_what_to_do_instead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("infra.packaging.interpreter.shutil.which", lambda name: None)
    said = r"Install Docker; or run `python -m infra\.packaging\.package relay\.zip`"
    with pytest.raises(InterpreterError, match=said):
        of_lambda("3.13", tmp_path / "interpreter", tmp_path)


def test_the_interpreter_is_copied_from_a_container_that_never_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a `docker` that notes its arguments and copies from a directory."""
    docker, log = tmp_path / "docker", tmp_path / "log"
    docker.write_text(
        f"""#!/bin/sh
echo "$@" >> {log}
case "$1" in
  create) echo 0123abcd ;;
  cp) mkdir -p "$4" && touch "$4/$(basename "$3")" ;;
esac
"""
    )
    docker.chmod(0o755)
    monkeypatch.setattr("infra.packaging.interpreter.shutil.which", lambda name: str(docker))
    monkeypatch.setattr("infra.packaging.interpreter.platform.machine", lambda: "x86_64")
    found = of_lambda("3.13", tmp_path / "interpreter", tmp_path / "package")
    lines = log.read_text().splitlines()
    image = "public.ecr.aws/lambda/python:3.13"
    assert lines[0] == f"create --platform linux/arm64 {image}"
    assert [line.split()[2] for line in lines[1:4]] == [
        "0123abcd:/var/lang/bin/python3.13",
        "0123abcd:/var/lang/lib",
        "0123abcd:/usr/lib64",
    ]
    assert lines[4:] == ["rm 0123abcd"]
    assert (found.version, found.wheels, found.seen_at) == ("3.13", "aarch64-manylinux_2_28", "/package")
    assert "linux/amd64" in found.compiler  # this machine's, whose bytecode is the same


def test_a_container_is_removed_when_copying_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    docker, log = tmp_path / "docker", tmp_path / "log"
    docker.write_text(
        f"""#!/bin/sh
echo "$1" >> {log}
[ "$1" != create ] || echo 0123abcd
[ "$1" != cp ] || {{ echo "no space left on device" >&2; exit 1; }}
"""
    )
    docker.chmod(0o755)
    monkeypatch.setattr("infra.packaging.interpreter.shutil.which", lambda name: str(docker))
    with pytest.raises(InterpreterError, match="cp failed: no space left on device"):
        of_lambda("3.13", tmp_path / "interpreter", tmp_path / "package")
    assert log.read_text().split() == ["create", "cp", "rm"]


def test_a_file_that_is_not_a_package_is_not_deployed(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"absent\.zip cannot be read"):
        check_package(tmp_path / "absent.zip")
    (tmp_path / "text.zip").write_text("relay")
    with pytest.raises(PackageError, match=r"text\.zip cannot be read"):
        check_package(tmp_path / "text.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("index.js", "")
    with pytest.raises(PackageError, match="has no python/bin/python3"):
        check_package(tmp_path / "other.zip")


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    machine = of_this_machine()
    without = interpreter.Interpreter(machine.version, machine.prefix, (tmp_path,), machine.wheels, machine.compiler)
    (tmp_path / "package").mkdir()
    with pytest.raises(PackageError, match=r"the library \S+ is not in"):
        build(without, tmp_path / "package")


def test_a_package_above_lambdas_limit_is_not_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(package, "LIMIT", 3)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "index.js").write_text("more")
    with pytest.raises(PackageError, match="the package has 4 bytes"):
        write(tmp_path / "in", tmp_path / "relay.zip")
    assert not (tmp_path / "relay.zip").exists()
