"""Adoption: an object that somebody's direct upload left in the bucket becomes a blob when it is first asked for."""

from __future__ import annotations

import pytest

from roadstead.content.objects import whole_key
from roadstead.content.uploads.provenance import object_metadata
from roadstead.digest import Digest
from roadstead.names import RepositoryName
from roadstead.trail.entries import Actor
from tests.api.backends import on_both_backends
from tests.api.client import Api, Client
from tests.api.documents import CONFIG, OCI_MANIFEST, dump, image, of, push_image

REPOSITORY = "acme/app"
DATA = b"sent by the edge, whole"
UPLOAD = "0123456789abcdef" * 2


def uploaded(
    api: Api, data: bytes = DATA, *, repository: str = REPOSITORY, claimed: Digest | None = None, upload: str = UPLOAD
) -> Digest:
    """An object as a direct upload leaves it, stored with the checksum of its bytes, under the digest it claims."""
    name = RepositoryName(repository)
    claimed = claimed or Digest.of(data)
    key = whole_key(name, claimed, upload)
    api.objects.put(
        key, data, digest=Digest.of(data, claimed.algorithm), metadata=object_metadata(name, Actor("developer"))
    )
    return claimed


@on_both_backends
@pytest.mark.parametrize("method", ["HEAD", "GET"])
@pytest.mark.parametrize("data", [b"", DATA, DATA * 1000])
def test_an_object_is_adopted_on_first_request(api: Api, developer: Client, method: str, data: bytes) -> None:
    digest = uploaded(api, data)
    expected = 307 if method == "GET" and len(data) > 16_384 else 200
    developer.blob(REPOSITORY, digest, method=method).expect(expected)
    head = developer.blob(REPOSITORY, digest, method="HEAD").expect(200)
    assert head.header("content-length") == str(len(data))


@on_both_backends
def test_an_object_is_adopted_by_a_manifest_that_names_it(api: Api, developer: Client) -> None:
    config, layer = b"{}", DATA
    uploaded(api, config, upload="a" * 32)
    uploaded(api, layer)
    body = dump(image(of(config, CONFIG), [of(layer)]))
    developer.put_manifest(REPOSITORY, "v1", body, OCI_MANIFEST).expect(201)
    assert developer.blob(REPOSITORY, Digest.of(layer)).expect(200).body == layer


@on_both_backends
def test_an_object_is_adopted_by_a_mount_from_its_repository(api: Api, developer: Client) -> None:
    digest = uploaded(api)
    scope = f"repository:acme/other:pull,push repository:{REPOSITORY}:pull"
    target = f"/v2/acme/other/blobs/uploads/?mount={digest}&from={REPOSITORY}"
    developer.request("POST", target, scope=scope).expect(201)


@on_both_backends
def test_an_object_whose_checksum_is_not_its_digest_is_never_adopted(api: Api, developer: Client) -> None:
    digest = uploaded(api, b"other bytes", claimed=Digest.of(DATA))
    developer.blob(REPOSITORY, digest, method="HEAD").expect(404)
    developer.put_manifest(REPOSITORY, "v1", dump(image(of(DATA, CONFIG))), OCI_MANIFEST).expect(404)


def test_an_anonymous_head_does_not_list_objects(api: Api, nobody: Client) -> None:
    digest = uploaded(api, repository="open/app")
    nobody.blob("open/app", digest, method="HEAD").expect(404)
    api.user("guest").blob("open/app", digest, method="HEAD").expect(200)
    nobody.blob("open/app", digest, method="HEAD").expect(200)


def test_an_object_belongs_to_the_repository_that_it_was_sent_to(api: Api, developer: Client) -> None:
    digest = uploaded(api)
    developer.blob("acme/other", digest, method="HEAD").expect(404)


@on_both_backends
def test_a_deleted_blob_does_not_return_through_its_object(api: Api, developer: Client, maintainer: Client) -> None:
    digest = uploaded(api)
    developer.blob(REPOSITORY, digest, method="HEAD").expect(200)
    maintainer.blob(REPOSITORY, digest, method="DELETE").expect(202)
    for method in ("HEAD", "GET"):
        developer.blob(REPOSITORY, digest, method=method).expect(404)
    uploaded(api, upload="f" * 32)
    developer.blob(REPOSITORY, digest, method="HEAD").expect(200)


@on_both_backends
def test_an_object_of_an_existing_blob_is_deleted(api: Api, developer: Client) -> None:
    push_image(developer, "acme/first", layers=[DATA])
    digest = uploaded(api)
    assert developer.blob(REPOSITORY, digest).expect(200).body == DATA
    assert api.objects.find(whole_key(RepositoryName(REPOSITORY), digest, UPLOAD)) is None
