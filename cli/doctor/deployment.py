"""Checks of how a registry is set up, made with the operator's credentials: what cannot be seen from outside."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from cli.cloud import Inspector, KeyValues, Parameters, SigningKeys
from cli.doctor.entrance import keys_of
from cli.doctor.report import Check, Note, Skip, Wrong
from cli.doctor.wire import send
from cli.failures import Failure
from cli.rotation import RELAY_KEY, STORE_KEY, Rotation, holds
from cli.target import Target

_LOCAL = "the local AWS has none"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A target and the services that know about it.

    `key_values` is None if there is no CloudFront distribution. Within `readable_errors` AWS's errors become Failures.
    """

    target: Target
    parameters: Parameters
    key_values: KeyValues | None
    signing_keys: SigningKeys
    inspector: Inspector
    readable_errors: Callable[[], AbstractContextManager[None]] = nullcontext


def failing_readably(look: Callable[[Deployment], str]) -> Callable[[Deployment], str]:
    """Wrap a check so that an error of AWS fails this check, and not the whole run."""

    def careful(deployment: Deployment) -> str:
        try:
            with deployment.readable_errors():
                return look(deployment)
        except Failure as failure:
            raise Wrong(str(failure), "Does it exist, and do you have permission to read it?") from failure

    return careful


def bucket(deployment: Deployment) -> str:
    if deployment.target.is_local:
        raise Skip(_LOCAL)
    state = deployment.inspector.bucket(deployment.target.bucket)
    _require(
        state.name,
        (state.public_access_blocked, "public access is not blocked", "block all four kinds of public access"),
        (state.versioned, "versioning is off", "enable it, or a restored table will refer to deleted objects"),
        (state.encrypted, "encryption is not configured", "set SSE-S3"),
        (state.tls_only, "plain HTTP is allowed", "deny requests with aws:SecureTransport=false in the bucket policy"),
    )
    return f"{state.name}: private, TLS only, encrypted, versioned"


def tables(deployment: Deployment) -> str:
    names = (deployment.target.index_table, deployment.target.identity_table)
    for name in names:
        state = deployment.inspector.table(name)
        always = (
            (state.status == "ACTIVE", f"it is {state.status}", "wait until it is ACTIVE"),
            (
                state.expiry,
                "there is no TTL on `expires`",
                "enable it, or uploads, refresh tokens and events stay forever",
            ),
        )
        deployed = (
            (state.recovery, "point-in-time recovery is off", "enable it"),
            (
                state.protected,
                "deletion protection is off",
                "set deletion_protection = true in roadstead.toml and deploy again",
            ),
        )
        _require(name, *always, *(() if deployment.target.is_local else deployed))
    return ", ".join(names)


def token_keys(deployment: Deployment) -> str:
    for name in deployment.target.token_keys:
        key = deployment.signing_keys.describe(name)
        _require(
            name,
            (
                key.state == "Enabled",
                f"it is {key.state}",
                "enable it (cancel a pending deletion first), or remove it from TOKEN_KEYS",
            ),
            (key.spec == "ECC_NIST_P256", f"its spec is {key.spec}", "TOKEN_KEYS takes ECC_NIST_P256 only"),
            (key.usage == "SIGN_VERIFY", f"its usage is {key.usage}", "TOKEN_KEYS takes SIGN_VERIFY only"),
        )
    count = len(deployment.target.token_keys)
    return f"{count} key{'s' if count > 1 else ''} of ECC_NIST_P256"


def published(deployment: Deployment) -> str:
    """The registry publishes the keys in TOKEN_KEYS."""
    url = deployment.target.registry_url or deployment.target.api_url
    if not url:
        raise Skip("the registry's URL is unknown")
    theirs = {str(key.get("kid")) for key in keys_of(send("GET", f"{url}/.well-known/jwks.json"))}
    ours = {deployment.signing_keys.describe(name).thumbprint for name in deployment.target.token_keys}
    if theirs != ours:
        raise Wrong(
            f"{url} publishes {len(theirs)} keys; {len(theirs & ours)} of them are among the {len(ours)} TOKEN_KEYS",
            "The token function's TOKEN_KEYS differ from the stack's: deploy again.",
        )
    return "the keys in TOKEN_KEYS"


def upload_keys(deployment: Deployment) -> str:
    found = deployment.parameters.find(deployment.target.upload_keys_parameter)
    if found is None:
        raise Wrong(f"there are none in {deployment.target.upload_keys_parameter}", "Run `roadstead keys init`.")
    rotation = Rotation.from_json(found.value)
    return f"{len(rotation.keys)}, {rotation.stage}"


