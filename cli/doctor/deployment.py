"""Checks of how a registry is set up, with the operator's credentials: what cannot be seen from outside."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from cli.cloud import Inspector, KeyValues, Parameters, SigningKeys
from cli.doctor.entrance import keys_of
from cli.doctor.report import Check, Skip, Wrong
from cli.doctor.wire import send
from cli.failures import Failure
from cli.rotation import RELAY_KEY, STORE_KEY, Rotation, holds
from cli.target import Target

_LOCAL = "the local AWS has none"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A target, and whom to ask about it. `key_values` is None where there is no distribution of CloudFront's; within
    `told` whatever AWS refuses is a Failure."""

    target: Target
    parameters: Parameters
    key_values: KeyValues | None
    signing_keys: SigningKeys
    inspector: Inspector
    told: Callable[[], AbstractContextManager[None]] = nullcontext


def told_failures(look: Callable[[Deployment], str]) -> Callable[[Deployment], str]:
    """What AWS refuses to tell fails the check, not the examination."""

    def careful(deployment: Deployment) -> str:
        try:
            with deployment.told():
                return look(deployment)
        except Failure as failure:
            raise Wrong(str(failure), "Does it exist, and may you read it?") from failure

    return careful


def bucket(deployment: Deployment) -> str:
    if deployment.target.is_local:
        raise Skip(_LOCAL)
    state = deployment.inspector.bucket(deployment.target.bucket)
    _require(
        state.name,
        (state.public_access_blocked, "public access is not blocked", "block all four kinds of public access"),
        (state.versioned, "versions are not kept", "enable versioning, or restored tables will point at nothing"),
        (state.encrypted, "no encryption is set", "set SSE-S3"),
        (state.tls_only, "plain HTTP is allowed", "deny aws:SecureTransport=false in its policy"),
    )
    return f"{state.name}: private, by TLS only, encrypted, versions kept"


def tables(deployment: Deployment) -> str:
    names = (deployment.target.index_table, deployment.target.identity_table)
    for name in names:
        state = deployment.inspector.table(name)
        always = (
            (state.status == "ACTIVE", f"it is {state.status}", "wait until it is ACTIVE"),
            (state.expiry, "no TTL by `expires`", "enable it: uploads, refresh tokens and events would stay for ever"),
        )
        deployed = (
            (state.recovery, "point-in-time recovery is off", "enable it"),
            (state.protected, "it can be deleted", "enable deletion protection"),
        )
        _require(name, *always, *(() if deployment.target.is_local else deployed))
    return ", ".join(names)


def token_keys(deployment: Deployment) -> str:
    for name in deployment.target.token_keys:
        key = deployment.signing_keys.describe(name)
        _require(
            name,
            (key.state == "Enabled", f"it is {key.state}", "enable it (cancel its deletion first), or take it out"),
            (key.spec == "ECC_NIST_P256", f"its spec is {key.spec}", "TOKEN_KEYS takes ECC_NIST_P256 only"),
            (key.usage == "SIGN_VERIFY", f"its usage is {key.usage}", "TOKEN_KEYS takes SIGN_VERIFY only"),
        )
    count = len(deployment.target.token_keys)
    return f"{count} key{'s' if count > 1 else ''} of ECC_NIST_P256"


def published(deployment: Deployment) -> str:
    """The keys that the registry publishes are those that it is said to trust."""
    url = deployment.target.registry_url or deployment.target.api_url
    if not url:
        raise Skip("its URL is not known")
    theirs = {str(key.get("kid")) for key in keys_of(send("GET", f"{url}/.well-known/jwks.json"))}
    ours = {deployment.signing_keys.describe(name).thumbprint for name in deployment.target.token_keys}
    if theirs != ours:
        raise Wrong(
            f"{url} publishes {len(theirs)} keys, of which {len(theirs & ours)} are in TOKEN_KEYS ({len(ours)} keys)",
            "The token function runs with other TOKEN_KEYS than the stack says: deploy again.",
        )
    return "those in TOKEN_KEYS"


def upload_keys(deployment: Deployment) -> str:
    found = deployment.parameters.find(deployment.target.upload_keys_parameter)
    if found is None:
        raise Wrong(f"there are none in {deployment.target.upload_keys_parameter}", "`roadstead keys init` makes them.")
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
        raise Wrong("the key-value store is empty, so no upload passes the edge", "`roadstead keys init` fills it.")
    if not holds(held, Rotation.from_json(found.value)):
        raise Wrong(
            "the key-value store holds other upload keys than the parameter, so uploads may be refused",
            "`roadstead keys sync` makes them agree.",
        )
    relay = deployment.key_values.find(RELAY_KEY)
    if relay not in ("on", "off"):
        raise Wrong("the key-value store does not say whether there is a relay", "`roadstead keys sync` says it.")
    if deployment.target.relay and relay != deployment.target.relay:
        raise Wrong(
            f"the key-value store says that the relay is {relay}, the stack {deployment.target.relay}",
            "`roadstead keys sync` makes them agree.",
        )
    return "the parameter's"


def alarms(deployment: Deployment) -> str:
    if not deployment.target.alarm_prefix:
        raise Skip(_LOCAL if deployment.target.is_local else "no template of ours made any")
    ringing = deployment.inspector.alarms(deployment.target.alarm_prefix)
    if ringing:
        told = "; ".join(f"{name}: {why}" for name, why in ringing.items())
        raise Wrong(told, "docs/operations.md says what to do about each.")
    return "none rings"


def _require(name: str, *conditions: tuple[bool, str, str]) -> None:
    """Raises Wrong with everything that does not hold."""
    broken = [(what, advice) for holds_, what, advice in conditions if not holds_]
    if broken:
        what = "; ".join(what for what, _ in broken)
        raise Wrong(f"{name}: {what}", f"Of {name}: {'; '.join(advice for _, advice in broken)}.")


CHECKS = tuple(
    Check(id, title, told_failures(look), needs)
    for id, title, look, needs in (
        ("bucket", "the bucket is private and kept", bucket, ()),
        ("tables", "the tables can be restored", tables, ()),
        ("token-keys", "tokens are signed by keys in KMS", token_keys, ()),
        ("published-keys", "and those are published", published, ("token-keys",)),
        ("upload-keys", "there are upload keys", upload_keys, ()),
        ("edge-keys", "the edge has them, too", edge_keys, ("upload-keys",)),
        ("alarms", "no alarm rings", alarms, ()),
    )
)
