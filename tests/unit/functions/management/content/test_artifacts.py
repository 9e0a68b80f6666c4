"""Artifacts: lists, one artifact, its tags, accessories and additions."""

from __future__ import annotations

import io
import json
import re
import tarfile
from typing import Any

import pytest

from functions.management.handlers.content import artifact_changes
from roadstead.catalog import artifacts as artifacts_module
from roadstead.catalog.extraction import HELM_CHART, HELM_CONFIG
from roadstead.content import copying
from roadstead.content.manifest_document import OCI_INDEX, OCI_MANIFEST
from roadstead.digest import Digest
from roadstead.identity.directory import Role
from roadstead.names import RepositoryName
from tests.manifests import CONFIG, LAYER, dump, image, image_of, index, of
from tests.unit.functions.management.client import Browser, Desk, basic

SHIPS = "/api/v2.0/projects/ships"
ARTIFACTS = f"{SHIPS}/repositories/galleon/artifacts"
GALLEON = "ships/galleon"
NEVER = "0001-01-01T00:00:00.000Z"
LINUX = json.dumps({"os": "linux", "architecture": "amd64", "history": [{"created_by": "COPY"}], "config": {"Env": []}})


@pytest.fixture
def browser() -> Browser:
    return Browser(Desk())


def ask(browser: Browser, path: str, who: str = "bob") -> tuple[int, Any, dict[str, str]]:
    return browser.ask("GET", path, None, basic(who) if who else {})


def shown(browser: Browser, query: str = "") -> list[str]:
    """The digests of a list."""
    status, documents, headers = ask(browser, f"{ARTIFACTS}{query}")
    assert status == 200, documents
    assert headers["x-total-count"] == str(len(documents)) or "page" in query
    return [one["digest"] for one in documents]


def walk(browser: Browser, path: str) -> tuple[list[str], list[str]]:
    """Follow `Link` from page to page; return the digests and the paths."""
    digests: list[str] = []
    paths = []
    while path:
        paths.append(path)
        status, rows, headers = ask(browser, path)
        assert status == 200
        digests += [row["digest"] for row in rows]
        found = re.search(r'<([^>]+)>; rel="next"', headers.get("link", ""))
        path = found[1] if found else ""
    return digests, paths


def push_index(browser: Browser) -> tuple[Digest, list[Digest]]:
    """An index of two images, of which the second has a tag of its own."""
    desk = browser.desk
    bodies = [image_of(layer, config=b"{}") for layer in (b"one", b"two")]
    children = [desk.push_image(GALLEON, *tags, layer=layer) for layer, tags in ((b"one", ()), (b"two", ("two",)))]
    platform = {"os": "linux", "architecture": "arm64", "variant": "v8", "os.version": "6.1"}
    described = [of(bodies[0], OCI_MANIFEST, platform=platform), of(bodies[1], OCI_MANIFEST, annotations={"a": "b"})]
    whole = desk.push_body(GALLEON, dump(index(described)), "whole")
    desk.settle()
    return whole, children


def sign(browser: Browser, subject: bytes, artifact_type: str, data: bytes = b"signature") -> Digest:
    desk = browser.desk
    for blob in (b"{}", data):
        desk.content.upload(blob, RepositoryName(GALLEON))
    body = image(of(b"{}", CONFIG), [of(data)], artifactType=artifact_type, subject=of(subject, OCI_MANIFEST))
    return desk.push_body(GALLEON, dump(body))


def test_artifacts_are_listed_by_push_with_what_harbor_shows_of_them(browser: Browser) -> None:
    digest = browser.desk.push_image(GALLEON, "v1", "latest", config=LINUX.encode())
    browser.desk.settle()
    status, (document,), headers = ask(browser, ARTIFACTS)
    assert (status, headers["x-total-count"]) == (200, "1")
    assert document["digest"] == digest
    assert (document["type"], document["media_type"], document["manifest_media_type"]) == (
        "IMAGE",
        CONFIG,
        OCI_MANIFEST,
    )
    assert document["size"] == len(image_of(b"layer", config=LINUX.encode())) + len(LINUX) + len(b"layer")
    assert document["extra_attrs"] == {"os": "linux", "architecture": "amd64"}
    assert (document["push_time"], document["pull_time"]) == ("2027-01-15T08:00:01.000Z", NEVER)
    assert [tag["name"] for tag in document["tags"]] == ["latest", "v1"]
    assert document["tags"][0]["artifact_id"] == document["id"]
    link = document["addition_links"]["build_history"]
    assert ask(browser, link["href"])[1] == [{"created_by": "COPY"}]
    # What Harbor's ToSwagger always sets.
    assert document.keys() >= {
        *("id", "project_id", "repository_id", "repository_name", "artifact_type", "references", "labels"),
        *("accessories", "tags"),
    }


