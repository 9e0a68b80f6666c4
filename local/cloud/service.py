"""All services behind one address: who may ask, which service is meant, and errors in that service's form.

Every request is signed with the secret of this state, or is for an object by a presigned URL; only the readiness probe
is neither. A browser's requests for another page carry `Origin` and are refused before anything else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from local.cloud import sts
from local.cloud.database import Database
from local.cloud.dynamodb.reads import Reads
from local.cloud.dynamodb.streams import Streams
from local.cloud.dynamodb.tables import Tables
from local.cloud.dynamodb.writes import Writes
from local.cloud.errors import AwsError, Unavailable, not_emulated
from local.cloud.faults import Faults
from local.cloud.http import Disconnected, Request, Response
from local.cloud.kms import Kms
from local.cloud.logs import Logs
from local.cloud.s3.messages import S3Request, failure
from local.cloud.s3.service import S3
from local.cloud.signatures import Credentials, Head, Verifier, is_presigned
from local.cloud.sqs import Sqs
from local.cloud.ssm import Ssm

READY = "/_ready"  # no bucket's name begins so
BODY_LIMIT = 17 * 1024 * 1024  # bytes of a request in JSON

Answer = bytes | dict[str, Any]
Operation = Callable[[Mapping[str, Any]], Answer | Awaitable[Answer]]

_log = logging.getLogger(__name__)

# The name of an error where SQS's older protocol had another, which clients still go by.
_QUERY_ERRORS = {
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
}
_AS_JSON = {
    "InvalidAccessKeyId": ("UnrecognizedClientException", 400),
    "SignatureDoesNotMatch": ("InvalidSignatureException", 400),
    "AuthorizationHeaderMalformed": ("IncompleteSignatureException", 400),
    "RequestTimeTooSkewed": ("InvalidSignatureException", 400),
    "AccessDenied": ("MissingAuthenticationTokenException", 400),
    "NotImplemented": ("UnknownOperationException", 400),
}


class Cloud:
    """The application."""

    def __init__(
        self,
        database: Database,
        s3: S3,
        sqs: Sqs,
        credentials: Credentials,
        faults: Faults,
        clock: Callable[[], float] = time.time,
    ) -> None:
        region = credentials.region
        self._verifier = Verifier(credentials)
        self._clock = clock
        self._s3 = s3
        tables = Tables(database, region)
        reads, writes = Reads(database, tables, faults), Writes(database, tables, faults)
        streams, kms, ssm, logs = (
            Streams(database, tables, region),
            Kms(database, region),
            Ssm(database, region),
            Logs(database, region),
        )
        self.tables = tables
        # By the prefix of X-Amz-Target: the name of the service in a signature, and its operations.
        self._services: dict[str, tuple[str, dict[str, Operation]]] = {
            "DynamoDB_20120810": (
                "dynamodb",
                {
                    "GetItem": reads.get,
                    "BatchGetItem": reads.batch_get,
                    "TransactGetItems": reads.transact_get,
                    "Query": reads.query,
                    "Scan": reads.scan,
                    "PutItem": writes.put,
                    "UpdateItem": writes.update,
                    "DeleteItem": writes.delete,
                    "BatchWriteItem": writes.batch,
                    "TransactWriteItems": writes.transact,
                    "CreateTable": tables.create,
                    "UpdateTable": tables.update,
                    "DeleteTable": tables.delete,
                    "DescribeTable": tables.describe,
                    "ListTables": tables.list,
                    "UpdateTimeToLive": tables.set_ttl,
                    "DescribeTimeToLive": tables.ttl,
                    "DescribeContinuousBackups": tables.backups,
                },
            ),
            "DynamoDBStreams_20120810": (
                "dynamodb",
                {
                    "ListStreams": streams.list,
                    "DescribeStream": streams.describe,
                    "GetShardIterator": streams.iterator,
                    "GetRecords": streams.records,
                },
            ),
            "TrentService": (
                "kms",
                {
                    "CreateKey": kms.create,
                    "CreateAlias": kms.create_alias,
                    "DescribeKey": kms.describe,
                    "GetPublicKey": kms.public_key,
                    "Sign": kms.sign,
                },
            ),
            "AmazonSSM": (
                "ssm",
                {
                    "PutParameter": ssm.put,
                    "GetParameter": ssm.get,
                    "GetParametersByPath": ssm.get_by_path,
                    "DeleteParameter": ssm.delete,
                    "DescribeParameters": ssm.describe,
                },
            ),
            "AmazonSQS": (
                "sqs",
                {
                    "CreateQueue": sqs.create,
                    "GetQueueUrl": sqs.url,
                    "GetQueueAttributes": sqs.attributes,
                    "SetQueueAttributes": sqs.set_attributes,
                    "SendMessage": sqs.send,
                    "SendMessageBatch": sqs.send_batch,
                    "ReceiveMessage": sqs.receive,
                    "DeleteMessage": sqs.delete,
                    "DeleteMessageBatch": sqs.delete_batch,
                    "ChangeMessageVisibility": sqs.set_visibility,
                },
            ),
            "Logs_20140328": (
                "logs",
                {
                    "CreateLogGroup": logs.create_group,
                    "CreateLogStream": logs.create_stream,
                    "PutLogEvents": logs.put,
                    "DescribeLogStreams": logs.streams,
                    "GetLogEvents": logs.events,
                },
            ),
        }

    async def __call__(self, request: Request) -> Response:
        if "origin" in request.headers or request.method == "OPTIONS":
            return Response(403, (("content-type", "text/plain"),), b"Browsers are not served here.\n")
        if request.path == READY and request.method == "GET":
            return Response(200, (), b"ready")
        if "x-amz-target" in request.headers:
            return await self._answer_json(request)
        if _claimed_service(request.headers.get("authorization", "")) == "sts":
            return await self._answer_sts(request)
        return await self._answer_s3(request)

    async def _answer_json(self, request: Request) -> Response:
        content_type = request.headers.get("content-type", "application/x-amz-json-1.0")
        prefix, _, name = request.headers["x-amz-target"].partition(".")
        extra: tuple[tuple[str, str], ...] = ()
        try:
            status, body = 200, await self._operate(request, prefix, name)
        except AwsError as error:
            status, body, extra = _json_error(error, prefix)
        except Disconnected:
            raise
        except Exception as error:
            _log.exception("%s failed", name)
            status, body, extra = _json_error(AwsError("InternalFailure", type(error).__name__, 500), prefix)
        headers = (("content-type", content_type), ("x-amzn-requestid", secrets.token_hex(16)), *extra)
        return Response(status, headers, body)

    async def _operate(self, request: Request, prefix: str, name: str) -> bytes:
        body = await request.read(BODY_LIMIT)
        if body is None:
            raise AwsError("RequestEntityTooLargeException", f"A request has {BODY_LIMIT} bytes at most.", 413)
        service, operations = self._services.get(prefix, ("", {}))
        head = Head(request.method, request.path, request.query, request.headers)
        if "authorization" not in request.headers:
            raise AwsError("MissingAuthenticationTokenException", "Request is missing Authentication Token")
        # A service that is not known is told so to whoever holds the secret.
        claimed = service or _claimed_service(request.headers["authorization"])
        self._verifier.check_headers(head, claimed, hashlib.sha256(body).hexdigest(), self._clock())
        operation = operations.get(name)
        if operation is None or request.method != "POST" or request.path != "/":
            raise not_emulated(f"{prefix}.{name}")
        try:
            document = json.loads(body or b"{}")
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise AwsError("SerializationException", "The body is not a JSON object.")
        answer = operation(document)
        if isinstance(answer, Awaitable):
            answer = await answer
        return answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":")).encode()

    async def _answer_sts(self, request: Request) -> Response:
        """Answer STS's query protocol, in JSON alone."""
        try:
            body = await request.read(BODY_LIMIT)
            head = Head(request.method, request.path, request.query, request.headers)
            self._verifier.check_headers(head, "sts", hashlib.sha256(body or b"").hexdigest(), self._clock())
            if (request.method, request.path, request.headers.get("accept")) != ("POST", "/", "application/json"):
                raise not_emulated("STS but by POST, with JSON for a response")
            status, document = 200, sts.answer(body or b"")
        except AwsError as error:
            refused = {"Type": "Sender", "Code": error.code, "Message": error.message}
            status, document = error.status, {"Error": refused, "RequestId": secrets.token_hex(16)}
        return Response(status, (("content-type", "application/json"),), json.dumps(document).encode())

    async def _answer_s3(self, request: Request) -> Response:
        request_id = secrets.token_hex(8).upper()
        try:
            response = await self._s3.answer(S3Request.of(request, self._check_s3(request)))
        except AwsError as error:
            if isinstance(error, Unavailable):
                error = AwsError("InternalError", error.message, 500)
            response = failure(error, request, request_id)
        except Disconnected:
            raise
        except Exception as error:
            _log.exception("%s %s failed", request.method, request.path)
            response = failure(AwsError("InternalError", type(error).__name__, 500), request, request_id)
        response.headers = (*response.headers, ("x-amz-request-id", request_id))
        return response

    def _check_s3(self, request: Request) -> Head:
        """Who asks. Raises AwsError."""
        head = Head(request.method, request.path, request.query, request.headers)
        signed = "authorization" in request.headers
        if is_presigned(request.query):
            if signed:
                raise AwsError(
                    "InvalidArgument",
                    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string "
                    "parameter or the Authorization header should be specified",
                )
            self._verifier.check_presigned(head, self._clock())
            return head
        if not signed:
            raise AwsError("AccessDenied", "Access Denied", 403)
        content = request.headers.get("x-amz-content-sha256")
        self._verifier.check_headers(head, "s3", content or "", self._clock())
        if content is None:
            raise AwsError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
        return head


def _claimed_service(authorization: str) -> str:
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return scope[3] if len(scope) == 5 else ""


def _json_error(error: AwsError, prefix: str) -> tuple[int, bytes, tuple[tuple[str, str], ...]]:
    code, status = _AS_JSON.get(error.code, (error.code, error.status))
    document = {"__type": f"com.amazonaws.{prefix.lower()}#{code}", "message": error.message, **error.fields}
    extra: tuple[tuple[str, str], ...] = (("x-amzn-errortype", code),)
    if prefix == "AmazonSQS":
        sender = "Sender" if status < 500 else "Receiver"
        extra = (*extra, ("x-amzn-query-error", f"{_QUERY_ERRORS.get(code, code)};{sender}"))
    return status, json.dumps(document, separators=(",", ":")).encode(), extra
