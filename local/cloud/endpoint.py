"""Where the embedded AWS answers, and to whom."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from local.cloud.signatures import Credentials
from local.state import write_atomically

REGION = "us-east-1"
# S3 must not have the registry's name: containerd, skopeo, podman and oras send the registry's Authorization to the
# same name on another port, and to names below it. go-containerregistry follows no redirect to an address that is
# written in numbers. `localhost` is the one name that every machine knows of itself; edge/loopback.py does the rest.
S3_HOST = "localhost"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`host` is an address; S3 is on the same port by the name S3_HOST."""

    host: str
    port: int
    credentials: Credentials

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def s3_url(self) -> str:
        return f"http://{S3_HOST}:{self.port}"

    def environment(self) -> dict[str, str]:
        """The variables by which boto3 finds this AWS, as each Lambda, script and test needs them."""
        return {
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_REGION": self.credentials.region,
            "AWS_DEFAULT_REGION": self.credentials.region,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_S3": self.s3_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "ROADSTEAD_S3_ADDRESSING": "path",
        }


def credentials_of(file: Path) -> Credentials:
    """The key pair of a state, made when there is none: 0600, in a directory that nobody else may look into."""
    if not file.exists():
        made = Credentials(f"LOCAL{secrets.token_hex(8).upper()}", secrets.token_urlsafe(32), REGION)
        write_atomically(file, json.dumps(asdict(made)) + "\n")
    return Credentials(**json.loads(file.read_text()))