def test_every_page_by_push_leads_to_the_next_by_a_cursor_and_has_the_whole_total(browser: Browser) -> None:
    digests = [browser.desk.push_image(GALLEON, f"v{number}", layer=b"%d" % number) for number in range(5)]
    browser.desk.settle()
    found, paths = walk(browser, f"{ARTIFACTS}?page_size=2")
    assert found == digests[::-1]
    assert all("after=" in path for path in paths[1:])
    assert walk(browser, f"{ARTIFACTS}?page_size=2&sort=push_time")[0] == digests
    assert shown(browser, "?page_size=2&page=2") == [digests[2], digests[1]]  # without the cursor
    assert shown(browser, "?page_size=2&page=9") == []
    assert ask(browser, f"{ARTIFACTS}?page_size=2&page=3")[2]["x-total-count"] == "5"


def test_children_of_an_index_are_listed_only_with_a_tag_or_by_base(browser: Browser) -> None:
    whole, (first, second) = push_index(browser)
    assert shown(browser) == [whole, second]
    assert shown(browser, "?q=base%3D*") == [whole, second, first]
    assert shown(browser, f"?q=base%3D*,digest%3D{first}") == [first]
    assert shown(browser, f"?q=digest%3D{first}") == []
    assert ask(browser, f"{ARTIFACTS}?q=base%3Dx")[0] == 400


def test_an_index_says_what_its_children_are(browser: Browser) -> None:
    whole, children = push_index(browser)
    listed = next(one for one in ask(browser, ARTIFACTS)[1] if one["digest"] == whole)
    assert [one["child_digest"] for one in listed["references"]] == children
    assert listed["references"][0]["platform"] == {"os": "linux", "architecture": "arm64", "variant": "v8"}
    document = ask(browser, f"{ARTIFACTS}/whole")[1]
    assert (document["type"], document["media_type"]) == ("IMAGE", OCI_INDEX)
    first, second = document["references"]
    assert first["platform"]["'os.version'"] == "6.1"
    assert (second["annotations"], second["parent_id"]) == ({"a": "b"}, document["id"])


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("tags=nil", ["b"]),
        ("tags=*", ["c", "a"]),
        ("tags=v1", ["a"]),
        ("tags=~V", ["c", "a"]),
        ("tags={v1 v2}", ["c", "a"]),
        ("tags=v9", []),
        ("type=IMAGE", ["c", "b", "a"]),
        ("type=CHART", []),
        ("media_type=~image.config", ["c", "b", "a"]),
        ("push_time=[2027-01-15T08:00:02~]", ["c", "b"]),
        ("pull_time=[~2020-01-01T00:00:00]", ["c", "b", "a"]),
        ("nonsense=1", ["c", "b", "a"]),
        ("tags=*,type=CHART", []),
    ],
)
def test_a_filter_chooses_among_all_artifacts(browser: Browser, q: str, expected: list[str]) -> None:
    digests = {}
    for name, tags in (("a", ("v1",)), ("b", ()), ("c", ("v2",))):
        digests[name] = browser.desk.push_image(GALLEON, *tags, layer=name.encode())
    browser.desk.settle()
    names = {digest: name for name, digest in digests.items()}
    assert [names[Digest(one)] for one in shown(browser, f"?q={q.replace('=', '%3D')}")] == expected


def test_artifacts_are_sorted_by_size_over_all_pages(browser: Browser) -> None:
    big = browser.desk.push_image(GALLEON, "big", layer=b"x" * 1_000)
    small = browser.desk.push_image(GALLEON, "small")
    browser.desk.settle()
    assert shown(browser, "?sort=-size&page_size=1&page=1") == [big]
    assert shown(browser, "?sort=size&page_size=1&page=1") == [small]


