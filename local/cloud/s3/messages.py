"""Requests and answers of S3: what a request is about, the XML of both, times."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import unquote
from xml.sax.saxutils import escape

from local.cloud.errors import AwsError, not_emulated
from local.cloud.http import Request, Response
from local.cloud.s3.checksums import Claims, new_hash
from local.cloud.signatures import Head

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DOCUMENT_LIMIT = 4 * 1024 * 1024  # bytes of XML in a request
KEY_LIMIT = 1024  # bytes
_XML = ("content-type", "application/xml")
# Of the signature, or of the SDK that asks.
_SIGNATURE = frozenset(
    f"X-Amz-{name}" for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
) | {"x-id"}


@dataclass(frozen=True, slots=True)
class S3Request:
    """A request as it is routed. `query` without what belongs to the signature; `key` is empty for the bucket's own."""

    request: Request
    bucket: str
    key: str
    query: Mapping[str, str]

    @property
    def headers(self) -> Mapping[str, str]:
        return self.request.headers

    @property
    def key_bytes(self) -> bytes:
        return self.key.encode()

    @classmethod
    def of(cls, request: Request, head: Head) -> S3Request:
        """Raises AwsError."""
        bucket, _, key = request.path.removeprefix("/").partition("/")
        try:
            bucket, key = unquote(bucket, errors="strict"), unquote(key, errors="strict")
        except UnicodeDecodeError:
            raise AwsError("InvalidURI", "Couldn't parse the specified URI.") from None
        if len(key.encode()) > KEY_LIMIT:
            raise AwsError("KeyTooLongError", "Your key is too long")
        query = {name: value for name, value in head.parameters() if name not in _SIGNATURE}
        return cls(request, bucket, key, query)

    def check_query(self, *known: str) -> None:
        """Raises AwsError for a parameter that is not among `known`."""
        if unknown := sorted(self.query.keys() - {*known}):
            raise not_emulated(f"the parameter {unknown[0]} for {self.request.method} in S3")

    async def document(self, root: str) -> ET.Element:
        """The XML of the body. Raises AwsError."""
        return parsed(await self.body(), root)

    async def body(self) -> bytes:
        """All of it, held to the hash that was signed. Raises AwsError."""
        body = await self.request.read(DOCUMENT_LIMIT)
        if body is None:
            raise AwsError("MaxMessageLengthExceeded", "Your request was too large.")
        claims = Claims.of(self.headers)
        digests = {}
        for algorithm in claims.algorithms:
            one = new_hash(algorithm)
            one.update(body)
            digests[algorithm] = one.digest()
        claims.check(digests)
        return body


def parsed(body: bytes, root: str) -> ET.Element:
    """Names of elements without their namespaces. Raises AwsError."""
    try:
        found = ET.fromstring(body)  # noqa: S314 - whoever sent it holds the secret of this state
    except ET.ParseError:
        raise malformed() from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    if found.tag != root:
        raise malformed()
    return found


def malformed() -> AwsError:
    return AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate.")


def document(root: str, *content: str) -> Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{"".join(content)}</{root}>'
    return Response(200, (_XML,), text.encode())


def element(name: str, content: object) -> str:
    return f"<{name}>{escape(str(content))}</{name}>"


def elements(name: str, fields: Mapping[str, object]) -> str:
    return f"<{name}>{''.join(element(key, value) for key, value in fields.items())}</{name}>"


def failure(error: AwsError, request: Request, request_id: str) -> Response:
    """An error as S3 answers it."""
    fields = {**error.fields, "RequestId": request_id}
    content = "".join(element(name, value) for name, value in fields.items() if not name.startswith("-"))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error>{element('Code', error.code)}{element('Message', error.message)}{content}</Error>"
    )
    headers = [_XML]
    if "-content-range" in error.fields:
        headers.append(("content-range", error.fields["-content-range"]))
    return Response(error.status, headers, b"" if request.method == "HEAD" else text.encode())


def no_such_key(key: str) -> AwsError:
    return AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=key)


def iso_time(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds / 1000)) + f".{milliseconds % 1000:03d}Z"


def http_time(milliseconds: int) -> str:
    return formatdate(milliseconds // 1000, usegmt=True)


def text_of(parent: ET.Element, name: str, default: str = "") -> str:
    return parent.findtext(name) or default
