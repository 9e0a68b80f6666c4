"""What breaking connections and long lists show of the bucket; tests/contract/test_objects.py has the rest."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import BotoCoreError
from moto import mock_aws

from roadstead.aws.content.s3 import READS, S3Objects
from roadstead.content.objects import LISTED
from tests import aws

BODY = b"0123456789"


class Breaking:
    """An S3 that gives half of an object for the first `breaks` requests, then all of it or 404."""

    def __init__(self) -> None:
        self.breaks, self.gone, self.requests = 0, False, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                breaks = outer.requests <= outer.breaks
                if outer.gone and not breaks:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(BODY)))
                self.end_headers()
                self.wfile.write(BODY[:5] if breaks else BODY)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Not a word."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.objects = S3Objects(
            aws.client("s3", f"http://127.0.0.1:{self.server.server_address[1]}"), "bucket", url_seconds=60
        )


@pytest.fixture
def breaking() -> Iterator[Breaking]:
    made = Breaking()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


def test_an_object_whose_bytes_break_off_is_read_again(breaking: Breaking) -> None:
    breaking.breaks = READS - 1
    assert breaking.objects.get("key") == BODY
    assert breaking.requests == READS


def test_an_object_that_was_deleted_meanwhile_is_none(breaking: Breaking) -> None:
    breaking.breaks, breaking.gone = 1, True
    assert breaking.objects.get("key") is None


def test_half_an_object_is_never_taken_for_the_whole(breaking: Breaking) -> None:
    breaking.breaks = READS
    with pytest.raises(BotoCoreError):
        breaking.objects.get("key")
    assert breaking.requests == READS


def test_a_list_is_one_request_for_a_thousand_keys() -> None:
    with mock_aws():
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="long", CreateBucketConfiguration={"LocationConstraint": aws.REGION})
        keys = [f"blobs/{number:04d}" for number in range(LISTED + 1)]
        for key in (*keys, "other"):
            s3.put_object(Bucket="long", Key=key, Body=b"")
        calls = aws.record_calls(s3)
        assert S3Objects(s3, "long").list("blobs/") == tuple(keys[:LISTED])
        assert S3Objects(s3, "long").list("nothing/") == ()
        assert calls == ["s3.ListObjectsV2"] * 2