def test_a_filter_over_too_many_artifacts_is_refused_and_a_whole_tag_is_not(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts_module, "MAX_EXAMINED", 2)
    digests = [browser.desk.push_image(GALLEON, f"v{number}", layer=b"%d" % number) for number in range(4)]
    browser.desk.settle()
    for query in ("q=tags%3D~v", "q=tags%3Dnil", "q=type%3DIMAGE", "q=base%3D*", "sort=size", "page=5&page_size=1"):
        status, document, _ = ask(browser, f"{ARTIFACTS}?{query}")
        assert (status, document["errors"][0]["code"]) == (400, "BAD_REQUEST"), query
    assert shown(browser, "?q=tags%3Dv1") == [digests[1]]
    assert walk(browser, f"{ARTIFACTS}?page_size=1")[0] == digests[::-1]
    assert ask(browser, f"{SHIPS}/artifacts?q=type%3DIMAGE")[0] == 400


def test_accessories_are_shown_with_their_subject_and_not_listed(browser: Browser) -> None:
    subject = image_of(b"layer")
    digest = browser.desk.push_image(GALLEON, "v1")
    types = {
        "application/vnd.cncf.notary.signature": "signature.notation",
        "application/vnd.dev.sigstore.bundle.v0.3+json": "signature.cosign",
        "application/vnd.goharbor.harbor.sbom.v1": "sbom.harbor",
        "application/spdx+json": "subject.accessory",
    }
    made = {sign(browser, subject, type_, data=type_.encode()): name for type_, name in types.items()}
    tagged = browser.desk.push_image(GALLEON, f"sha256-{digest.hex}.sig", layer=b"sig")
    made[tagged] = "signature.cosign"
    browser.desk.settle()
    assert shown(browser) == [digest]
    assert shown(browser, "?q=base%3D*") == [digest]
    status, documents, headers = ask(browser, f"{ARTIFACTS}/v1/accessories")
    assert (status, headers["x-total-count"]) == (200, "5")
    assert {Digest(one["digest"]): one["type"] for one in documents} == made
    assert {one["subject_artifact_digest"] for one in documents} == {digest}
    chosen = ask(browser, f"{ARTIFACTS}/v1/accessories?q=type%3Dsbom.harbor")[1]
    assert [one["type"] for one in chosen] == ["sbom.harbor"]
    for document in (ask(browser, f"{ARTIFACTS}/v1")[1], ask(browser, ARTIFACTS)[1][0]):
        assert len(document["accessories"]) == 5  # more than a summary keeps
    assert ask(browser, f"{ARTIFACTS}?with_accessory=false&with_tag=false")[1][0]["accessories"] == []
    assert ask(browser, f"{ARTIFACTS}?with_tag=false")[1][0]["tags"] == []
    assert ask(browser, f"{ARTIFACTS}?with_tag=perhaps")[0] == 400


def test_tags_of_an_artifact_are_listed_by_its_digest_or_by_a_tag(browser: Browser) -> None:
    digest = browser.desk.push_image(GALLEON, "v1", "v2", "latest")
    for reference in (digest, "v2"):
        status, documents, headers = ask(browser, f"{ARTIFACTS}/{reference}/tags")
        assert (status, headers["x-total-count"]) == (200, "3")
        assert [one["name"] for one in documents] == ["latest", "v1", "v2"]
        assert documents[0].keys() == {
            *("id", "repository_id", "artifact_id", "name", "push_time", "pull_time", "immutable")
        }
    found = ask(browser, f"{ARTIFACTS}/v1/tags?q=name%3D~v&sort=-name&page_size=1")
    assert ([one["name"] for one in found[1]], found[2]["x-total-count"]) == (["v2"], "2")


@pytest.mark.parametrize(
    "rest", ["", "/tags", "/accessories", "/additions/vulnerabilities", "/additions/build_history"]
)
@pytest.mark.parametrize("reference", ["absent", f"sha256:{'0' * 64}", "sha256:short", "-x"])
def test_what_is_not_there_is_not_found(browser: Browser, reference: str, rest: str) -> None:
    browser.desk.push_image(GALLEON, "v1")
    assert ask(browser, f"{ARTIFACTS}/{reference}{rest}")[0] == 404


