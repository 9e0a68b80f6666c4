"""What a HEAD of a blob promises, and to whom."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from functions.distribution.call import Call
from functions.distribution.handlers import blobs
from functions.distribution.services import Services
from functions.distribution.settings import HeadAnswers
from roadstead.content.blob_index import BlobLink
from roadstead.digest import Digest
from roadstead.http import Request
from roadstead.identity.access import PULL, PUSH, Access
from roadstead.identity.tokens.granted import Granted
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor

DIGEST = Digest.of(b"layer")


@pytest.mark.parametrize(("actions", "promise"), [((PULL, PUSH), True), ((PULL,), False)])
def test_head_promises_the_blob_only_to_callers_who_may_push(actions: tuple[str, ...], promise: bool) -> None:
    asked: list[Any] = []

    def get(*_: Any, promise: bool) -> BlobLink:
        asked.append(promise)
        return BlobLink(DIGEST, 5, "key")

    services = SimpleNamespace(blobs=SimpleNamespace(get=get), head_answers=HeadAnswers.LENGTH)
    call = Call(
        request=Request("HEAD", f"/v2/acme/web/blobs/{DIGEST}"),
        services=cast(Services, services),
        actor=Actor("ann"),
        granted=Granted((Access.to("acme/web", *actions),)),
    )
    assert blobs.head(call, RepositoryName("acme/web"), DIGEST).status == 200
    assert asked == [promise]
