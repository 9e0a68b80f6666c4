"""Rotating the keys of upload tokens, so that every token is verified by somebody who knows its key.

The keys are read from two places: functions and relay read an SSM parameter, which they cache for five minutes (and
five more if it cannot be read); the edge reads CloudFront's key-value store. So a rotation has three steps:

    add     distribute a new key, which signs nothing yet
    switch  when everybody has read it: sign with the new key
    drop    when the last token signed with the old key has expired: remove the old key

The document itself tells the stage: of two keys, the older comes first. The parameter's time of change tells when the
last step was taken. Repeating a step is safe; each one first makes the store agree with the parameter.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cli.failures import Failure
from roadstead.content.uploads.token import UploadKeys

STORE_KEY = "upload-keys"  # in the key-value store
RELAY_KEY = "relay"  # there too
READ_SECONDS = 600  # after which everybody has read the parameter again: twice roadstead.aws.ssm.REFRESH_SECONDS
SPREAD_SECONDS = 60  # after which a change of the key-value store has spread ("within a few seconds")
KEY_BYTES = 32
MAX_VALUE = 1024  # bytes of a value in a key-value store


class Stage(StrEnum):
    STEADY = "steady"  # one key
    ADDED = "added"  # the older signs
    SWITCHED = "switched"  # the newer signs


class Step(StrEnum):
    ADD = "add"
    SWITCH = "switch"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Rotation:
    """The document of upload keys: base64 by id, the older key first."""

    current: str
    keys: Mapping[str, str] = field(repr=False)

    @classmethod
    def first(cls) -> Rotation:
        name, key = _new_key()
        return cls(name, {name: key})

    @classmethod
    def from_json(cls, text: str) -> Rotation:
        """Parse a document. Raises Failure for one that the registry would reject, too."""
        try:
            UploadKeys.from_json(text)
        except ValueError as error:
            raise Failure(f"The upload keys cannot be read: {error}.") from error
        document = json.loads(text)
        return cls(document["current"], dict(document["keys"]))

    def to_json(self) -> str:
        return json.dumps({"current": self.current, "keys": dict(self.keys)}, separators=(",", ":"))

    @property
    def stage(self) -> Stage:
        if len(self.keys) == 1:
            return Stage.STEADY
        if len(self.keys) > 2:
            raise Failure(f"There are {len(self.keys)} upload keys; this command handles two at most.")
        return Stage.ADDED if self.current == next(iter(self.keys)) else Stage.SWITCHED

    @property
    def next_step(self) -> Step:
        return {Stage.STEADY: Step.ADD, Stage.ADDED: Step.SWITCH, Stage.SWITCHED: Step.DROP}[self.stage]

    def after(self, step: Step) -> Rotation:
        """Return the document after `step`. Raises Failure unless it is the next step."""
        if step is not self.next_step:
            raise Failure(f"The rotation is {self.stage}: the next step is {self.next_step}, not {step}.")
        if step is Step.ADD:
            name, key = _new_key()
            return Rotation(self.current, {**self.keys, name: key})
        newer = list(self.keys)[-1]
        if step is Step.SWITCH:
            return Rotation(newer, self.keys)
        return Rotation(newer, {newer: self.keys[newer]})


def holds(text: str | None, rotation: Rotation) -> bool:
    """Whether `text`, the edge's document, has the same keys."""
    try:
        return text is not None and bool(json.loads(text) == json.loads(rotation.to_json()))
    except ValueError:
        return False


def done_already(rotation: Rotation, step: Step) -> bool:
    """Whether `step` was the last step taken; after `drop` the rotation is steady again."""
    return {Stage.STEADY: Step.DROP, Stage.ADDED: Step.ADD, Stage.SWITCHED: Step.SWITCH}[rotation.stage] is step


def waiting_time(rotation: Rotation, changed: float, upload_seconds: int) -> tuple[float, str]:
    """Return when the next step becomes safe (seconds since the epoch), and why not earlier."""
    if rotation.stage is Stage.ADDED:
        return changed + READ_SECONDS, "functions and relay may not have read the new key yet"
    if rotation.stage is Stage.SWITCHED:
        return changed + READ_SECONDS + upload_seconds, "uploads that started with the old key may still be in progress"
    return changed, ""


def _new_key() -> tuple[str, str]:
    """Return a unique id that begins with the time, and a random key."""
    name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"
    return name, base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")
