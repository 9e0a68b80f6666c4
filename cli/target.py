"""The registry that a command works on: a deployed stack, a local one, or the one named by the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cli.failures import USAGE, Failure


class Kind(Enum):
    STACK = "stack"
    LOCAL = "local"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Target:
    """The names of a registry's parts; empty where a registry does not have the part.

    `registry_url` is the URL that clients use, `api_url` the API's own. `endpoint` is the embedded AWS of a local
    registry, of which `credentials_file`, `admin` and `password_file` are known, too.
    """

    kind: Kind
    name: str
    region: str
    index_table: str
    identity_table: str
    bucket: str
    token_keys: tuple[str, ...]
    upload_keys_parameter: str
    registry_url: str
    api_url: str = ""
    key_value_store: str = ""
    relay_url: str = ""  # of a relay that is a web function
    relay: str = ""  # `on` or `off`, as in the edge's key-value store
    audit_log_group: str = ""
    webhook_secrets: str = "/roadstead/webhooks"
    notification_queue: str = ""  # name or URL
    blob_url_key_parameter: str = ""
    alarm_prefix: str = ""
    endpoint: str = ""
    credentials_file: str = ""
    admin: str = ""
    password_file: str = ""

    @property
    def is_local(self) -> bool:
        return self.kind is Kind.LOCAL

    @classmethod
    def from_state(cls, directory: Path) -> Target:
        """Return the local registry that runs in a state directory. Raises Failure."""
        try:
            ready = json.loads((directory / "ready.json").read_text())
            return cls(
                kind=Kind.LOCAL,
                name=str(directory),
                region=ready["region"],
                index_table=ready["index_table"],
                identity_table=ready["identity_table"],
                bucket=ready["bucket"],
                token_keys=(ready["token_key"],),
                upload_keys_parameter=ready["upload_keys_parameter"],
                registry_url=ready["registry"],
                api_url=ready["api"],
                endpoint=ready["aws_endpoint"],
                credentials_file=ready["credentials_file"],
                admin=ready["admin"],
                password_file=ready["password_file"],
                notification_queue=_LOCAL_QUEUE,
            )
        except (FileNotFoundError, NotADirectoryError):
            raise Failure(f"No registry runs in {directory}; start it with `make up STATE={directory}`.") from None
        except (KeyError, TypeError, ValueError):
            raise Failure(f"{directory / 'ready.json'} was not written by this version of `make up`.") from None

    @classmethod
    def from_outputs(cls, stack: str, region: str, outputs: Mapping[str, str]) -> Target:
        """Return a deployed stack, by its outputs (`infra/stack.py`). Raises Failure, naming every missing output."""
        _require(outputs, _OUTPUTS, f"the stack {stack} has no output")
        prefix = outputs["IndexTable"].removesuffix("-index")
        return cls(
            kind=Kind.STACK,
            name=stack,
            region=region,
            index_table=outputs["IndexTable"],
            identity_table=outputs["IdentityTable"],
            bucket=outputs["Bucket"],
            token_keys=_listed(outputs["TokenKeys"]),
            upload_keys_parameter=outputs["UploadKeysParameter"],
            registry_url=outputs["RegistryUrl"].rstrip("/"),
            api_url=outputs.get("ApiUrl", "").rstrip("/"),
            key_value_store=outputs["KeyValueStoreArn"],
            relay_url=outputs.get("RelayUrl", "").rstrip("/"),
            relay=outputs.get("Relay", ""),
            audit_log_group=outputs.get("AuditLogGroup", ""),
            webhook_secrets=f"/{prefix}/webhooks",
            notification_queue=f"{prefix}-notifications",
            blob_url_key_parameter=outputs.get("BlobUrlKeyParameter", ""),
            alarm_prefix=f"{prefix}-",
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Target:
        """Return the registry named by the variables of docs/settings.md, for other deployments. Raises Failure."""
        _require(environ, _VARIABLES, "the environment lacks")
        return cls(
            kind=Kind.ENVIRONMENT,
            name="the environment",
            region=environ.get("AWS_REGION") or environ["AWS_DEFAULT_REGION"],
            index_table=environ["INDEX_TABLE"],
            identity_table=environ["IDENTITY_TABLE"],
            bucket=environ["BUCKET"],
            token_keys=_listed(environ["TOKEN_KEYS"]),
            upload_keys_parameter=environ["UPLOAD_KEYS_PARAMETER"],
            registry_url=environ.get("DISTRIBUTION_URL", "").rstrip("/"),
            key_value_store=environ.get("KEY_VALUE_STORE_ARN", ""),
            audit_log_group=environ.get("AUDIT_LOG_GROUP", ""),
            webhook_secrets=environ.get("WEBHOOK_SECRETS_PREFIX", "/roadstead/webhooks"),
            notification_queue=environ.get("NOTIFICATION_QUEUE_URL", ""),
            blob_url_key_parameter=environ.get("BLOB_URL_KEY_PARAMETER", ""),
            relay=environ.get("RELAY", ""),
            endpoint=environ.get("AWS_ENDPOINT_URL", ""),
        )


_LOCAL_QUEUE = "roadstead-notifications"  # as local/cloud/resources.py names it
_OUTPUTS = (
    "RegistryUrl",
    "KeyValueStoreArn",
    "IndexTable",
    "IdentityTable",
    "Bucket",
    "TokenKeys",
    "UploadKeysParameter",
)
_VARIABLES = ("INDEX_TABLE", "IDENTITY_TABLE", "BUCKET", "TOKEN_KEYS", "UPLOAD_KEYS_PARAMETER")


def _require(given: Mapping[str, str], names: tuple[str, ...], problem: str) -> None:
    missing = [name for name in names if not given.get(name)]
    if names is _VARIABLES and not (given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION")):
        missing.append("AWS_REGION")
    if missing:
        raise Failure(f"{problem} {', '.join(missing)}.", USAGE)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
