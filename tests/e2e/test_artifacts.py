"""Artifacts, and what refers to an image."""

from __future__ import annotations

from typing import Any

from tests.e2e.api import OCI_MANIFEST, Api, digest_of
from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud
from tests.e2e.images import Image
from tests.e2e.people import People

EMPTY = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}


def artifact(api: Api, repository: str, kind: str, content: bytes, subject: dict[str, Any]) -> dict[str, Any]:
    """Push an artifact's blobs; return its manifest."""
    api.push_blob(repository, b"{}")
    digest = api.push_blob(repository, content)
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": kind,
        "config": EMPTY,
        "layers": [{"mediaType": "application/octet-stream", "digest": digest, "size": len(content)}],
        "subject": subject,
        "annotations": {"org.example.about": content.decode()},
    }


def test_an_artifact_is_listed_as_a_referrer_of_a_pushed_image(
    client: Client, cloud: Cloud, people: People, project: str, image: Image
) -> None:
    repository, reference = f"{project}/app", f"{cloud.host}/{project}/app:1"
    client.login(people.developer.name, people.developer.password).succeeded()
    client.load(image, reference)
    client.push(reference).succeeded()
    api = people.developer.api(cloud)
    pushed = api.manifest(repository, "1").expect(200)
    digest = digest_of(pushed.body)
    subject = {"mediaType": pushed.headers["content-type"], "digest": digest, "size": len(pushed.body)}
    assert api.referrers(repository, digest) == []

    for kind in ("application/vnd.example.sbom", "application/vnd.example.signature"):
        manifest = artifact(api, repository, kind, f"for {kind}".encode(), subject)
        answer = api.push_manifest(repository, kind.rpartition(".")[2], manifest)
        assert answer.headers["oci-subject"] == digest

    listed = api.referrers(repository, digest)
    assert {one["artifactType"] for one in listed} == {
        "application/vnd.example.sbom",
        "application/vnd.example.signature",
    }
    for one in listed:
        assert one["annotations"] == {"org.example.about": f"for {one['artifactType']}"}
        assert one["size"] == len(api.manifest(repository, one["digest"]).expect(200).body)
