"""Manifests (distribution-spec 1.1.1, end-3, end-7 and end-9; several tags in one push: 1.2)."""

from __future__ import annotations

from functions.distribution import audit
from functions.distribution.call import Call
from functions.distribution.settings import HeadAnswers
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Headers, Response
from roadstead.names import Reference, RepositoryName, Tag


def head(call: Call, repository: RepositoryName, reference: Reference) -> Response:
    if call.services.head_answers is not HeadAnswers.LENGTH:
        entry, data = call.services.manifests.get(repository, reference)
        _note(call, repository, reference, entry.digest)
        return _unchanged(call, entry.digest) or Response(
            200,
            _headers(entry.media_type, entry.digest),
            data,  # the gateway cuts off the body
        )
    found = call.services.manifests.head(repository, reference)
    _note(call, repository, reference, found.digest)
    return _unchanged(call, found.digest) or Response(
        200, (*_headers(found.media_type, found.digest), ("Content-Length", str(found.size)))
    )


def get(call: Call, repository: RepositoryName, reference: Reference) -> Response:
    """Respond with the bytes and type as pushed, whatever `Accept` says: another type would have another digest.

    With 304 if the client has it already; that is no pull.
    """
    entry, data = call.services.manifests.get(repository, reference)
    if unchanged := _unchanged(call, entry.digest):
        _note(call, repository, reference, entry.digest)
        return unchanged
    audit.pulled(call, repository, reference, entry, data)
    return Response(200, _headers(entry.media_type, entry.digest), data)


def put(call: Call, repository: RepositoryName, reference: Reference) -> Response:
    request = call.request
    pushed = call.services.push.push(
        repository,
        reference,
        request.body,
        content_type=request.header("content-type"),
        tags=_tags(request.parameters("tag"), reference),
        actor=call.actor,
    )
    headers: Headers = (
        ("Location", f"/v2/{repository}/manifests/{pushed.digest}"),
        ("Docker-Content-Digest", pushed.digest),
        *(("OCI-Tag", tag) for tag in pushed.tags if request.parameters("tag")),
    )
    if pushed.subject is not None:
        headers += (("OCI-Subject", pushed.subject),)
    return Response(201, headers)


def delete(call: Call, repository: RepositoryName, reference: Reference) -> Response:
    call.services.manifests.delete(repository, reference, call.actor)
    return Response(202)


def _tags(texts: tuple[str, ...], reference: Reference) -> tuple[Tag, ...]:
    if texts and not isinstance(reference, Digest):
        raise RegistryError(
            ErrorCode.TAG_INVALID, "tag parameters go with a push by digest; this one already names a tag", status=400
        )
    try:
        return tuple(Tag.parse(text) for text in texts)
    except ValueError as error:
        raise RegistryError(ErrorCode.TAG_INVALID, str(error)) from error


def _note(call: Call, repository: RepositoryName, reference: Reference, digest: Digest) -> None:
    """Note that a tag was asked for without a pull."""
    if isinstance(reference, Tag):
        audit.seen(call, repository, reference, digest)


def _unchanged(call: Call, digest: Digest) -> Response | None:
    """Return 304 if the client has the manifest, or None."""
    headers = (("Docker-Content-Digest", digest), ("ETag", f'"{digest}"'))
    return Response(304, headers) if call.request.has(f'"{digest}"') else None


def _headers(media_type: str, digest: Digest) -> Headers:
    return (("Content-Type", media_type), ("Docker-Content-Digest", digest), ("ETag", f'"{digest}"'))