def test_an_absent_repository_has_no_artifacts(browser: Browser) -> None:
    assert ask(browser, f"{SHIPS}/repositories/absent/artifacts")[0] == 404
    assert ask(browser, f"{SHIPS}/repositories/absent/artifacts?q=tags%3Dnil")[0] == 404


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("bob", 200), ("eve", 403), ("", 401)])
def test_a_private_projects_artifacts_are_for_its_members(browser: Browser, who: str, status: int) -> None:
    browser.desk.push_image(GALLEON, "v1")
    for path in (ARTIFACTS, f"{ARTIFACTS}/v1", f"{ARTIFACTS}/v1/tags", f"{ARTIFACTS}/v1/accessories"):
        assert ask(browser, path, who)[0] == status
    assert ask(browser, f"{SHIPS}/artifacts", who)[0] == status


def test_an_artifact_is_shown_before_the_indexer_has_come_to_it(browser: Browser) -> None:
    digest = browser.desk.push_image(GALLEON, "v1", config=LINUX.encode())
    document = ask(browser, f"{ARTIFACTS}/v1")[1]
    assert (document["digest"], document["type"]) == (digest, "IMAGE")
    assert "extra_attrs" not in document and "addition_links" not in document
    assert shown(browser, "?q=type%3DIMAGE") == [digest]


def test_one_artifact_has_its_configuration_and_all_annotations(browser: Browser) -> None:
    desk = browser.desk
    for blob in (LINUX.encode(), b"layer"):
        desk.content.upload(blob, RepositoryName(GALLEON))
    body = image(of(LINUX.encode(), CONFIG), [of(b"layer")], annotations={"team": "red"})
    desk.push_body(GALLEON, dump(body), "v1")
    desk.settle()
    document = ask(browser, f"{ARTIFACTS}/v1")[1]
    assert document["annotations"] == {"team": "red"}
    assert document["extra_attrs"] == {"os": "linux", "architecture": "amd64", "config": {"Env": []}}


