"""The management API, as tests with clients use it."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any

from tests.e2e.cloud import Cloud
from tests.e2e.people import Person


def ask(cloud: Cloud, person: Person, method: str, path: str, document: Any = None) -> tuple[int, Any]:
    """Call the management API with Basic credentials."""
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{person.name}:{person.password}".encode()).decode(),
        "Content-Type": "application/json",
    }
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(f"{cloud.url}/api{path}", body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text) if text else None


def make_robot(cloud: Cloud, admin: Person, project: str, *actions: str, level: str = "project") -> Person:
    access = [{"resource": "repository", "action": action} for action in actions]
    document = {
        "name": f"ci_{level}.{project}",
        "level": level,
        "duration": 1,
        "permissions": [{"kind": "project", "namespace": project, "access": access}],
    }
    status, made = ask(cloud, admin, "POST", "/v2.0/robots", document)
    assert status == 201, made
    return Person(made["name"], made["secret"])
