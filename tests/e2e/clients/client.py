"""The interface of clients that the scenarios use."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from tests.e2e.images import Image
from tests.e2e.processes import Machine, Outcome


class Client(ABC):
    """A client with its own image store and home directory, both empty at first.

    A context manager: whatever daemon the client needs runs inside. A reference is `host:port/repository:tag`.
    Outcomes are not checked here: the test says whether a command must succeed.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[tuple[str, str], ...]]  # programs and their Debian packages
    logs_in: ClassVar[bool] = True  # has a login command; otherwise `login` only stores the credentials
    keeps_manifest: ClassVar[bool] = True  # pushes the given manifest unchanged
    asks_before_pushing: ClassVar[bool] = (
        False  # HEADs blobs in the repository, with a token to pull, before the upload
    )
    shows_messages: ClassVar[bool] = True  # prints the messages of error responses
    sends: ClassVar[str] = (
        "chunked"  # a layer "whole" by one PUT, or by PATCH with a length ("sized") or without ("chunked")
    )
    mounts: ClassVar[bool] = True  # what it has pushed to another repository

    # What the client prints for a wrong password, or without permission to pull, to push, or to look at the target of a
    # push: the registry's own message, unless the client has another.
    wrong_password: ClassVar[str] = "the user name or the password is wrong"
    may_not_pull: ClassVar[str] = "{repository} does not exist, or {user} may not pull there"
    may_not_push: ClassVar[str] = "the project of {repository} does not exist, or {user} may not push to it"
    may_not_look: ClassVar[str] = may_not_push

    def __init__(self, machine: Machine, home: Path, registry: str) -> None:
        for program, package in self.needs:
            machine.require(program, package)
        home.mkdir()
        self.machine = machine
        self.home = home
        self.registry = registry
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, stack: contextlib.ExitStack) -> None:  # noqa: B027 - most clients have no daemon
        """Start the client's daemon, if it has one; `stack` stops it."""

    def run(self, *command: str | Path, stdin: str = "") -> Outcome:
        """Run a command with the client's own environment."""
        return self.machine.run(*command, home=self.home, environment=self.environment(), stdin=stdin)

    def environment(self) -> dict[str, str]:
        """Return the variables of the client's commands and daemon, in addition to a plain environment."""
        return {}

    @abstractmethod
    def login(self, user: str, password: str) -> Outcome: ...

    @abstractmethod
    def logout(self) -> Outcome: ...

    @abstractmethod
    def load(self, image: Image, reference: str) -> None:
        """Load an image into the store as `reference`."""

    @abstractmethod
    def push(self, reference: str) -> Outcome:
        """Push the image that was loaded or pulled as `reference`."""

    @abstractmethod
    def pull(self, reference: str) -> Outcome: ...

    @abstractmethod
    def digest(self, reference: str) -> str:
        """Return the client's digest of the manifest of an image that it pulled."""


class AuthFileClient(Client):
    """A client of the containers/image library, with a file of credentials of its own."""

    wrong_password = "invalid username/password"
    may_not_look = Client.may_not_pull  # looks for the image before it pushes

    def start(self, stack: contextlib.ExitStack) -> None:
        self.auth_file.write_text("{}")  # a named file must exist

    @property
    def auth_file(self) -> Path:
        return self.home / "auth.json"

    def environment(self) -> dict[str, str]:
        return {"REGISTRY_AUTH_FILE": str(self.auth_file)}


def repository_and_tag(reference: str) -> tuple[str, str]:
    """Split `host:port/a/b:tag` into `a/b` and `tag`."""
    repository, _, tag = reference.partition("/")[2].rpartition(":")
    return repository, tag