def test_a_chart_has_its_readme_values_and_dependencies(browser: Browser) -> None:
    files = {"chart/README.md": b"# read me", "chart/values.yaml": b"a: 1"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    needs = [{"name": "db", "version": "1", "repository": "oci://x", "alias": "y"}, "hostile", {"name": 1}]
    config = json.dumps({"name": "chart", "version": "1.0.0", "dependencies": needs}).encode()
    for blob in (config, packed.getvalue()):
        browser.desk.content.upload(blob, RepositoryName(GALLEON))
    body = image(of(config, HELM_CONFIG), [of(packed.getvalue(), HELM_CHART)])
    browser.desk.push_body(GALLEON, dump(body), "1.0.0")
    browser.desk.settle()
    document = ask(browser, f"{ARTIFACTS}/1.0.0")[1]
    assert (document["type"], document["extra_attrs"]["version"]) == ("CHART", "1.0.0")
    links = document["addition_links"]
    assert set(links) == {"readme.md", "values.yaml", "dependencies"}
    assert ask(browser, links["dependencies"]["href"])[1] == [
        {"name": "db", "version": "1", "repository": "oci://x"},
        {"name": "", "version": "", "repository": ""},
    ]
    _, _, headers = ask(browser, links["readme.md"]["href"])
    assert headers["content-type"].startswith("text/markdown")
    assert ask(browser, f"{ARTIFACTS}/1.0.0/additions/build_history")[0] == 400


def test_additions_that_cannot_be_are_refused_and_there_are_no_vulnerabilities(browser: Browser) -> None:
    browser.desk.push_image(GALLEON, "v1")
    assert ask(browser, f"{ARTIFACTS}/v1/additions/vulnerabilities")[:2] == (200, {})
    assert ask(browser, f"{ARTIFACTS}/v1/additions/readme.md")[0] == 400
    assert ask(browser, f"{ARTIFACTS}/v1/additions/build_history")[0] == 404  # not extracted yet
    browser.desk.settle()
    assert ask(browser, f"{ARTIFACTS}/v1/additions/BUILD_HISTORY")[:2] == (200, [])


def test_a_projects_artifacts_are_listed_repository_by_repository(browser: Browser) -> None:
    made = []
    for repository in ("ships/a/b", GALLEON, "ships/zebec"):
        pair = [browser.desk.push_image(repository, f"v{number}", layer=b"%d" % number) for number in range(2)]
        made += [(repository, digest) for digest in reversed(pair)]
    browser.desk.push_image("open/boat", "v1")
    browser.desk.settle()

    def rows(query: str) -> list[tuple[str, str]]:
        status, documents, headers = ask(browser, f"{SHIPS}/artifacts{query}")
        assert (status, int(headers["x-total-count"]) >= len(documents)) == (200, True)
        return [(one["repository_name"], one["digest"]) for one in documents]

    assert rows("") == made
    for size in (1, 2, 3, 4):
        pages = [rows(f"?page_size={size}&page={page}") for page in range(1, 8)]
        assert [row for page in pages for row in page] == made
    assert rows("?latest_in_repository=true") == made[::2]
    assert rows("?q=repository_name%3D~galleon") == [one for one in made if one[0] == GALLEON]
    assert {one[0] for one in rows("?q=tags%3Dv1")} == {"ships/a/b", GALLEON, "ships/zebec"}
    assert len(rows("?sort=size&page_size=2")) == 2


def change(
    browser: Browser, method: str, path: str, document: Any = None, who: str = "ada"
) -> tuple[int, Any, dict[str, str]]:
    return browser.ask(method, path, document, basic(who))


def digests_in(browser: Browser, repository: str = GALLEON) -> set[str]:
    return set(browser.desk.index.repositories[repository].manifests)


def tags_in(browser: Browser, repository: str = GALLEON) -> dict[str, str]:
    return {tag: entry.digest for tag, entry in browser.desk.index.repositories[repository].tags.items()}


def test_an_artifact_gets_a_new_tag(browser: Browser) -> None:
    digest = browser.desk.push_image(GALLEON, "v1")
    status, _, headers = change(browser, "POST", f"{ARTIFACTS}/v1/tags", {"name": "v2", "id": 0, "immutable": False})
    assert (status, headers["location"]) == (201, f"{ARTIFACTS}/v1/tags/v2")
    assert tags_in(browser) == {"v1": digest, "v2": digest}
    assert (browser.desk.index.events[-1].operation, browser.desk.index.events[-1].actor.name) == ("tag", "ada")


@pytest.mark.parametrize(
    ("reference", "document", "status"),
    [
        ("v1", {"name": "other"}, 409),
        ("v1", {"name": "v1"}, 409),
        ("v1", {"name": "-x"}, 400),
        ("v1", {"name": 1}, 400),
        ("v1", {}, 400),
        ("absent", {"name": "x"}, 404),
    ],
)
def test_a_tag_that_cannot_be_made_changes_nothing(
    browser: Browser, reference: str, document: Any, status: int
) -> None:
    browser.desk.push_image(GALLEON, "v1")
    browser.desk.push_image(GALLEON, "other", layer=b"other")
    before, events = tags_in(browser), len(browser.desk.index.events)
    assert change(browser, "POST", f"{ARTIFACTS}/{reference}/tags", document)[0] == status
    assert (tags_in(browser), len(browser.desk.index.events)) == (before, events)


def test_a_tag_is_removed_from_the_artifact_that_has_it_and_from_no_other(browser: Browser) -> None:
    first = browser.desk.push_image(GALLEON, "v1", "v2")
    other = browser.desk.push_image(GALLEON, "other", layer=b"other")
    assert change(browser, "DELETE", f"{ARTIFACTS}/{other}/tags/v1")[0] == 404
    assert change(browser, "DELETE", f"{ARTIFACTS}/{first}/tags/{first}")[0] == 404
    assert change(browser, "DELETE", f"{ARTIFACTS}/{first}/tags/v1")[0] == 200
    assert change(browser, "DELETE", f"{ARTIFACTS}/{first}/tags/v1")[0] == 404
    assert tags_in(browser) == {"v2": first, "other": other}


def test_an_artifact_goes_with_its_accessories_and_the_children_that_are_there_for_it_alone(browser: Browser) -> None:
    desk = browser.desk
    whole, (first, second) = push_index(browser)
    third = desk.push_image(GALLEON, layer=b"three")
    other = desk.push_body(
        GALLEON, dump(index([of(image_of(b"three"), OCI_MANIFEST), of(image_of(b"one"), OCI_MANIFEST)])), "other"
    )
    body = dump(index([of(image_of(b"three"), OCI_MANIFEST)]))
    single = desk.push_body(GALLEON, body, "single")
    signature = sign(browser, body, "application/vnd.dev.sigstore.bundle.v0.3+json")
    nested = sign(browser, image_body_of(browser, signature), "application/vnd.cncf.notary.signature", b"nested")
    tagged = desk.push_image(GALLEON, f"sha256-{single.hex}.sig", layer=b"sig")
    assert {signature, nested, tagged} <= digests_in(browser)
    assert change(browser, "DELETE", f"{ARTIFACTS}/single")[0] == 200
    assert digests_in(browser) == {whole, first, second, third, other}  # `other` needs the third image
    assert change(browser, "DELETE", f"{ARTIFACTS}/other")[0] == 200
    assert digests_in(browser) == {whole, first, second}
    assert change(browser, "DELETE", f"{ARTIFACTS}/{whole}")[0] == 200
    assert tags_in(browser) == {"two": second}
    assert digests_in(browser) == {second}


def image_body_of(browser: Browser, digest: Digest) -> bytes:
    entry = browser.desk.index.find_manifest(RepositoryName(GALLEON), digest)
    assert entry is not None and entry.data is not None
    return entry.data


def test_an_artifact_that_an_index_needs_stays_with_its_accessories(browser: Browser) -> None:
    push_index(browser)
    signature = sign(browser, image_of(b"two"), "application/vnd.cncf.notary.signature")
    before = digests_in(browser)
    status, document, _ = change(browser, "DELETE", f"{ARTIFACTS}/two")
    assert (status, document["errors"][0]["code"]) == (412, "PRECONDITION")
    assert digests_in(browser) == before and signature in before


def test_a_deletion_that_died_is_completed_by_the_next_one(browser: Browser) -> None:
    digest = browser.desk.push_image(GALLEON, "v1")
    sign(browser, image_of(b"layer"), "application/vnd.cncf.notary.signature")
    browser.desk.content.manifests.delete(RepositoryName(GALLEON), digest, browser.desk.index.events[0].actor)
    assert change(browser, "DELETE", f"{ARTIFACTS}/{digest}")[0] == 200
    assert digests_in(browser) == set()
    assert change(browser, "DELETE", f"{ARTIFACTS}/{digest}")[0] == 404


def test_a_signature_of_two_artifacts_stays_while_one_of_them_does(browser: Browser) -> None:
    first = browser.desk.push_image(GALLEON, "v1")
    second = browser.desk.push_image(GALLEON, "v2", layer=b"two")
    signature = browser.desk.push_image(
        GALLEON, f"sha256-{first.hex}.sig", f"sha256-{second.hex}.sig", layer=b"signature"
    )
    assert change(browser, "DELETE", f"{ARTIFACTS}/v1")[0] == 200
    assert digests_in(browser) == {second, signature}
    assert change(browser, "DELETE", f"{ARTIFACTS}/v2")[0] == 200
    assert digests_in(browser) == set()


def test_an_artifact_is_copied_with_its_tags_children_and_accessories(browser: Browser) -> None:
    whole, children = push_index(browser)
    body = image_body_of(browser, whole)
    signature = sign(browser, body, "application/vnd.cncf.notary.signature")
    sbom = browser.desk.push_image(GALLEON, f"sha256-{whole.hex}.sbom", layer=b"sbom")
    path = "/api/v2.0/projects/open/repositories/boat/artifacts"
    for _ in range(2):  # idempotent
        status, _, headers = change(browser, "POST", f"{path}?from={GALLEON}:whole")
        assert (status, headers["location"]) == (201, f"{path}/whole")
        assert digests_in(browser, "open/boat") == {whole, *children, signature, sbom}
        assert tags_in(browser, "open/boat") == {"whole": whole, f"sha256-{whole.hex}.sbom": sbom}
    browser.desk.settle()
    shown = {one["digest"] for one in ask(browser, f"{path}/whole/accessories")[1]}
    assert shown == {signature, sbom}
    assert change(browser, "POST", f"{path}?from={GALLEON}@{children[1]}")[0] == 201
    assert tags_in(browser, "open/boat")["two"] == children[1]
    operations = [event.operation for event in browser.desk.index.events if event.repository == "open/boat"]
    assert "mount" in operations and "push" in operations


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("ships/galleon:absent", 404),
        ("ships/absent:v1", 404),
        ("absent/galleon:v1", 404),
        ("ships/galleon", 400),
        ("ships/galleon@sha256:short", 400),
        ("SHIPS/galleon:v1", 400),
        ("", 400),
    ],
)
def test_what_cannot_be_copied_is_refused(browser: Browser, source: str, status: int) -> None:
    browser.desk.push_image(GALLEON, "v1")
    path = "/api/v2.0/projects/open/repositories/boat/artifacts"
    assert change(browser, "POST", f"{path}?from={source}")[0] == status
    assert "open/boat" not in browser.desk.index.list_repositories(after="", limit=9)


