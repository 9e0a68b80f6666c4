"""What each request costs: the AWS calls of a warm function, exactly, in their order.

docs/architecture.md promises: a read by digest is one read of the table, by tag two, nothing else is called for it;
presigning and minting are arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from roadstead.content.manifest_document import OCI_MANIFEST
from roadstead.content.objects import MIN_PART
from roadstead.digest import Digest
from tests.manifests import image_of
from tests.unit.functions.registry.cloud import OTHER, REPOSITORY, Function, closing, running

GET, BATCH_GET, QUERY = "dynamodb.GetItem", "dynamodb.BatchGetItem", "dynamodb.Query"
PUT, UPDATE, BATCH_WRITE = "dynamodb.PutItem", "dynamodb.UpdateItem", "dynamodb.BatchWriteItem"
TRANSACT = "dynamodb.TransactWriteItems"
SMALL, LARGE = b"small", b"x" * 20_000  # kept inline, or not
CHUNK, PART = b"c" * 100_000, b"p" * MIN_PART


def image(*layers: bytes, filler: int = 0) -> bytes:
    subject = {"mediaType": OCI_MANIFEST, "digest": Digest.of(b"subject %d" % filler), "size": 1}
    return image_of(*layers, annotations={"x": "x" * filler}, subject=subject)


@pytest.fixture(scope="module")
def function() -> Iterator[Function]:
    """Warm, with an image `latest`, a large manifest `large` and their three blobs."""
    with pytest.MonkeyPatch.context() as patch, running(patch) as one:
        for data in (b"{}", SMALL, LARGE):
            one.push_blob(data)
        for tag, body in (("latest", image(SMALL, LARGE)), ("large", image(SMALL, filler=40_000))):
            assert one.request("PUT", f"/v2/{REPOSITORY}/manifests/{tag}", body)["statusCode"] == 201
        yield one


LATEST = Digest.of(image(SMALL, LARGE))


@pytest.mark.parametrize(
    ("method", "path", "calls"),
    [
        ("GET", "manifests/latest", [GET, GET]),
        ("HEAD", "manifests/latest", [GET]),
        ("GET", f"manifests/{LATEST}", [GET]),
        ("HEAD", f"manifests/{LATEST}", [GET]),
        ("HEAD", "manifests/large", [GET]),
        ("GET", "manifests/large", [GET, GET, "s3.GetObject"]),
        ("GET", f"blobs/{Digest.of(SMALL)}", [GET]),
        ("HEAD", f"blobs/{Digest.of(SMALL)}", [GET]),
        ("HEAD", f"blobs/{Digest.of(LARGE)}", [GET]),
        ("GET", "tags/list", [QUERY]),
        ("GET", "tags/list?n=1&last=large", [QUERY]),
        ("GET", f"referrers/{Digest.of(b'subject 0')}", [QUERY]),
        ("GET", f"referrers/{Digest.of(b'subject 40000')}", [QUERY, "s3.GetObject"]),  # too large for the list's item
        ("GET", f"referrers/{Digest.of(b'nobody')}", [QUERY]),
    ],
)
def test_a_read_costs_one_read_of_the_table_and_by_tag_two(
    function: Function, method: str, path: str, calls: list[str]
) -> None:
    assert function.cost(method, f"/v2/{REPOSITORY}/{path}", status=200) == calls


def test_a_redirect_to_s3_costs_one_read(function: Function) -> None:
    assert function.cost("GET", f"/v2/{REPOSITORY}/blobs/{Digest.of(LARGE)}", status=307) == [GET]


def test_the_catalog_is_one_query(function: Function) -> None:
    assert function.cost("GET", "/v2/_catalog", status=200) == [QUERY]


def test_v2_makes_no_call(function: Function) -> None:
    assert function.cost("GET", "/v2/", status=200) == []


def test_a_refused_request_makes_no_call(function: Function) -> None:
    assert function.cost("GET", "/v2/cargo/tea/manifests/latest", status=401) == []
    assert function.cost("GET", f"/v2/{REPOSITORY}/blobs/sha256:x", status=400) == []
    assert function.cost("PUT", f"/v2/{REPOSITORY}/manifests/latest", b"{", status=400) == []


def test_a_blob_that_is_not_there_is_looked_for_in_the_bucket(function: Function) -> None:
    absent = Digest.of(b"absent")
    assert function.cost("HEAD", f"/v2/{REPOSITORY}/blobs/{absent}", status=404) == [GET, "s3.ListObjectsV2", GET]


def test_a_manifest_that_is_not_there_is_one_read(function: Function) -> None:
    assert function.cost("GET", f"/v2/{REPOSITORY}/manifests/absent", status=404) == [GET]


def test_starting_an_upload_makes_no_call(function: Function) -> None:
    assert function.cost("POST", f"/v2/{REPOSITORY}/blobs/uploads/", status=202) == []


def test_closing_a_whole_blob_costs_four_calls(function: Function) -> None:
    data = b"whole"
    put = function.cost("PUT", closing(function.start(), Digest.of(data)), data, status=201)
    assert put == [GET, "s3.PutObject", BATCH_GET, TRANSACT]


def test_a_small_chunked_blob_costs_a_read_and_a_write_per_chunk(function: Function) -> None:
    location = function.start()
    assert function.cost("PATCH", location, b"one", status=202) == [GET, TRANSACT]
    assert function.cost("PATCH", location, b"two", status=202) == [GET, PUT]
    assert function.cost("GET", location, status=204) == [GET]
    put = function.cost("PUT", closing(location, Digest.of(b"onetwo")), status=201)
    assert put == [GET, "s3.PutObject", BATCH_GET, TRANSACT]


def test_a_blob_of_one_parked_chunk_is_not_written_again(function: Function) -> None:
    location = function.start()
    assert function.cost("PATCH", location, CHUNK, status=202) == [GET, "s3.PutObject", TRANSACT]
    put = function.cost("PUT", closing(location, Digest.of(CHUNK)), status=201)
    assert put == [GET, PUT, BATCH_GET, TRANSACT]


def test_a_multipart_blob_costs_one_upload_per_part(function: Function) -> None:
    location = function.start()
    patch = function.cost("PATCH", location, PART, status=202)
    assert patch == [GET, "s3.CreateMultipartUpload", "s3.UploadPart", TRANSACT]
    assert function.cost("PATCH", location, PART, status=202) == [GET, "s3.UploadPart", TRANSACT]
    put = function.cost("PUT", closing(location, Digest.of(PART + PART)), status=201)
    assert put == [GET, PUT, QUERY, "s3.CompleteMultipartUpload", BATCH_GET, TRANSACT]


def test_cancelling_an_upload_costs_a_read_and_a_write(function: Function) -> None:
    assert function.cost("DELETE", function.start(), status=204) == [GET, TRANSACT]


def test_a_mount_costs_a_read_and_a_transaction(function: Function) -> None:
    target = f"/v2/{OTHER}/blobs/uploads/?mount={Digest.of(LARGE)}&from={REPOSITORY}"
    assert function.cost("POST", target, status=201) == [BATCH_GET, TRANSACT]


def test_pushing_an_image_costs_five_calls_and_again_two(function: Function) -> None:
    layers = [b"layer %d" % number for number in range(10)]
    for data in layers:
        function.push_blob(data)
    body, target = image(*layers), f"/v2/{REPOSITORY}/manifests/ten"
    assert function.cost("PUT", target, body, status=201) == [
        BATCH_GET,
        BATCH_WRITE,
        "s3.PutObject",
        BATCH_GET,
        TRANSACT,
    ]
    assert function.cost("PUT", target, body, status=201) == [BATCH_GET, TRANSACT]


def test_deletions_cost_the_documented_calls(function: Function) -> None:
    blob = function.push_blob(b"to be deleted")
    body = image(b"to be deleted")
    for tag in ("one", "two"):
        function.request("PUT", f"/v2/{REPOSITORY}/manifests/{tag}", body)
    assert function.cost("DELETE", f"/v2/{REPOSITORY}/manifests/one", status=202) == [
        GET,  # how long it can be restored
        BATCH_GET,
        TRANSACT,
    ]
    assert function.cost("DELETE", f"/v2/{REPOSITORY}/manifests/{Digest.of(body)}", status=202) == [
        GET,
        UPDATE,
        QUERY,  # what needs it
        QUERY,  # its tags
        BATCH_GET,  # the rules that may keep them
        TRANSACT,  # which go with it, to the trash
    ]
    delete = function.cost("DELETE", f"/v2/{REPOSITORY}/blobs/{blob}", status=202)
    assert delete == [
        UPDATE,
        QUERY,
        BATCH_GET,  # the manifest that needs it
        BATCH_GET,  # which is in the trash: that is no obstacle
        QUERY,
        "s3.ListObjectsV2",
        TRANSACT,
    ]
