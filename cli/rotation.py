"""Rotating the keys of upload tokens so that no token meets anybody who does not know its key.

Who checks tokens reads the keys from two places: functions and relay from an SSM parameter, which they remember for
five minutes (and five more, should it not be readable); the edge from CloudFront's key-value store. So:

    add     a new key is known everywhere, and signs nothing yet
    switch  once everybody has read it: it signs
    drop    once the last token that the old one signed has expired: it is forgotten

The stage is in the document itself: of two keys the older stands first. When the last step was made is the parameter's
time of change. Every step may be repeated; each first makes the store agree with the parameter.
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
from roadstead.content.upload_token import UploadKeys

STORE_KEY = "upload-keys"  # in the key-value store
RELAY_KEY = "relay"  # beside it
READ_SECONDS = 600  # after which everybody has read the parameter anew: twice roadstead.aws.ssm.REFRESH_SECONDS
SPREAD_SECONDS = 60  # after which a change of the key-value store is everywhere ("within a few seconds")
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
    """The document of keys: base64 by id, the older first."""

    current: str
    keys: Mapping[str, str] = field(repr=False)

    @classmethod
    def first(cls) -> Rotation:
        name, key = _new_key()
        return cls(name, {name: key})

    @classmethod
    def from_json(cls, text: str) -> Rotation:
        """Raises Failure for what the registry would not read, too."""
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
            raise Failure(f"There are {len(self.keys)} upload keys; this command knows what to do with two at most.")
        return Stage.ADDED if self.current == next(iter(self.keys)) else Stage.SWITCHED

    @property
    def next_step(self) -> Step:
        return {Stage.STEADY: Step.ADD, Stage.ADDED: Step.SWITCH, Stage.SWITCHED: Step.DROP}[self.stage]

    def after(self, step: Step) -> Rotation:
        """The document after the next step. Raises Failure for another one."""
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
    """Whether a document, as the edge holds it, says the same."""
    try:
        return text is not None and bool(json.loads(text) == json.loads(rotation.to_json()))
    except ValueError:
        return False


def done_already(rotation: Rotation, step: Step) -> bool:
    """Whether the last step was `step`; after the last one of all, `drop`, the rotation is steady again."""
    return {Stage.STEADY: Step.DROP, Stage.ADDED: Step.ADD, Stage.SWITCHED: Step.SWITCH}[rotation.stage] is step


def waiting_time(rotation: Rotation, changed: float, upload_seconds: int) -> tuple[float, str]:
    """From when on the next step is safe (seconds since the epoch), and why not before."""
    if rotation.stage is Stage.ADDED:
        return changed + READ_SECONDS, "functions and relay may not have read the new key yet"
    if rotation.stage is Stage.SWITCHED:
        return changed + READ_SECONDS + upload_seconds, "uploads that began under the old key may still go on"
    return changed, ""


def _new_key() -> tuple[str, str]:
    """An id that says when it was made, and never comes again; and a key."""
    name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"
    return name, base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")
