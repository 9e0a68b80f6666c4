"""Additions of models and SBOMs."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import Any

import pytest

from roadstead.catalog.extraction import HARBOR_SBOM, MAX_TEXT
from roadstead.catalog.models import MAX_DEPTH, MODEL_CONFIG, RAW, TAR, TAR_GZIP, files_of
from roadstead.digest import Digest
from roadstead.http import Request
from roadstead.names import RepositoryName
from tests.manifests import CONFIG, EMPTY, LAYER, dump, image, image_of, of
from tests.unit.functions.management.client import Browser, Desk, basic

GALLEON = "ships/galleon"
ARTIFACTS = "/api/v2.0/projects/ships/repositories/galleon/artifacts"
PATH = "org.cncf.model.filepath"
SPDX = "application/spdx+json"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def upload(desk: Desk, *blobs: bytes) -> None:
    for data in blobs:
        desk.content.upload(data, RepositoryName(GALLEON))


def tarred(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def layer(data: bytes, media_type: str, path: str) -> dict[str, Any]:
    return of(data, media_type, annotations={PATH: path})


def addition(desk: Desk, reference: str, name: str, who: str = "bob") -> tuple[int, Any, str]:
    """Status, the body (parsed where it is JSON), and its type."""
    path = f"{ARTIFACTS}/{reference}/additions/{name}"
    status, document, headers = Browser(desk).ask("GET", path, None, basic(who))
    return status, document, headers.get("content-type", "")


def text(desk: Desk, reference: str, name: str) -> str:
    headers = tuple((key.lower(), value) for key, value in basic("bob").items())
    request = Request("GET", f"{ARTIFACTS}/{reference}/additions/{name}", (), headers, b"", host="registry.example")
    return desk.ask(request).body.decode()


def push_model(desk: Desk, *layers: tuple[bytes, str, str]) -> Digest:
    upload(desk, b"{}", *(data for data, _, _ in layers))
    document = image(of(b"{}", MODEL_CONFIG), [layer(*one) for one in layers])
    digest = desk.push_body(GALLEON, dump(document), "model")
    desk.settle()
    return digest


def test_a_model_has_its_readme_its_license_and_its_files(desk: Desk) -> None:
    weights = "application/vnd.cncf.model.weight.v1.raw"
    push_model(
        desk,
        (b"weights", weights, "weights/model.safetensors"),
        (tarred("README.md", b"# Read me"), TAR, "README.md"),
        (b"Apache-2.0", RAW, "LICENSE"),
    )
    assert text(desk, "model", "readme.md") == "# Read me"
    assert text(desk, "model", "license") == "Apache-2.0"
    assert addition(desk, "model", "README.MD")[2] == "text/markdown; charset=utf-8"
    status, files, _ = addition(desk, "model", "files")
    assert status == 200
    assert [(one["name"], one["type"]) for one in files] == [
        ("weights", "directory"),
        ("LICENSE", "file"),
        ("README.md", "file"),
    ]
    assert files[0]["children"] == [{"name": "model.safetensors", "type": "file", "size": 7}]
    shown = Browser(desk).ask("GET", f"{ARTIFACTS}/model", None, basic("bob"))[1]
    assert (shown["type"], sorted(shown["addition_links"])) == ("CNAI", ["files", "license", "readme.md"])


def test_a_compressed_readme_is_unpacked(desk: Desk) -> None:
    push_model(desk, (gzip.compress(tarred("README", b"compressed")), TAR_GZIP, "README"))
    assert text(desk, "model", "readme.md") == "compressed"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"not an archive", TAR),
        (b"x" * (MAX_TEXT + 1), RAW),
        (tarred("README.md", b"x" * (MAX_TEXT + 1)), TAR),
        (b"# Read me", LAYER),
    ],
    ids=["no archive", "too large", "too large in an archive", "another type"],
)
def test_what_cannot_be_read_is_not_there(desk: Desk, data: bytes, media_type: str) -> None:
    push_model(desk, (data, media_type, "README.md"))
    assert addition(desk, "model", "readme.md")[0] == 404
    assert addition(desk, "model", "files")[0] == 200
    assert addition(desk, "model", "sbom")[0] == 400
    assert addition(desk, "model", "values.yaml")[0] == 400


def test_paths_of_a_model_are_a_tree_whatever_they_say() -> None:
    def files(*paths: str) -> list[dict[str, Any]]:
        return files_of({"layers": [of(b"x", annotations={PATH: path}) for path in paths]})

    assert files("a/b", "a", "../../etc/passwd", "a//c/") == [
        {
            "name": "a",
            "type": "directory",
            "children": [{"name": "c", "type": "directory", "children": []}, {"name": "b", "type": "file", "size": 1}],
        },
        {"name": "etc", "type": "directory", "children": [{"name": "passwd", "type": "file", "size": 1}]},
    ]
    assert files("a", "a/b") == [{"name": "a", "type": "file", "size": 1}]
    assert files("d/" * MAX_DEPTH + "f") == []
    assert files_of({"layers": [{"annotations": {PATH: 7}}, 5, of(b"x")]}) == []
    assert files_of({}) == []


def push_sbom(desk: Desk, subject: bytes, data: bytes, *, config_type: str = EMPTY, media_type: str = SPDX) -> Digest:
    upload(desk, b"{}", data)
    about = of(subject, "application/vnd.oci.image.manifest.v1+json")
    document = image(of(b"{}", config_type), [of(data, media_type)], subject=about)
    if config_type == EMPTY:
        document["artifactType"] = media_type
    digest = desk.push_body(GALLEON, dump(document))
    desk.settle()
    return digest


@pytest.mark.parametrize(
    ("config_type", "media_type", "expected"),
    [(EMPTY, SPDX, SPDX), (HARBOR_SBOM, "application/json", HARBOR_SBOM)],
    ids=["of a client", "of Harbor"],
)
def test_an_image_has_the_sbom_that_belongs_to_it(desk: Desk, config_type: str, media_type: str, expected: str) -> None:
    digest = desk.push_image(GALLEON, "v1")
    subject = image_of(b"layer")
    assert Digest.of(subject) == digest
    assert addition(desk, "v1", "sbom")[0] == 404
    bill = json.dumps({"spdxVersion": "SPDX-2.3"}).encode()
    sbom = push_sbom(desk, subject, bill, config_type=config_type, media_type=media_type)
    for reference in ("v1", sbom):
        assert text(desk, reference, "sbom") == bill.decode()
        assert addition(desk, reference, "sbom")[2] == expected
    shown = Browser(desk).ask("GET", f"{ARTIFACTS}/v1", None, basic("bob"))[1]
    assert shown["addition_links"]["sbom"]["href"] == f"{ARTIFACTS}/{sbom}/additions/sbom"
    assert addition(desk, "v1", "sbom", "eve")[0] == 403


def test_the_last_pushed_sbom_counts(desk: Desk) -> None:
    desk.push_image(GALLEON, "v1")
    push_sbom(desk, image_of(b"layer"), b'{"n": 1}')
    push_sbom(desk, image_of(b"layer"), b'{"n": 2}')
    assert text(desk, "v1", "sbom") == '{"n": 2}'


def test_an_sbom_of_cosign_is_found_by_its_tag(desk: Desk) -> None:
    digest = desk.push_image(GALLEON, "v1")
    upload(desk, b"{}", b"SPDXVersion: SPDX-2.3")
    document = image(of(b"{}", CONFIG), [of(b"SPDXVersion: SPDX-2.3", "text/spdx")])
    desk.push_body(GALLEON, dump(document), f"sha256-{digest.hex}.sbom")
    desk.settle()
    assert text(desk, "v1", "sbom") == "SPDXVersion: SPDX-2.3"
    assert addition(desk, "v1", "sbom")[2] == "text/plain; charset=utf-8"
