"""The state directory: its version, its lock, and the files that scripts read.

version          the format of everything below; a directory without it is never deleted
lock             held by the running instance
ready.json       exists only while the registry serves
admin-password   the first administrator's password, mode 0600
credentials.json the only key pair that the embedded AWS accepts, mode 0600
cloud/           the data of the embedded AWS: cloud.db and objects/
logs/            cloud.log, and a log for each function
delivery.json    how far streams and the functions' logs were delivered
delivered        its modification time: all earlier events were delivered
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from local.failures import ExitCode, Failure

VERSION = "roadstead-local 2"
MINIMUM_FREE = 64 * 1024 * 1024  # bytes; with less, nothing starts


@dataclass(frozen=True, slots=True)
class Ready:
    """The content of `ready.json`: addresses and names."""

    registry: str  # base URL
    s3: str  # base URL
    admin: str
    password_file: str
    pid: int
    aws_endpoint: str
    region: str
    index_table: str
    identity_table: str
    bucket: str
    token_key: str
    upload_keys_parameter: str
    api: str  # base URL of the gateway, which bypasses the edge
    relay: str | None  # base URL
    pids: dict[str, int]  # of processes whose memory is worth watching
    credentials_file: str  # of the embedded AWS


class StateDirectory:
    """A state directory, locked from `acquire` to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None

    @property
    def ready_file(self) -> Path:
        return self.path / "ready.json"

    @property
    def password_file(self) -> Path:
        return self.path / "admin-password"

    @property
    def credentials_file(self) -> Path:
        return self.path / "credentials.json"

    @property
    def cloud(self) -> Path:
        return self.path / "cloud"

    @property
    def delivery_file(self) -> Path:
        return self.path / "delivery.json"

    @property
    def delivered_file(self) -> Path:
        return self.path / "delivered"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def acquire(self) -> None:
        """Create the directory unless it exists, and lock it. Raises Failure if it cannot be used."""
        self._check_version()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._close()
            version = self.path / "version"
            if not version.exists():
                write_atomically(version, VERSION + "\n")
            self._take_lock()
            for directory in (self.cloud, self.logs):
                directory.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Failure(
                ExitCode.OTHER_STATE, f"{self.path} cannot be used as a state directory: {error.strerror}."
            ) from None
        self.check_space()
        self.ready_file.unlink(missing_ok=True)  # left behind by an instance that was killed

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def check_space(self) -> None:
        """Raises Failure if the disk is nearly full."""
        if shutil.disk_usage(self.path).free < MINIMUM_FREE:
            raise Failure(
                ExitCode.DISK_FULL,
                f"The disk of {self.path} is full: at least {MINIMUM_FREE >> 20} MiB must be free.",
            )

    def write_ready(self, ready: Ready) -> None:
        write_atomically(self.ready_file, json.dumps(asdict(ready), indent=2) + "\n")

    def read_ready(self) -> dict[str, Any] | None:
        """Return what a running instance wrote, or None if no instance serves from this directory. Raises Failure."""
        try:
            document = json.loads(self.ready_file.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return None
        if not isinstance(document, dict) or not isinstance(document.get("pid"), int):
            raise Failure(ExitCode.OTHER_STATE, f"{self.ready_file} was not written by `make up`.")
        return document

    def in_use(self) -> bool:
        """Whether an instance holds the lock."""
        if not self._written_version():
            return False
        try:
            self._take_lock()
        except Failure:
            return True
        self.release()
        return False

    def delete(self) -> None:
        """Delete the directory with everything that was pushed. Raises Failure if it is in use or not ours."""
        if not self.path.exists():
            return
        if not self._written_version():
            raise Failure(
                ExitCode.OTHER_STATE, f"{self.path} is not a state directory of `make up`; nothing was deleted."
            )
        if self.in_use():
            raise Failure(ExitCode.STATE_IN_USE, f"{self.path} is in use; nothing was deleted.")
        shutil.rmtree(self.path)

    def _written_version(self) -> str:
        """Return the version file's content if it is ours, of any version; otherwise an empty string."""
        try:
            text = (self.path / "version").read_text().strip()
        except (OSError, UnicodeDecodeError):
            return ""
        return text if text.startswith("roadstead-local ") else ""

    def _close(self) -> None:
        """Make the directory private, since it contains a password and keys. Raises Failure, OSError."""
        found = self.path.stat()
        if found.st_uid != os.geteuid():
            raise Failure(
                ExitCode.OTHER_STATE,
                f"{self.path} belongs to the user {found.st_uid}, and this is user {os.geteuid()}: whoever owns it "
                "could read the keys in it. Choose another STATE=.",
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.path.chmod(0o700)

    def _check_version(self) -> None:
        written = self._written_version()
        if written == VERSION:
            return
        if written:
            raise Failure(
                ExitCode.OTHER_STATE,
                f"{self.path} was written by another version ({written!r}, this is {VERSION!r}), and cannot be read by "
                "this one. Choose another STATE=; start the version that wrote it beside it and copy the images over "
                "(docs/local.md), or delete it with `make reset`.",
            )
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise Failure(ExitCode.OTHER_STATE, f"{self.path} is neither empty nor a state directory of `make up`.")

    def _take_lock(self) -> None:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Failure(
                ExitCode.STATE_IN_USE,
                f"{self.path} is in use by a running instance; stop it with `make down STATE={self.path}`.",
            ) from None
        self._lock = lock


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that it exists completely or not at all, readable by its owner only."""
    temporary = path.with_name(path.name + ".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
