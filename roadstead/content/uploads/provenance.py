"""Who uploaded an object: metadata for S3 events and later adoption, which have no other way to know.

`x-amz-meta-repository` is the repository; `x-amz-meta-actor` is base64url (no padding) of `{"s": subject, "k": actor
kind, "j": token id}`, so that any name travels in a header. The edge function writes the same two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from roadstead import base64url
from roadstead.documents import compact
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor, ActorKind


def object_metadata(repository: RepositoryName, actor: Actor) -> dict[str, str]:
    """Return the metadata of an object that `actor` uploads."""
    document = compact({"s": actor.name, "k": actor.kind, "j": actor.token_id})
    return {
        "repository": repository,
        "actor": base64url.encode(document.encode()),
    }


def uploader(metadata: Mapping[str, str], actor: Actor) -> Actor:
    """Return who uploaded an object: `actor`, if it is the same person or the object does not say, else the uploader.

    Of another person only what the object's metadata says is known: no address, no user agent.
    """
    text = metadata.get("actor", "")
    try:
        document = json.loads(base64url.decode(text))
        found = Actor(str(document["s"]), ActorKind(document["k"]), str(document["j"]), request_id=actor.request_id)
    except (ValueError, KeyError, TypeError):
        return actor
    return actor if (found.name, found.kind) == (actor.name, actor.kind) else found
