"""Manifests (distribution-spec 1.1.1, end-3, end-7 and end-9; several tags in one push: 1.2)."""

from __future__ import annotations

from functions.distribution import audit as trail
from functions.distribution.call import Call
from functions.distribution.settings import HeadAnswers
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Headers, Response
from roadstead.names import Tag
from roadstead.trail.entries import Operation


def head(call: Call) -> Response:
    if call.services.head_answers is not HeadAnswers.LENGTH:
        entry, data = call.services.manifests.get(call.repository, call.reference)
        return Response(200, _headers(entry.media_type, entry.digest), data)  # the gateway sends the head of it only
    found = call.services.manifests.head(call.repository, call.reference)
    return Response(200, (*_headers(found.media_type, found.digest), ("Content-Length", str(found.size))))


def get(call: Call) -> Response:
    """The bytes and type as they were pushed, whatever `Accept` says: another type would be another digest."""
    entry, data = call.services.manifests.get(call.repository, call.reference)
    trail.pulled(call, Operation.PULL, entry.digest, size=entry.size, media_type=entry.media_type)
    return Response(200, _headers(entry.media_type, entry.digest), data)


def put(call: Call) -> Response:
    request = call.request
    pushed = call.services.push.push(
        call.repository,
        call.reference,
        request.body,
        content_type=request.header("content-type"),
        tags=_tags(request.parameters("tag"), call.reference),
        actor=call.actor,
    )
    headers: Headers = (
        ("Location", f"/v2/{call.repository}/manifests/{pushed.digest}"),
        ("Docker-Content-Digest", pushed.digest),
        *(("OCI-Tag", tag) for tag in pushed.tags if request.parameters("tag")),
    )
    if pushed.subject is not None:
        headers += (("OCI-Subject", pushed.subject),)
    return Response(201, headers)


def delete(call: Call) -> Response:
    call.services.manifests.delete(call.repository, call.reference, call.actor)
    return Response(202)


def _tags(texts: tuple[str, ...], reference: str) -> tuple[Tag, ...]:
    if texts and not isinstance(reference, Digest):
        raise RegistryError(
            ErrorCode.TAG_INVALID, "tag parameters go with a push by digest; this one already names a tag", status=400
        )
    try:
        return tuple(Tag.parse(text) for text in texts)
    except ValueError as error:
        raise RegistryError(ErrorCode.TAG_INVALID, str(error)) from error


def _headers(media_type: str, digest: Digest) -> Headers:
    return (("Content-Type", media_type), ("Docker-Content-Digest", digest), ("ETag", f'"{digest}"'))
