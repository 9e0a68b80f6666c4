"""The verbs that the scenarios use."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from tests.e2e.images import Image
from tests.e2e.processes import Machine, Outcome


class Client(ABC):
    """One client with an image store and a home directory of its own, both empty at first.

    A context manager: whatever daemon the client needs runs inside. A reference is `host:port/repository:tag`.
    Outcomes are not checked here: a test says whether a command is to succeed.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[tuple[str, str], ...]]  # programs and their Debian packages
    logs_in: ClassVar[bool] = True  # has a login command; without one `login` is a note for later
    keeps_manifest: ClassVar[bool] = True  # pushes the manifest that it was given, bit by bit
    asks_before_pushing: ClassVar[bool] = (
        False  # HEADs blobs in the repository, with a token to pull, before the upload
    )
    shows_messages: ClassVar[bool] = True  # prints what the registry answers with an error
    sends: ClassVar[str] = "chunked"  # a layer: "whole" by one PUT; by PATCH, of a length ("sized") or of none
    mounts: ClassVar[bool] = True  # what it has pushed to one repository, when it pushes it to another

    # What a person reads who gives a wrong password, or who may not pull, or not push, or not even look where they
    # push to: the registry's own sentence, unless the client has another.
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
        """Start what has to run; `stack` ends it."""

    def run(self, *command: str | Path, stdin: str = "") -> Outcome:
        """A command with the client's own environment."""
        return self.machine.run(*command, home=self.home, environment=self.environment(), stdin=stdin)

    def environment(self) -> dict[str, str]:
        """What the client's commands and its daemon find in theirs, beside a plain one."""
        return {}

    @abstractmethod
    def login(self, user: str, password: str) -> Outcome: ...

    @abstractmethod
    def logout(self) -> Outcome: ...

    @abstractmethod
    def load(self, image: Image, reference: str) -> None:
        """Bring an image into the store and call it `reference`."""

    @abstractmethod
    def push(self, reference: str) -> Outcome:
        """Push what was loaded or pulled under that name."""

    @abstractmethod
    def pull(self, reference: str) -> Outcome: ...

    @abstractmethod
    def digest(self, reference: str) -> str:
        """The digest by which the client knows the manifest of an image that it pulled."""


def repository_and_tag(reference: str) -> tuple[str, str]:
    """`host:port/a/b:tag` as `a/b` and `tag`."""
    repository, _, tag = reference.partition("/")[2].rpartition(":")
    return repository, tag
