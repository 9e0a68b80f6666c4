"""Reads the audit trail of the local cloud: all of it, continuously, or the answer to a question.

The questions are those of the saved queries (`observability.queries`), computed here from the entries.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.cloud.client import Client
from local.cloud.endpoint import Endpoint, credentials_of
from local.cloud.resources import AUDIT_LOG_GROUP
from local.failures import ExitCode, Failure
from local.state import StateDirectory

Entry = dict[str, Any]

WAIT = 15.0  # seconds to wait until all events are delivered
PAUSE = 0.5  # seconds between two reads
WEEK = 7 * 86_400  # seconds


class TrailReader:
    """Reads new entries in the order of their time, and each id once, however often it was delivered."""

    def __init__(self, client: Client, group: str = AUDIT_LOG_GROUP) -> None:
        self._client = client
        self._group = group
        self._tokens: dict[str, str] = {}
        self._seen: set[str] = set()

    def entries(self) -> list[Entry]:
        """Return the entries written since the last call."""
        found: list[Entry] = []
        for stream in self._streams():
            for line in self._lines(stream):
                entry = json.loads(line)
                if entry["id"] not in self._seen:
                    self._seen.add(entry["id"])
                    found.append(entry)
        return sorted(found, key=lambda entry: str(entry["time"]))

    def _streams(self) -> Iterator[str]:
        token: dict[str, str] = {}
        while True:
            page = self._client.call("logs", "DescribeLogStreams", logGroupName=self._group, **token)
            for stream in page["logStreams"]:
                yield stream["logStreamName"]
            if "nextToken" not in page:
                return
            token = {"nextToken": page["nextToken"]}

    def _lines(self, stream: str) -> Iterator[str]:
        while True:
            token = {"nextToken": self._tokens[stream]} if stream in self._tokens else {}
            answer = self._client.call(
                "logs", "GetLogEvents", logGroupName=self._group, logStreamName=stream, startFromHead=True, **token
            )
            yield from (event["message"] for event in answer["events"])
            before, self._tokens[stream] = self._tokens.get(stream), answer["nextForwardToken"]
            if not answer["events"] or before == answer["nextForwardToken"]:
                return


@dataclass(frozen=True, slots=True)
class Question:
    """`answer` turns entries into lines; `argument` is the name of the question's argument, if it has one."""

    help: str
    answer: Callable[[Iterable[Entry], str], Iterable[Entry]]
    argument: str = ""


def _pulls(entries: Iterable[Entry], digest: str) -> Iterator[Entry]:
    return (one for one in entries if one["operation"] in ("pull", "pull-blob") and one.get("digest") == digest)


def _failed_logins(entries: Iterable[Entry], _: str) -> Iterator[Entry]:
    failed = [one for one in entries if one["operation"] == "login" and one["outcome"] == "failure"]
    for address, failures in Counter(one.get("source_address", "") for one in failed).most_common():
        of_it = [one for one in failed if one.get("source_address", "") == address]
        names = len({one["actor"]["name"] for one in of_it})
        yield {"source_address": address, "failures": failures, "names": names, "latest": of_it[-1]["time"]}


def _deletions(entries: Iterable[Entry], _: str) -> Iterator[Entry]:
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - WEEK))
    kinds = ("delete-manifest", "delete-blob", "untag")
    return (one for one in entries if one["operation"] in kinds and one["time"] >= since)


def _pushes(entries: Iterable[Entry], _: str) -> Iterator[Entry]:
    pushed = [one for one in entries if one["operation"] in ("push", "tag")]
    for name, pushes in Counter(one["actor"]["name"] for one in pushed).most_common():
        of_them = [one for one in pushed if one["actor"]["name"] == name]
        repositories = len({one["repository"] for one in of_them})
        yield {"user": name, "pushes": pushes, "repositories": repositories, "latest": of_them[-1]["time"]}


QUESTIONS: Mapping[str, Question] = {
    "pulls": Question("who pulled a digest", _pulls, "DIGEST"),
    "failed-logins": Question("failed logins by address", _failed_logins),
    "deletions": Question("what was deleted in the last seven days", _deletions),
    "pushes": Question("pushes by user", _pushes),
}


def read(state: StateDirectory, *, follow: bool, ask: str) -> Iterator[str]:
    """Yield lines to print; with `follow`, forever. `ask` is a question with its argument, or empty for all entries.

    Waits until all earlier events are delivered. Raises Failure if no registry runs there, or for an unknown question.
    """
    name, _, argument = ask.partition(" ")
    question = QUESTIONS.get(name)
    if ask and (question is None or bool(question.argument) != bool(argument.strip())):
        known = "; ".join(f"{key} {one.argument}".strip() + f" ({one.help})" for key, one in QUESTIONS.items())
        raise Failure(ExitCode.USAGE, f"{ask!r} is not a question to the audit trail. The questions are: {known}.")
    ready = state.read_ready()
    if ready is None or not state.in_use():
        raise Failure(
            ExitCode.COMPONENT_FAILED, f"No registry runs in {state.path}; start it with `make up STATE={state.path}`."
        )
    host, _, port = str(ready["aws_endpoint"]).rpartition("/")[2].rpartition(":")
    with contextlib.closing(Client(Endpoint(host, int(port), credentials_of(state.credentials_file)))) as client:
        reader = TrailReader(client)
        _wait_for_delivery(state, time.time())
        entries = reader.entries()
        for line in question.answer(entries, argument.strip()) if question else entries:
            yield printed(line)
        while follow and not question:
            time.sleep(PAUSE)
            for line in reader.entries():
                yield printed(line)


def printed(line: Entry) -> str:
    r"""Return a line of JSON in ASCII: text that others chose cannot reorder it or move the cursor (`\u202e`)."""
    return json.dumps(line)


def _wait_for_delivery(state: StateDirectory, moment: float) -> None:
    """Wait until everything that happened before `moment` is in the trail, or for WAIT seconds."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        try:
            if state.delivered_file.stat().st_mtime >= moment:
                return
        except FileNotFoundError:
            pass
        time.sleep(0.05)
