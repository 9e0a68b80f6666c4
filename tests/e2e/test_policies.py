"""What a client shows when a project's policy refuses its push."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.e2e.api import exchange
from tests.e2e.clients import Client
from tests.e2e.cloud import Cloud
from tests.e2e.images import Image
from tests.e2e.people import People

RULE = {
    "action": "immutable",
    "template": "immutable_template",
    "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "v*"}],
    "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
}


def manage(cloud: Cloud, people: People, method: str, path: str, document: Any, status: int) -> None:
    """One request to the management API, as the administrator."""
    credentials = base64.b64encode(f"{people.admin.name}:{people.admin.password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    exchange(method, f"{cloud.url}/api{path}", json.dumps(document).encode(), headers).expect(status)


def test_a_push_over_an_immutable_tag_or_a_quota_shows_the_sentence(
    client: Client, cloud: Cloud, people: People, project: str, image: Image, layers: Image
) -> None:
    manage(cloud, people, "POST", f"/v2.0/projects/{project}/immutabletagrules", RULE, 201)
    manage(cloud, people, "PUT", f"/roadstead/v1/projects/{project}/quota", {"storage": 1024 * 1024}, 200)
    reference, large = f"{cloud.host}/{project}/app:v1", f"{cloud.host}/{project}/app:large"
    client.login(people.maintainer.name, people.maintainer.password).succeeded()
    client.load(image, reference)
    client.push(reference).succeeded()
    client.push(reference).succeeded()  # the same image again
    api = people.maintainer.api(cloud)
    digest = api.digest(f"{project}/app", "v1")

    client.load(layers, large)
    refused = client.push(large).failed()
    if client.name == "containerd":  # its ctr shows the status of a refused manifest, and not the response
        assert "403 Forbidden" in refused.output
    else:
        assert f"the project {project} has used" in refused.output
        assert "of its quota of 1.0 MiB, and this push needs" in refused.output

    manage(cloud, people, "PUT", f"/roadstead/v1/projects/{project}/quota", {"storage": -1}, 200)
    client.push(large).succeeded()
    client.load(layers, reference)
    refused = client.push(reference).failed()
    if client.name != "containerd":
        assert f"the tag {project}/app:v1 is immutable: rule" in refused.output
    assert api.digest(f"{project}/app", "v1") == digest
    api.call("DELETE", f"/v2/{project}/app/manifests/{digest}").expect(403)
