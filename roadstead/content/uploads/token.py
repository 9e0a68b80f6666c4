"""The upload token: the authority to fill one upload session, minted by POST without writing anything.

Form: `<key id>.<payload>.<mac>`; payload and mac are base64url without padding, the mac is HMAC-SHA256 by the named
key over `<key id>.<payload>`. The payload is a JSON object:

    r  repository          i  upload id            s  actor name ("" for anonymous)   k  actor kind
    j  token id            e  expiry, seconds since the epoch
    c  1 when the Location came from a PATCH: a PUT there closes a chunked upload, it is not a whole blob
    a  the digest algorithm that the client named, absent if it named none
    b  until when a request with a body may begin, seconds since the epoch; absent for as long as the token lives

Every hop verifies it independently: the registry, the relay, and the edge function (which reads the same form in
JavaScript). Two keys are trusted at a time, so that they can be rotated; the current one signs new tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from roadstead import base64url
from roadstead.documents import compact
from roadstead.names import RepositoryName

PARAMETER = "_state"  # distribution's name for the same thing
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class UploadKeys:
    """The keys by id, and the id of the one that signs. Each key has at least 32 bytes."""

    current: str
    keys: Mapping[str, bytes]

    def __repr__(self) -> str:  # without the keys
        return f"UploadKeys(current={self.current!r}, ids={sorted(self.keys)})"

    @classmethod
    def from_json(cls, text: str) -> UploadKeys:
        """Parse `{"current": id, "keys": {id: base64}}`. Raises ValueError for any other shape.

        An id has letters, digits, `_` and `-`: a dot would end it inside a token.
        """
        try:
            document = json.loads(text)
            keys = {str(name): base64.b64decode(value, validate=True) for name, value in document["keys"].items()}
            current = str(document["current"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError("upload keys are {current, keys: {id: base64}}") from error
        if current not in keys or any(len(key) < 32 for key in keys.values()):
            raise ValueError("upload keys need the current one among them and 32 bytes each")
        if any(_KEY_ID.fullmatch(name) is None for name in keys):
            raise ValueError("the ids of upload keys are letters, digits, _ and -")
        return cls(current, keys)


class UploadKeySource(Protocol):
    def upload_keys(self) -> UploadKeys:
        """Return the keys of upload tokens. Reads them at most every few minutes, so that a rotation takes effect."""
        ...


class ExpiredUpload(ValueError):
    """The upload token was valid and has expired. The message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class UploadToken:
    """The content of an upload token; `expires` and `bodies_until` in seconds since the epoch.

    Until `bodies_until` a request with a body may begin; None is as long as the token lives. Whoever loses their rights
    sends nothing after it, and an upload whose body took hours can still be closed.
    """

    repository: RepositoryName
    upload_id: str
    actor_name: str
    actor_kind: str
    token_id: str
    expires: int
    chunked: bool = False
    algorithm: str | None = None
    bodies_until: int | None = None

    def takes_body(self, now: float) -> bool:
        return now < (self.expires if self.bodies_until is None else self.bodies_until)

    def encode(self, keys: UploadKeys) -> str:
        payload: dict[str, str | int] = {
            "r": self.repository,
            "i": self.upload_id,
            "s": self.actor_name,
            "k": self.actor_kind,
            "j": self.token_id,
            "e": self.expires,
        }
        if self.chunked:
            payload["c"] = 1
        if self.algorithm:
            payload["a"] = self.algorithm
        if self.bodies_until is not None:
            payload["b"] = self.bodies_until
        signed = f"{keys.current}.{base64url.encode(compact(payload).encode())}"
        return f"{signed}.{base64url.encode(_mac(keys.keys[keys.current], signed))}"


def decode_upload_token(text: str, keys: UploadKeys, *, now: float, repository: str, upload_id: str) -> UploadToken:
    """Return the token's content after checking all of it: MAC, expiry, repository and upload.

    Raises ExpiredUpload, and ValueError for an invalid token, both with a message for users.
    """
    signed, _, mac = text.rpartition(".")
    key_id, _, payload = signed.partition(".")
    key = keys.keys.get(key_id)
    expected = base64url.encode(_mac(key if key is not None else b"\0" * 32, signed))
    if key is None or not hmac.compare_digest(expected.encode(), mac.encode()):
        raise ValueError("the upload token was not made by this registry; start the upload again")
    try:
        fields = json.loads(base64url.decode(payload))
        token = UploadToken(
            RepositoryName(fields["r"]),
            fields["i"],
            fields["s"],
            fields["k"],
            fields["j"],
            fields["e"],
            bool(fields.get("c")),
            fields.get("a"),
            fields.get("b"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("the upload token cannot be read; start the upload again") from error
    if not isinstance(token.bodies_until, int | None):
        raise ValueError("the upload token cannot be read; start the upload again")
    if token.expires <= now:
        raise ExpiredUpload("the upload has expired; start it again")
    if token.repository != repository or token.upload_id != upload_id:
        raise ValueError("the upload token belongs to another upload")
    return token


def is_upload_id(text: str) -> bool:
    """Return whether `text` has the form of the ids that this registry issues."""
    return _UPLOAD_ID.fullmatch(text) is not None


def _mac(key: bytes, signed: str) -> bytes:
    return hmac.new(key, signed.encode(), hashlib.sha256).digest()