def edge_keys(deployment: Deployment) -> str:
    if deployment.key_values is None:
        raise Skip(_LOCAL if deployment.target.is_local else "there is no key-value store")
    found = deployment.parameters.find(deployment.target.upload_keys_parameter)
    if found is None:
        raise Skip("there are no upload keys")
    held = deployment.key_values.find(STORE_KEY)
    if held is None:
        raise Wrong("the key-value store is empty, so the edge refuses every upload", "Run `roadstead keys init`.")
    if not holds(held, Rotation.from_json(found.value)):
        raise Wrong(
            "the upload keys in the key-value store and in the parameter differ, so uploads may be refused",
            "Run `roadstead keys sync`.",
        )
    relay = deployment.key_values.find(RELAY_KEY)
    if relay not in ("on", "off"):
        raise Wrong("the key-value store does not say whether there is a relay", "Run `roadstead keys sync`.")
    if deployment.target.relay and relay != deployment.target.relay:
        raise Wrong(
            f"the relay is {relay} in the key-value store and {deployment.target.relay} in the stack",
            "Run `roadstead keys sync`.",
        )
    return "the same as in the parameter"


def relay(deployment: Deployment) -> str:
    """A web function's revision is active even if its server does not start, so the relay is asked itself."""
    url = deployment.target.relay_url
    if not url:
        raise Skip("the stack has no relay that is a web function")
    began = time.monotonic()
    health = send("GET", f"{url}/health")
    seconds = time.monotonic() - began
    if health.status != 200 or (health.json() or {}).get("status") != "ok":
        raise Wrong(
            f"{url} responds with {health.status}: {health.message}",
            "Its log says why it does not start; docs/operations/deploy.md says how to roll back, or set relay.kind = "
            '"fargate" in roadstead.toml and deploy.',
        )
    direct = send("PATCH", f"{url}/v2/doctor/blobs/uploads/{'0' * 32}", body=b"doctor", chunked=True)
    if direct.status != 403:
        raise Wrong(
            f"{url} responds with {direct.status} to a request that did not come through CloudFront",
            "Its VIA_DISTRIBUTION_ONLY must be on, and it must be able to read the edge's secret: see its log.",
        )
    return f"responds after {seconds:.1f} s, and refuses requests that did not come through CloudFront"


def closed(deployment: Deployment) -> str:
    url = deployment.target.api_url
    if deployment.target.is_local or not url:
        raise Skip("the API has no host name of its own" if deployment.target.is_local else "the API's URL is unknown")
    reply = send("GET", f"{url}/v2/")
    if (reply.status, reply.code) == (403, "DENIED"):
        return "it refuses requests that did not come through CloudFront"
    raise Note(
        f"{url} is open: requests there bypass the distribution and its web ACL, if it has one",
        "Set api.closed = true in roadstead.toml and deploy, unless clients use that name.",
    )


def alarms(deployment: Deployment) -> str:
    if not deployment.target.alarm_prefix:
        raise Skip(_LOCAL if deployment.target.is_local else "only our templates create alarms")
    active = deployment.inspector.alarms(deployment.target.alarm_prefix)
    if active:
        named = "; ".join(f"{name}: {why}" for name, why in active.items())
        raise Wrong(named, "docs/operations.md says what to do about each.")
    return "none is active"


def _require(name: str, *conditions: tuple[bool, str, str]) -> None:
    """Raises Wrong, naming every condition that does not hold."""
    broken = [(what, advice) for holds_, what, advice in conditions if not holds_]
    if broken:
        what = "; ".join(what for what, _ in broken)
        raise Wrong(f"{name}: {what}", f"For {name}: {'; '.join(advice for _, advice in broken)}.")


CHECKS = tuple(
    Check(id, title, failing_readably(look), needs)
    for id, title, look, needs in (
        ("bucket", "the bucket is private and versioned", bucket, ()),
        ("tables", "the tables can be restored", tables, ()),
        ("token-keys", "tokens are signed by KMS keys", token_keys, ()),
        ("published-keys", "the public keys are those of KMS", published, ("token-keys",)),
        ("upload-keys", "upload keys exist", upload_keys, ()),
        ("edge-keys", "the edge has the same upload keys", edge_keys, ("upload-keys",)),
        ("relay", "the relay starts", relay, ()),
        ("closed", "the API's own host name is closed", closed, ()),
        ("alarms", "no alarm is active", alarms, ()),
    )
)
