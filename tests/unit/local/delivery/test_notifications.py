"""A receiver on this machine gets a notification of a push, signed as docs/notifications.md says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

from tests.unit.local.test_stack import LIMIT, ROOT, send, send_for_location, start_upload, up, wait_for


class Receiver(http.server.BaseHTTPRequestHandler):
    got: list[tuple[dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def roadstead(state: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cli", *arguments, "--state", str(state), "--json"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=LIMIT)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_webhook_gets_a_signed_notification_of_a_push(tmp_path: Path) -> None:
    state, got = tmp_path / "state", list[tuple[dict[str, str], bytes]]()
    server = http.server.HTTPServer(("127.0.0.1", 0), type("Own", (Receiver,), {"got": got}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with up(state) as instance:
            roadstead(state, "project", "create", "acme")
            url = f"http://127.0.0.1:{server.server_port}/hook"
            made = roadstead(state, "webhook", "add", "acme", url, "--event", "PUSH_ARTIFACT", "--internal")
            digest = push(instance.ready["registry"], instance.get, instance.password())
            wait_for(lambda: len(got) == 1)
    finally:
        server.shutdown()
        server.server_close()
    headers, body = got[0]
    told = json.loads(body)
    assert (told["type"], told["operator"]) == ("PUSH_ARTIFACT", "admin")
    assert told["event_data"]["repository"]["repo_full_name"] == "acme/web"
    (resource,) = told["event_data"]["resources"]
    host = instance.ready["registry"].removeprefix("http://")
    assert resource == {"digest": digest, "tag": "v1", "resource_url": f"{host}/acme/web:v1"}
    key = base64.b64decode(made["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"


def push(registry: str, get: Any, password: str) -> str:
    """Push an image without layers; return its digest."""
    token = json.loads(get("/token?scope=repository:acme/web:pull,push", password)[1])["token"]
    config = b"{}"
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    location = send_for_location(registry, start_upload(registry, token), config)
    assert send(registry, "PUT", f"{location}&digest={digest}", b"")[0] == 201
    media_type = "application/vnd.oci.image.manifest.v1+json"
    descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(config)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": descriptor, "layers": []}).encode()
    request = urllib.request.Request(f"{registry}/v2/acme/web/manifests/v1", manifest, method="PUT")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", media_type)
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:
        return str(answer.headers["Docker-Content-Digest"])
