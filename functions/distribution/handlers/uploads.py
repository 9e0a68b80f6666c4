"""Uploads (distribution-spec 1.1.1, end-4 to end-6, end-11, end-13, end-14).

An upload's URL contains its own authorisation, the upload token: a push may outlive the access token that began it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from urllib.parse import quote

from functions.distribution.call import Call, algorithm_parameter, digest_parameter
from functions.distribution.challenge import challenge
from functions.distribution.settings import UploadsAt
from roadstead.content.blob_index import BlobLink
from roadstead.content.uploads.token import PARAMETER, UploadToken
from roadstead.content.uploads.uploads import upload_range
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Headers, Response
from roadstead.identity.access import PULL, PUSH, Access
from roadstead.names import RepositoryName

_CONTENT_RANGE = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")
MAX_MOUNT_SOURCES = 10  # repositories that a mount without `from` searches


def start(call: Call, repository: RepositoryName) -> Response:
    """Start a session; or create the blob at once, by a mount or from the request's body.

    Raises DENIED if the project's quota is used up. A mount passes, since it adds no bytes.
    """
    digest, algorithm = digest_parameter(call.request), algorithm_parameter(call.request)
    mounted = _mount(call, repository)
    if mounted is not None:
        return _created(repository, mounted)
    call.services.push.check_upload(repository, call.actor)
    token = call.services.uploads.start(repository, call.actor, algorithm)
    if digest is not None and (call.request.body or digest.matches(b"")):
        return _created(repository, call.services.uploads.close(token, digest, call.body, actor=call.actor))
    return Response(202, _session_headers(call, token, 0))


def status(call: Call, repository: RepositoryName, upload: UploadToken) -> Response:
    return Response(204, _session_headers(call, upload, call.services.uploads.offset(upload)))


def append(call: Call, repository: RepositoryName, upload: UploadToken) -> Response:
    """Append a chunk, or all of the blob. The new Location says that a PUT there closes a chunked upload."""
    try:
        offset = call.services.uploads.append(upload, call.body, actor=call.actor, start=_chunk_start(call))
    except RegistryError as error:
        raise _with_location(call, upload, error) from None
    return Response(202, _session_headers(call, _chunked(upload), offset))


def close(call: Call, repository: RepositoryName, upload: UploadToken) -> Response:
    digest = digest_parameter(call.request)
    if digest is None:
        raise RegistryError(ErrorCode.DIGEST_INVALID, "closing an upload needs the parameter digest")
    try:
        link = call.services.uploads.close(upload, digest, call.body, actor=call.actor, start=_chunk_start(call))
    except RegistryError as error:
        raise _with_location(call, upload, error) from None
    return _created(repository, link)


def cancel(call: Call, repository: RepositoryName, upload: UploadToken) -> Response:
    call.services.uploads.cancel(upload)
    return Response(204)


def _mount(call: Call, repository: RepositoryName) -> BlobLink | None:
    """Return the mounted blob, or None to fall back to an upload, as the specification requires."""
    text, source_text = call.request.parameter("mount"), call.request.parameter("from")
    if text is None:
        return None
    try:
        digest = Digest.parse(text)
        source = RepositoryName.parse(source_text) if source_text else None
    except ValueError:
        return None
    if source is not None:
        _require_listed(call, repository, source)
        sources = [source] if call.may_pull(source) else []
    else:
        named = call.granted.repositories(repository.project)
        sources = list(islice((name for name in named if call.may_pull(name)), MAX_MOUNT_SOURCES))
    for name in sources:
        link = call.services.blobs.mount(name, repository, digest, call.actor)
        if link is not None:
            return link
    return None


def _require_listed(call: Call, repository: RepositoryName, source: RepositoryName) -> None:
    """Raise a challenge for both repositories if the token does not mention the source: it was not requested for it."""
    if not call.granted.mentions(source):
        scopes = (Access.to(repository, PULL, PUSH).scope(), Access.to(source, PULL).scope())
        message = f"mounting from {source} needs a token that was asked for with pull on it"
        raise RegistryError(
            ErrorCode.UNAUTHORIZED,
            message,
            headers=[challenge(call.request, call.services.token_service, scopes, "insufficient_scope", message)],
        )


def _chunk_start(call: Call) -> int | None:
    """Return where the body begins according to Content-Range, or None without one. Raises 416 if it is malformed."""
    text = call.request.header("content-range")
    if text is None:
        return None
    match = _CONTENT_RANGE.fullmatch(text)
    if match is None:
        raise RegistryError(
            ErrorCode.BLOB_UPLOAD_INVALID, "Content-Range is <first byte>-<last byte> in decimal digits", status=416
        )
    first, last = int(match.group(1)), int(match.group(2))
    if call.length is not None and last - first + 1 != call.length:
        raise RegistryError(
            ErrorCode.SIZE_INVALID, f"Content-Range {text} and a body of {call.length} bytes do not match"
        )
    return first


def _chunked(token: UploadToken) -> UploadToken:
    return replace(token, chunked=True)


def _location(call: Call, token: UploadToken) -> str:
    # A relative Location keeps the client on the host name that it used. Only the API's own domain, which takes no
    # large body, may send an upload to another host: all clients except oras 1.3 follow it.
    stays = call.request.via_edge or call.services.uploads_at is UploadsAt.SAME_HOST
    origin = "" if stays else call.services.upload_origin or call.distribution_url
    state = token.encode(call.services.upload_keys.upload_keys())
    return f"{origin}/v2/{token.repository}/blobs/uploads/{token.upload_id}?{PARAMETER}={quote(state, safe='')}"


def _session_headers(call: Call, token: UploadToken, offset: int) -> Headers:
    return (
        ("Location", _location(call, token)),
        ("Range", upload_range(offset)),
        ("Docker-Upload-UUID", token.upload_id),
    )


def _with_location(call: Call, upload: UploadToken, error: RegistryError) -> RegistryError:
    """Add Location and Range to a 416: the session goes on, and the client needs them."""
    if error.status != 416:
        return error
    if not any(name == "Range" for name, _ in error.headers):
        error.add_headers(("Range", upload_range(call.services.uploads.offset(upload))))
    error.add_headers(("Location", _location(call, _chunked(upload))))
    return error


def _created(repository: RepositoryName, link: BlobLink) -> Response:
    return Response(
        201,
        (("Location", f"/v2/{repository}/blobs/{link.digest}"), ("Docker-Content-Digest", link.digest)),
    )
