"""A client of the embedded AWS for this program's own parts: without boto3, which takes longer to import than to ask.

The functions and the relay use boto3, as they do in AWS.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import threading
import time
from typing import Any

from local.cloud.endpoint import Endpoint
from local.cloud.signatures import signed

TIMEOUT = 30.0  # seconds

# The name of a service in signatures, and its X-Amz-Target.
_TARGETS = {
    "dynamodb": ("dynamodb", "DynamoDB_20120810"),
    "streams": ("dynamodb", "DynamoDBStreams_20120810"),
    "kms": ("kms", "TrentService"),
    "ssm": ("ssm", "AmazonSSM"),
    "sqs": ("sqs", "AmazonSQS"),
    "logs": ("logs", "Logs_20140328"),
}
_CODE = re.compile(rb"<Code>(\w+)</Code>")


class Refused(Exception):
    """The embedded AWS answered with an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Client:
    """For any number of threads; each has a connection of its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._local = threading.local()

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """An operation of a service that speaks JSON. Raises Refused, OSError."""
        name, target = _TARGETS[service]
        body = json.dumps(parameters, separators=(",", ":")).encode()
        headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"{target}.{operation}"}
        status, answer = self._send("POST", "/", name, headers, body)
        document: dict[str, Any] = json.loads(answer)
        if status != 200:
            raise Refused(str(document.get("__type", "")).rpartition("#")[2], str(document.get("message", "")))
        return document

    def put_to_s3(self, target: str, body: bytes = b"") -> None:
        """PUT of `/bucket?query` or `/bucket/key`. Raises Refused, OSError."""
        headers = {"x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
        status, answer = self._send("PUT", target, "s3", headers, body)
        if status != 200:
            found = _CODE.search(answer)
            raise Refused(found.group(1).decode() if found else str(status), answer.decode(errors="replace"))

    def close(self) -> None:
        """Close the connection of this thread."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _send(self, method: str, target: str, service: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        host = f"{self._endpoint.host}:{self._endpoint.port}"
        digest = hashlib.sha256(body).hexdigest()
        headers = signed(
            self._endpoint.credentials, service, method, target, {**headers, "host": host}, digest, time.time()
        )
        for attempt in (1, 2):
            connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = http.client.HTTPConnection(self._endpoint.host, self._endpoint.port, timeout=TIMEOUT)
                self._local.connection = connection
            try:
                connection.request(method, target, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                connection.close()
                self._local.connection = None
                if attempt == 2:
                    raise
        raise AssertionError("not reached")
