"""Pushes one image by the distribution API, with the standard library alone: the journeys run in an environment of
their own."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
from urllib.parse import urlencode, urljoin, urlsplit

TYPE = "application/vnd.oci.image.manifest.v1+json"


def push(url: str, user: str, password: str, repository: str, tag: str) -> str:
    """Push a small image and return its digest. Raises RuntimeError with the response that was not expected."""
    token = _token(url, user, password, repository)
    history = [{"created": "2026-11-26T00:00:00Z", "created_by": f"COPY {tag} /"}]
    rootfs = {"type": "layers", "diff_ids": []}
    config = json.dumps({"architecture": "arm64", "os": "linux", "rootfs": rootfs, "history": history}).encode()
    layer = f"layer of {repository}:{tag}".encode()
    described = [_blob(url, token, repository, blob) for blob in (config, layer)]
    types = ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar")
    (config_of, layer_of) = ({"mediaType": kind, **one} for kind, one in zip(types, described, strict=True))
    manifest = json.dumps({"schemaVersion": 2, "mediaType": TYPE, "config": config_of, "layers": [layer_of]}).encode()
    path = f"/v2/{repository}/manifests/{tag}"
    _ask("PUT", urljoin(url, path), manifest, {"Content-Type": TYPE, **_bearer(token)}, 201)
    return _digest(manifest)


def _blob(url: str, token: str, repository: str, data: bytes) -> dict[str, object]:
    begun = _ask("POST", urljoin(url, f"/v2/{repository}/blobs/uploads/"), b"", _bearer(token), 202)
    location = urljoin(url, begun[1]["location"])
    where = f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': _digest(data)})}"
    _ask("PUT", where, data, {"Content-Type": "application/octet-stream", **_bearer(token)}, 201)
    return {"digest": _digest(data), "size": len(data)}


def _token(url: str, user: str, password: str, repository: str) -> str:
    challenge = _ask("GET", urljoin(url, "/v2/"), b"", {}, 401)[1]["www-authenticate"]
    said = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    query = urlencode({"service": said["service"], "scope": f"repository:{repository}:pull,push"})
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    answer = _ask("GET", f"{said['realm']}?{query}", b"", {"Authorization": f"Basic {basic}"}, 200)
    return str(json.loads(answer[2])["token"])


def _ask(method: str, url: str, body: bytes, headers: dict[str, str], status: int) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body, headers)
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if answer.status != status:
        raise RuntimeError(f"{method} {url}: {answer.status} instead of {status}: {said[:500]!r}")
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, said


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
