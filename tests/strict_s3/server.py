"""LocalStack's S3 and nothing else of LocalStack, served on a socket that whoever starts this listens on.

    python -m tests.strict_s3.server FD        in the environment of requirements/strict-s3.txt

The runtime that LocalStack brings would serve on all interfaces, resolve names, make certificates and look for Docker.
Here is its S3 provider behind the few handlers that it needs, and before them what it leaves to others: the signatures
of requests that carry them in headers, the body's hash that these sign, and a body without a length. OWNER in the
environment is `access key:secret key:region`. Objects are files in TMPDIR. SIGTERM ends it.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
import threading
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from localstack.aws import handlers, spec
from localstack.aws.api import RequestContext
from localstack.aws.api.core import ServiceOperation
from localstack.aws.gateway import Gateway
from localstack.aws.handlers.service import ServiceRequestRouter
from localstack.http.request import get_raw_path
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor

from tests.strict_s3 import sha512, signatures

_PROTOCOL = "rest-xml"
_READ = 1024 * 1024  # bytes


class S3Only:
    """Every request is for S3, so that no other service's model is ever loaded to find out."""

    def __init__(self) -> None:
        self._service = spec.load_service("s3")

    def __call__(self, chain: Any, context: RequestContext, response: Any) -> None:
        context.service, context.protocol = self._service, _PROTOCOL


class Strictness:
    """Refuses what S3 refuses before it looks at what is asked for."""

    def __init__(self, owner: signatures.Owner) -> None:
        self._owner = owner

    def __call__(self, chain: Any, context: RequestContext, response: Any) -> None:
        try:
            self._check(context.request)
        except signatures.Refusal as refusal:
            body = f"<Error><Code>{refusal.code}</Code><Message>{escape(str(refusal))}</Message></Error>"
            text = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}' if context.request.method != "HEAD" else ""
            chain.respond(refusal.status, text, {"Content-Type": "application/xml"})

    def _check(self, request: Any) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method == "PUT" and "content-length" not in headers:
            raise signatures.Refusal(
                501, "NotImplemented", "A header you provided implies functionality not implemented"
            )
        query = request.query_string.decode("latin-1")
        head = signatures.SignedRequest(request.method, get_raw_path(request), query, headers)
        expected = signatures.check(head, self._owner, datetime.now(UTC))
        if expected is not None and _sha256(request.environ["wsgi.input"]) != expected:
            raise signatures.Refusal(
                400,
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' does not match what was computed.",
            )


class OneAtATime:
    """S3 completes an upload once, whoever asks meanwhile. LocalStack lets the second of two write the object anew,
    from parts that the first has removed: of the right ETag, and empty."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._lock = threading.Lock()

    def __call__(self, chain: Any, context: RequestContext, response: Any) -> None:
        with self._lock:
            self._handler(chain, context, response)


def _sha256(body: Any) -> str:
    """Of a request's body, which the server has whole in memory or in a file, and which can be read again after."""
    content = body._wrapped  # twisted's _InputStream gives the application no way back
    found = hashlib.sha256()
    while piece := content.read(_READ):
        found.update(piece)
    content.seek(0)
    return found.hexdigest()


def gateway(owner: signatures.Owner) -> Any:
    """What takes requests: LocalStack's handlers for S3 in LocalStack's order."""
    sha512.extend_model()
    from localstack.services.s3.provider import S3Provider  # its module reads the model

    sha512.extend_checks()
    from localstack.services.plugins import Service

    router = ServiceRequestRouter()
    router.add_skeleton(Service.for_provider(S3Provider()).skeleton)
    completion = ServiceOperation("s3", "CompleteMultipartUpload")
    router.handlers[completion] = OneAtATime(router.handlers[completion])
    return Gateway(
        request_handlers=[
            Strictness(owner),
            S3Only(),
            handlers.parse_pre_signed_url_request,
            handlers.inject_auth_header_if_missing,
            handlers.add_region_from_header,
            handlers.add_account_id,
            handlers.parse_service_request,
            router,
        ],
        exception_handlers=[
            handlers.log_exception,
            handlers.handle_service_exception,
            handlers.handle_internal_failure,
        ],
        response_handlers=[handlers.modify_service_response, handlers.parse_service_response],
    )


def main() -> None:
    access_key, secret_key, region = os.environ["OWNER"].split(":")
    listener = socket.socket(fileno=int(sys.argv[1]))
    listener.setblocking(False)
    site = TwistedGateway(gateway(signatures.Owner(access_key, secret_key, region)))
    reactor.adoptStreamPort(listener.fileno(), socket.AF_INET, site)
    signal.signal(signal.SIGTERM, lambda *_: reactor.callFromThread(reactor.stop))
    reactor.run(installSignalHandlers=False)


if __name__ == "__main__":
    main()
