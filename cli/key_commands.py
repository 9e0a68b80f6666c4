"""`roadstead keys`: create the first keys after a deployment, and rotate keys."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cli.composition import Cloud
from cli.failures import Failure
from cli.output import Output, fields, table
from cli.rotation import (
    MAX_VALUE,
    RELAY_KEY,
    SPREAD_SECONDS,
    STORE_KEY,
    Rotation,
    Stage,
    Step,
    done_already,
    holds,
    waiting_time,
)
from cli.subcommands import Subcommands
from cli.target import Kind, Target

UPLOAD_SECONDS = 86_400  # the default of that setting
WAIT_SECONDS = 600  # KMS knows a new key by its alias after some minutes
_PAUSE = 10.0


def add_parsers(commands: Subcommands) -> None:
    keys = commands.group("keys", "manage the keys of tokens and uploads")
    first = keys.add("init", "create the upload keys, once, after the first deployment", init)
    first.add_argument(
        "--wait",
        type=int,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait until the functions may use the key of tokens, too (default: %(default)s)",
    )
    keys.add("sync", "copy the upload keys from the parameter to the edge's key-value store", sync)
    keys.add("show", "show key ids, stages and states; never a key", show)
    blob_url = keys.add(
        "init-blob-urls", "create the key of signed URLs, and write its public half to FILE", init_blob_urls
    )
    blob_url.add_argument("file", type=Path)
    rotate = keys.group("rotate", "replace a key without interrupting clients")
    upload = rotate.add("upload", "show the next step for the upload keys, or take it (--step)", rotate_upload)
    upload.add_argument("--step", type=Step, choices=list(Step), help="in this order; repeating a step is safe")
    upload.add_argument(
        "--upload-seconds", type=int, default=UPLOAD_SECONDS, help="the value of UPLOAD_SECONDS (default: %(default)s)"
    )
    upload.add_argument("--without-waiting", action="store_true", help="do not wait; uploads in progress fail")
    token = rotate.add("token", "show the next step for the key that certifies tokens", rotate_token)
    token.add_argument("--create", metavar="ALIAS", help="create a KMS key, for a deployment without our templates")


def init(options: Namespace, cloud: Cloud, output: Output) -> None:
    """Create the upload keys unless they exist, and copy them to the edge. Safe to repeat.

    The functions' roles name the key of tokens by its alias. KMS applies that minutes after the alias was made, or made
    anew after a first deployment that failed. So the command waits until the registry publishes its public keys.
    """
    name = cloud.target.upload_keys_parameter
    made = cloud.parameters.create(name, Rotation.first().to_json())
    rotation, _ = _read(cloud)
    changed = _sync(cloud, rotation)
    _wait_for_token_keys(cloud, output, options.wait)
    record = {"parameter": name, "made": made, "current": rotation.current, "edge": _edge(cloud, changed)}
    output.record(record)


def _wait_for_token_keys(cloud: Cloud, output: Output, patience: float) -> None:
    """Wait until the token function can use its keys. Raises Failure after `patience` seconds."""
    deadline = time.monotonic() + patience
    told = False
    while trouble := cloud.token_trouble():
        if time.monotonic() >= deadline:
            raise Failure(
                f"The upload keys exist, but the registry cannot use its token keys yet: {trouble}. Run `roadstead "
                "keys init` again in some minutes; if that does not help, the token function's log says why."
            )
        if not told:
            output.progress(f"Waiting until KMS lets the functions use the token keys: {trouble}")
            told = True
        time.sleep(_PAUSE)


def sync(options: Namespace, cloud: Cloud, output: Output) -> None:
    rotation, _ = _read(cloud)
    if cloud.key_values is None:
        raise Failure(f"{cloud.target.name} has no key-value store.")
    changed = _sync(cloud, rotation)
    record = {"current": rotation.current, "edge": _edge(cloud, changed)}
    output.record(record)


def show(options: Namespace, cloud: Cloud, output: Output) -> None:
    rotation, changed = _read(cloud)
    uploads = {
        "stage": str(rotation.stage),
        "current": rotation.current,
        "ids": list(rotation.keys),
        "changed": _time(changed),
        "edge": _agreement(cloud, rotation),
    }
    tokens = [cloud.signing_keys.describe(key) for key in cloud.target.token_keys]
    rows = [[key.id, key.spec, key.state, "signs" if place == 0 else "trusted"] for place, key in enumerate(tokens)]
    output.result(
        {
            "uploads": uploads,
            "tokens": [{"id": key.id, "spec": key.spec, "state": key.state, "kid": key.thumbprint} for key in tokens],
        },
        [
            "uploads",
            *fields(uploads),
            "",
            "tokens",
            *table(rows),
        ],
    )


def init_blob_urls(options: Namespace, cloud: Cloud, output: Output) -> None:
    name = cloud.target.blob_url_key_parameter or _beside(cloud.target.upload_keys_parameter, "blob-url-key")
    key = generate_private_key(SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if options.file.exists():
        raise Failure(f"{options.file} exists already; nothing was changed.")
    if not cloud.parameters.create(name, private):
        raise Failure(f"{name} holds a key already; nothing was changed.")
    options.file.write_bytes(public)
    record = {"parameter": name, "public": str(options.file)}
    output.result(record, [*fields(record), "Name this file in roadstead.toml: distribution.blob_url_public_key"])


def rotate_upload(options: Namespace, cloud: Cloud, output: Output) -> None:
    rotation, changed = _read(cloud)
    step = options.step
    if step is None:
        _tell(cloud, rotation, changed, options.upload_seconds, output)
        return
    behind = _sync(cloud, rotation)
    if done_already(rotation, step) and step is not rotation.next_step:
        output.say(f"The step {step} is complete.")
        _tell(cloud, rotation, changed, options.upload_seconds, output)
        return
    rotated = rotation.after(step)
    if not options.without_waiting:
        earliest, reason = waiting_time(rotation, changed, options.upload_seconds)
        if behind and rotation.stage is not Stage.STEADY:  # an interrupted step
            earliest, reason = time.time() + SPREAD_SECONDS, "the edge has only now received the keys of the last step"
        if time.time() < earliest:
            raise Failure(
                f"Wait until {_time(earliest)}: {reason}. (With --without-waiting, uploads in progress fail.)"
            )
    if step is Step.ADD and cloud.key_values is not None:
        cloud.key_values.put(STORE_KEY, _fitting(rotated))  # the edge first: it must know every key that signs
    cloud.parameters.replace(cloud.target.upload_keys_parameter, rotated.to_json())
    _sync(cloud, rotated)
    _tell(cloud, rotated, time.time(), options.upload_seconds, output)


def rotate_token(options: Namespace, cloud: Cloud, output: Output) -> None:
    """Show the next step, or create a key. Only a deployment changes which keys the functions trust."""
    target = cloud.target
    if options.create:
        if target.kind is not Kind.ENVIRONMENT:
            raise Failure(
                "The deployment creates this registry's keys; run the command without --create for the next step."
            )
        arn = cloud.signing_keys.create(options.create)
        output.result(
            {"created": arn},
            [f"created {arn}", "Grant kms:Sign with this key to the token function, and to nothing else."],
        )
        return
    keys = [cloud.signing_keys.describe(key) for key in target.token_keys]
    unusable = [key.id for key in keys if key.state != "Enabled" or key.spec != "ECC_NIST_P256"]
    if unusable:
        raise Failure(f"These keys cannot be used: {', '.join(unusable)}. Run `roadstead doctor` for the reason.")
    steps = _token_steps(target, len(keys))
    output.result({"keys": [key.id for key in keys], "steps": steps}, [*(key.id for key in keys), "", *steps])


def _token_steps(target: Target, keys: int) -> list[str]:
    if target.is_local:
        return ["A local registry keeps its key: there is nothing to rotate."]
    where = "signing.generations in roadstead.toml" if target.kind is Kind.STACK else "TOKEN_KEYS of both functions"
    new, order, old = ("[1, 2]", "[2, 1]", "[2]") if target.kind is Kind.STACK else ("old,new", "new,old", "new")
    if keys == 1:
        return [
            f"1. Append the new key in {where}, for example {new}, and deploy. Both are trusted, the old one signs.",
            "   (Until the deployment ends, some environments know only the old key, so it must go on signing.)",
            f"2. Swap the keys, {order}, and deploy. The new one signs.",
            f"3. Wait 100 minutes (a token lives up to 30 minutes, its certificate an hour). Then {old}, and deploy.",
            "Run this command again after each step.",
        ]
    return [
        "The first key signs; the others are trusted. The next step depends on which key is new:",
        f"- the last key: put it first in {where}, for example {order}, and deploy.",
        f"- the first key, for 100 minutes or more: remove the others, {old}, and deploy.",
    ]


def _read(cloud: Cloud) -> tuple[Rotation, float]:
    found = cloud.parameters.find(cloud.target.upload_keys_parameter)
    if found is None:
        raise Failure(
            f"There are no upload keys in {cloud.target.upload_keys_parameter}: `roadstead keys init` creates them."
        )
    return Rotation.from_json(found.value), found.changed


def _sync(cloud: Cloud, rotation: Rotation) -> bool:
    """Write the keys, and whether there is a relay, to the key-value store. Return whether anything changed."""
    if cloud.key_values is None:
        return False
    changed = False
    if cloud.target.relay and cloud.key_values.find(RELAY_KEY) != cloud.target.relay:
        cloud.key_values.put(RELAY_KEY, cloud.target.relay)
        changed = True
    if not holds(cloud.key_values.find(STORE_KEY), rotation):
        cloud.key_values.put(STORE_KEY, _fitting(rotation))
        changed = True
    return changed


def _fitting(rotation: Rotation) -> str:
    text = rotation.to_json()
    if len(text) > MAX_VALUE:
        raise Failure(f"The keys take {len(text)} bytes, more than the {MAX_VALUE} of a value in the key-value store.")
    return text


def _tell(cloud: Cloud, rotation: Rotation, changed: float, upload_seconds: int, output: Output) -> None:
    earliest, _ = waiting_time(rotation, changed, upload_seconds)
    next_step = str(rotation.next_step)
    record = {"stage": str(rotation.stage), "current": rotation.current, "next": next_step, "from": _time(earliest)}
    advice = f"next: roadstead keys rotate upload --step {next_step}, not before {_time(earliest)}"
    if rotation.stage is Stage.STEADY:
        advice = f"no rotation is in progress; to begin one: roadstead keys rotate upload --step {next_step}"
    lines = [f"{rotation.stage}: {', '.join(rotation.keys)}; {rotation.current} signs", advice]
    if cloud.target.is_local and rotation.stage is not Stage.STEADY:
        lines.append(
            "The local edge reads its keys when it starts: restart it (make down, make up) before the next step."
        )
    output.result(record, lines)


def _agreement(cloud: Cloud, rotation: Rotation) -> str:
    if cloud.key_values is None:
        return "no key-value store"
    held = cloud.key_values.find(STORE_KEY)
    if held is None:
        return "empty: `roadstead keys init`"
    return "the same" if holds(held, rotation) else "differs: `roadstead keys sync`"


def _edge(cloud: Cloud, changed: bool) -> str:
    if cloud.key_values is None:
        return "no key-value store"
    return "updated" if changed else "up to date"


def _beside(parameter: str, name: str) -> str:
    return f"{parameter.rpartition('/')[0]}/{name}"


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