def test_a_copy_needs_pull_where_it_comes_from(browser: Browser) -> None:
    browser.desk.push_image(GALLEON, "v1")
    browser.desk.accounts.set_member("open", "eve", Role.MAINTAINER)
    path = f"/api/v2.0/projects/open/repositories/boat/artifacts?from={GALLEON}:v1"
    assert change(browser, "POST", path, who="eve")[0] == 403
    browser.desk.accounts.set_member("ships", "eve", Role.GUEST)
    assert change(browser, "POST", path, who="eve")[0] == 201


BOAT = "/api/v2.0/projects/open/repositories/boat/artifacts"


def test_a_copy_of_too_much_is_refused(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    push_index(browser)
    monkeypatch.setattr(copying, "MAX_MANIFESTS", 2)
    assert change(browser, "POST", f"{BOAT}?from={GALLEON}:whole")[0] == 400
    assert tags_in(browser, "open/boat") == {}


def test_a_copy_into_what_a_rule_protects_is_refused_before_anything_is_copied(browser: Browser) -> None:
    push_index(browser)
    browser.desk.push_image("open/boat", "whole", layer=b"protected")
    before = digests_in(browser, "open/boat")
    rule = {
        "action": "immutable",
        "template": "immutable_template",
        "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
    }
    assert change(browser, "POST", "/api/v2.0/projects/open/immutabletagrules", rule)[0] == 201
    status, document, _ = change(browser, "POST", f"{BOAT}?from={GALLEON}:whole")
    assert status == 412 and "immutable" in document["errors"][0]["message"]
    assert digests_in(browser, "open/boat") == before


def test_a_copy_that_takes_longer_than_a_request_goes_on_as_an_execution(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, children = push_index(browser)
    monkeypatch.setattr(artifact_changes, "COPY_SECONDS", 0.0)
    status, _, headers = change(browser, "POST", f"{BOAT}?from={GALLEON}:whole")
    assert status == 202
    assert change(browser, "POST", f"{BOAT}?from={GALLEON}:whole")[2]["location"] == headers["location"]
    assert "open/boat" not in browser.desk.index.repositories
    browser.desk.run_executions()
    execution = ask(browser, headers["location"], "ada")[1]
    assert (execution["status"], execution["progress"]["manifests"]) == ("Success", 3)
    assert execution["progress"]["tags_set"] == 1
    assert digests_in(browser, "open/boat") == {whole, *children}
    (task,) = ask(browser, f"{headers['location']}/tasks", "ada")[1]
    assert task["name"] == f"ships/galleon@{whole} to open/boat"


def test_a_tag_that_was_set_since_a_copy_was_asked_for_stays(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = browser.desk.push_image(GALLEON, "v1", "v2")
    old = browser.desk.push_image("open/boat", "v2", layer=b"old")
    monkeypatch.setattr(artifact_changes, "COPY_SECONDS", 0.0)
    location = change(browser, "POST", f"{BOAT}?from={GALLEON}:v1")[2]["location"]
    newer = browser.desk.push_image("open/boat", "v1", layer=b"newer")
    assert tags_in(browser, "open/boat") == {"v1": newer, "v2": old}
    browser.desk.run_executions()
    assert tags_in(browser, "open/boat") == {"v1": newer, "v2": digest}
    assert ask(browser, location, "ada")[1]["progress"]["tags_kept"] == 1


def test_a_project_is_not_free_while_something_is_copied_into_it(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.desk.push_image(GALLEON, "v1")
    monkeypatch.setattr(artifact_changes, "COPY_SECONDS", 0.0)
    location = change(browser, "POST", f"{BOAT}?from={GALLEON}:v1")[2]["location"]
    assert change(browser, "DELETE", "/api/v2.0/projects/open")[0] == 200
    assert change(browser, "POST", "/api/v2.0/projects", {"project_name": "open"})[0] == 409
    browser.desk.run_executions()
    assert ask(browser, location, "ada")[1]["status"] == "Stopped"
    assert change(browser, "POST", "/api/v2.0/projects", {"project_name": "open"})[0] == 201
    assert "open/boat" not in browser.desk.index.repositories


@pytest.mark.parametrize(
    ("method", "rest", "allowed"),
    [
        ("DELETE", "/v1", {Role.ADMIN, Role.MAINTAINER}),
        ("POST", "/v1/tags", {Role.ADMIN, Role.MAINTAINER, Role.DEVELOPER}),
        ("DELETE", "/v1/tags/v1", {Role.ADMIN, Role.MAINTAINER}),
        ("POST", "?from=open/boat:v1", {Role.ADMIN, Role.MAINTAINER, Role.DEVELOPER}),
    ],
)
@pytest.mark.parametrize("role", list(Role))
def test_artifacts_are_changed_by_the_roles_that_may(
    browser: Browser, role: Role, method: str, rest: str, allowed: set[Role]
) -> None:
    browser.desk.push_image(GALLEON, "v1")
    browser.desk.push_image("open/boat", "v1")
    browser.desk.accounts.set_member("ships", "eve", role)
    status = change(browser, method, ARTIFACTS + rest, {"name": "new"}, who="eve")[0]
    assert (status in (200, 201)) == (role in allowed)
    assert status in (200, 201, 403)


def test_layers_have_sizes_and_what_the_history_says(browser: Browser) -> None:
    config = dump({"history": [{"created_by": "ENV A=1", "empty_layer": True}, {"created_by": "COPY . ."}]})
    digest = browser.desk.push_image(GALLEON, "v1", config=config)
    path = "/api/roadstead/v1/projects/ships/repositories/galleon/artifacts"
    layer = {"digest": Digest.of(b"layer"), "media_type": LAYER, "size": 5}
    assert ask(browser, f"{path}/v1/layers")[:2] == (200, [layer])
    browser.desk.settle()
    assert ask(browser, f"{path}/{digest}/layers")[:2] == (200, [{**layer, "created_by": "COPY . ."}])
    assert ask(browser, f"{path}/absent/layers")[0] == 404
    assert ask(browser, f"{path}/v1/layers", "eve")[0] == 403
    push_index(browser)
    assert ask(browser, f"{path}/whole/layers")[:2] == (200, [])


def test_a_list_by_size_does_not_wait_for_the_indexer(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = [browser.desk.push_image(GALLEON, f"v{number}", layer=b"x" * number) for number in range(1, 4)]
    assert shown(browser, "?sort=-size") == digests[::-1]
    assert shown(browser, "?q=type=IMAGE&sort=size") == digests
    monkeypatch.setattr(artifacts_module, "_MAX_COMPUTED", 2)
    status, document, headers = ask(browser, f"{ARTIFACTS}?sort=-size")
    assert (status, headers["retry-after"]) == (503, "5")
    assert "3 of the 3 artifacts" in document["errors"][0]["message"]
    assert shown(browser) == digests[::-1]
    browser.desk.settle()
    assert shown(browser, "?sort=-size") == digests[::-1]
