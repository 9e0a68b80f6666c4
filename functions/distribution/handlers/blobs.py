"""Blobs (distribution-spec 1.1.1, end-2 and end-10)."""

from __future__ import annotations

import re

from functions.distribution import audit
from functions.distribution.call import Call
from functions.distribution.settings import HeadAnswers
from roadstead.content.blob_index import BlobLink
from roadstead.digest import Digest
from roadstead.errors import ErrorCode, RegistryError
from roadstead.http import Headers, Response
from roadstead.names import RepositoryName

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")  # not \d, which is every script's digits


def head(call: Call, repository: RepositoryName, digest: Digest) -> Response:
    """Respond with the true length: clients upload again if HEAD is redirected to a URL signed for GET.

    For a caller who may push, 200 promises that the blob need not be uploaded; a caller who may only pull cancels no
    removal.
    """
    link = call.services.blobs.get(repository, digest, call.actor, promise=call.may_push(repository))
    if call.services.head_answers is HeadAnswers.REDIRECT:
        url = call.services.urls.presign(link.key, digest=link.digest, method="HEAD", at=call.distribution_url)
        return Response(307, (("Location", url), ("Docker-Content-Digest", link.digest)))
    return Response(200, (*_headers(link), ("Content-Length", str(link.size))))


def get(call: Call, repository: RepositoryName, digest: Digest) -> Response:
    """Respond with a small blob from the index; redirect to a presigned URL of S3, which serves ranges, otherwise."""
    link = call.services.blobs.get(repository, digest, call.actor)
    if link.data is None:
        url = call.services.urls.presign(link.key, digest=link.digest, at=call.distribution_url)
        audit.blob_pulled(call, repository, digest, link.size)
        return Response(307, (("Location", url), ("Docker-Content-Digest", link.digest)))
    if call.request.has(f'"{link.digest}"'):
        return Response(304, _headers(link))
    wanted = call.request.header("range")
    part = parse_range(wanted, link.size) if wanted else None
    audit.blob_pulled(call, repository, digest, link.size)
    if part is None:
        return Response(200, _headers(link), link.data)
    first, last = part
    content_range = ("Content-Range", f"bytes {first}-{last}/{link.size}")
    return Response(206, (*_headers(link), content_range), link.data[first : last + 1])


def delete(call: Call, repository: RepositoryName, digest: Digest) -> Response:
    call.services.blobs.delete(repository, digest, call.actor)
    return Response(202)


def _headers(link: BlobLink) -> Headers:
    return (
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", link.digest),
        ("Accept-Ranges", "bytes"),
        ("ETag", f'"{link.digest}"'),
    )


def parse_range(text: str, size: int) -> tuple[int, int] | None:
    """Return the first and last byte of a Range header (RFC 9110 section 14.1.2), or None to send everything.

    A header that is not a single range of bytes is ignored, as the RFC allows. Raises 416 if the range has no byte of
    the blob.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None or match.group(1) == match.group(2) == "":
        return None
    begin, end = match.groups()
    if begin == "":
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(begin), min(int(end), size - 1) if end else size - 1
    if first > last:
        raise RegistryError(
            ErrorCode.SIZE_INVALID,
            f"the blob has {size} bytes; the range {text[:60]} has none of them",
            status=416,
            headers=[("Content-Range", f"bytes */{size}")],
        )
    return first, last
