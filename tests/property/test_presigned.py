"""URLs that we sign ourselves are botocore's, byte for byte."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from unittest import mock

import botocore.auth
import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadstead.aws import clients
from roadstead.aws.clients import Deferred
from roadstead.aws.content.presigned import Place, Presigner, place_of
from roadstead.aws.content.s3 import S3Objects
from roadstead.digest import Digest

BUCKET = "roadstead-111122223333-eu-central-1"
ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
DIGEST = Digest.of(b"x")
SESSION = botocore.session.Session()
REGIONS = sorted(
    {region for name in SESSION.get_available_partitions() for region in SESSION.get_available_regions("s3", name)}
)


def environment(region: str, token: str = "", **more: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": region}
    return {**keys, **({"AWS_SESSION_TOKEN": token} if token else {}), **more}


def both(
    environ: Mapping[str, str], key: str, method: str = "GET", at: int = 1_795_521_600, bucket: str = BUCKET
) -> tuple[str, str]:
    """Our URL and botocore's, by the same environment at the same time."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    with mock.patch.dict(os.environ, environ, clear=True):
        clients.session.cache_clear()
        try:
            place = place_of(bucket)
            assert place is not None
            ours = Presigner(place, seconds=900, clock=lambda: at).url(method, key)
            with mock.patch.object(botocore.auth, "get_current_datetime", return_value=moment):
                theirs = S3Objects(clients.client("s3"), bucket).presign(key, digest=DIGEST, method=method)
        finally:
            clients.session.cache_clear()
    return ours, theirs


@pytest.mark.parametrize("region", [one for one in REGIONS if "-iso" not in one])
def test_in_every_region_the_url_is_botocores(region: str) -> None:
    ours, theirs = both(environment(region, "a token/with+signs=="), "blobs/sha256/ab/cd")
    assert ours == theirs


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("token", ["", "IQoJb3JpZ2luX2VjEJ7//////////wEaCXVz+LWVhc3QtMQ=="])
def test_with_and_without_a_session_the_url_is_botocores(method: str, token: str) -> None:
    ours, theirs = both(environment("eu-central-1", token), "blobs/sha256/ab/cd", method)
    assert ours == theirs


def test_of_a_machines_own_s3_the_url_is_botocores() -> None:
    own = {"AWS_ENDPOINT_URL": "http://localhost:9000", "ROADSTEAD_S3_ADDRESSING": "path"}
    ours, theirs = both(environment("us-east-1", **own), "blobs/sha256/ab/cd")
    assert ours == theirs
    assert ours.startswith(f"http://localhost:9000/{BUCKET}/blobs/")


keys = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1, max_size=40
)


@settings(max_examples=40, deadline=None)
@given(
    key=keys.filter(lambda key: not key.startswith("/") and "//" not in key and not set(key.split("/")) & {".", ".."}),
    at=st.integers(1_600_000_000, 2_500_000_000),
)
def test_for_any_key_and_time_the_url_is_botocores(key: str, at: int) -> None:
    ours, theirs = both(environment("eu-central-1", "token"), key, at=at)
    assert ours == theirs


@pytest.mark.parametrize(
    ("bucket", "environ"),
    [
        ("a.bucket.with.dots", environment("eu-central-1")),
        ("Capitals", environment("eu-central-1")),
        (BUCKET, environment("us-iso-east-1")),
        (BUCKET, environment("xx-new-1")),
        (BUCKET, environment("")),
        (BUCKET, environment("eu-central-1", AWS_USE_FIPS_ENDPOINT="true")),
        (BUCKET, environment("eu-central-1", AWS_USE_DUALSTACK_ENDPOINT="true")),
        (BUCKET, environment("eu-central-1", AWS_ENDPOINT_URL="http://localhost:9000")),
        (BUCKET, environment("eu-central-1", AWS_ENDPOINT_URL_S3="http://a/b", ROADSTEAD_S3_ADDRESSING="path")),
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_botocore(bucket: str, environ: dict[str, str]) -> None:
    assert place_of(bucket, environ) is None


def test_a_key_is_derived_once_a_day() -> None:
    now = [1_795_521_600.0]
    with mock.patch.dict(os.environ, environment("eu-central-1"), clear=True):
        clients.session.cache_clear()
        signer = Presigner(Place("https://b.s3.amazonaws.com", "/", "eu-central-1"), seconds=60, clock=lambda: now[0])
        first = signer.url("GET", "k")
        assert signer.url("GET", "k") == first
        now[0] += 86_400
        assert signer.url("GET", "k").partition("Signature=")[2] != first.partition("Signature=")[2]
        clients.session.cache_clear()


def test_a_url_needs_no_client() -> None:
    def never() -> None:
        raise AssertionError("a client was made")

    with mock.patch.dict(os.environ, environment("eu-central-1"), clear=True):
        clients.session.cache_clear()
        url = S3Objects(Deferred(never), BUCKET).presign("blobs/x", digest=DIGEST)
        clients.session.cache_clear()
    assert url.startswith(f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/blobs/x?X-Amz-Algorithm=")
