"""Checks of the way in: the challenge, tokens, clocks, keys."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from cli.doctor.report import Check, Skip, Wrong
from cli.doctor.session import Session
from cli.doctor.wire import NoAnswer, Reply, origin, send

LEEWAY = 60  # seconds by which clocks may differ: what the registry allows a token
WANTED = ("pull", "push", "delete")
MADE_UP = "nobody.gave.this"  # a token that the edge function passes on and the registry refuses
_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def reach(session: Session) -> str:
    reply = session.ask("GET", "/v2/", token="")
    if reply.status == 401:
        return session.url
    raise Wrong(f"GET /v2/ without a token was answered {reply}, not 401", _behind(reply))


def _behind(reply: Reply) -> str:
    """What to do about a status that is not the registry's."""
    advice = {
        200: "The registry asks for no token. Is this one of ours?",
        403: "CloudFront or a firewall refuses the request; look at the distribution's web ACL and behaviours.",
        404: "No registry answers there. The URL is that of the distribution or the API, without a path.",
        502: "CloudFront does not reach the API: compare the origin's domain with the API's.",
    }
    return advice.get(reply.status, "Look into the logs of the API and of the registry function.")


def challenge(session: Session) -> str:
    """Both challenges: the one to a request without a token, which the edge function gives, and the registry's own."""
    parameters = _challenge(session.ask("GET", "/v2/", token=""))
    if not parameters.get("realm") or not parameters.get("service"):
        raise Wrong(f"the challenge {parameters} lacks realm or service", "Something on the way rewrites it.")
    session.realm, session.service = parameters["realm"], parameters["service"]
    own = session.ask("GET", "/v2/", token=MADE_UP)
    if own.status == 401:
        session.own_realm = _challenge(own).get("realm", "")
    return f"service {session.service}"


def _challenge(reply: Reply) -> dict[str, str]:
    """The challenge's parameters. Raises Wrong."""
    text = reply.header("www-authenticate")
    if text is None:
        remapped = next((name for name, _ in reply.headers if name.lower() == "x-amzn-remapped-www-authenticate"), None)
        if remapped:
            raise Wrong(
                f"the registry's challenge arrives as {remapped}",
                'Behind an HTTP API: set challenge = "mapped" under [api] in roadstead.toml, and deploy. REST APIs and '
                "function URLs always rename it: use an HTTP API ($default stage).",
            )
        raise Wrong("the 401 has no WWW-Authenticate", "Something on the way removes it; clients cannot log in.")
    if not text.startswith("Bearer "):
        raise Wrong(f"the challenge is {text[:80]!r}", "Clients need `Bearer realm=…`: who answers here?")
    return dict(_PARAMETER.findall(text))


def realm(session: Session) -> str:
    for found in (session.realm, session.own_realm or session.realm):
        if origin(found) != origin(session.url):
            raise Wrong(
                f"tokens are at {found}, on another host than {session.url}",
                "oras refuses that. The distribution is not recognised: x-roadstead-secret at its API origin and the "
                "parameter in EDGE_SECRET_PARAMETER must hold the same secret, and request.js must run on the default "
                "behaviour.",
            )
    return session.realm


def clock(session: Session) -> str:
    began = time.time()
    reply = session.ask("GET", "/v2/", token="")
    text = reply.header("date")
    if text is None:
        raise Skip("the answer has no Date")
    try:
        theirs = parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise Wrong(f"the answer's Date is {text!r}", "Something on the way writes it.") from None
    # Somewhere between the two moments, cut to the second.
    skew = max(began - theirs - 1, theirs - time.time(), 0)
    if skew > LEEWAY:
        raise Wrong(
            f"this machine's clock and the registry's differ by {skew:.0f} s",
            "Tokens and presigned URLs seem expired or not valid yet. Set this machine's clock (AWS's is right).",
        )
    return f"within {max(skew, 1):.0f} s"


def jwks(session: Session) -> str:
    reply = session.ask("GET", "/.well-known/jwks.json", token="")
    keys = keys_of(reply)
    if reply.status != 200 or not keys:
        raise Wrong(f"/.well-known/jwks.json was answered {reply}", "Look into the log of the token function.")
    strange = [key for key in keys if (key.get("kty"), key.get("crv")) != ("EC", "P-256")]
    if strange:
        raise Wrong("a published key is no EC key on P-256", "TOKEN_KEYS must name KMS keys of ECC_NIST_P256 only.")
    return f"{len(keys)} key{'s' if len(keys) > 1 else ''}"


def keys_of(reply: Reply) -> list[Mapping[str, Any]]:
    document = reply.json()
    keys = document.get("keys") if isinstance(document, dict) else None
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def wrong_token(session: Session) -> str:
    reply = session.ask("GET", "/v2/", token=MADE_UP)
    text = reply.header("www-authenticate") or ""
    if reply.status != 401:
        raise Wrong(
            f"a made-up token was answered {reply}, not 401",
            "Take the registry off the net: tokens are not verified." if reply.status < 400 else _behind(reply),
        )
    if 'error="invalid_token"' not in text:
        raise Wrong("the answer to a made-up token does not name invalid_token", "Clients will not ask for a new one.")
    return "401"


def token(session: Session) -> str:
    """With a user the token is for everything that later checks do; without one, anonymous."""
    scope = f"repository:{session.repository}:{','.join(WANTED)}"
    if session.user:
        reply = session.fetch_token(scope, user=session.user, password=session.password)
        if reply.status == 401:
            raise Wrong(
                f"{session.user} and the password were refused",
                "Check both; `roadstead user show` tells whether it is disabled.",
            )
    else:
        reply = session.fetch_token()
    document = reply.json()
    given = document.get("token") if isinstance(document, dict) else None
    if reply.status != 200 or not isinstance(given, str):
        raise Wrong(
            f"asking for a token was answered {reply}",
            "Look into the log of the token function; 5xx: may it call kms:Sign with the key in TOKEN_KEYS?",
        )
    accepted = session.ask("GET", "/v2/", token=given)
    if accepted.status != 200:
        raise Wrong(
            f"the registry answered its own token with {accepted}",
            "The functions of registry and token must have the same TOKEN_KEYS, TOKEN_ISSUER and TOKEN_SERVICE.",
        )
    session.token = given if session.user else ""
    return f"as {session.user or 'nobody'}, {len(given)} characters"


def grant(session: Session) -> str:
    """What the token grants on the doctor's own repository."""
    if not session.user:
        raise Skip("it needs --user")
    actions = _actions(session.token, session.repository)
    missing = [action for action in WANTED if action not in actions]
    if missing:
        raise Wrong(
            f"{session.user} may not {' and '.join(missing)} in project {session.project}",
            "Take a system administrator or a maintainer of the project, or name another one with --project.",
        )
    return ", ".join(WANTED)


def anonymous(session: Session) -> str:
    """The scope of a refusal tells clients what to ask for."""
    reply = session.ask("GET", f"/v2/{session.repository}/tags/list", token="")
    text = reply.header("www-authenticate") or ""
    if reply.status != 401 or f'scope="repository:{session.repository}:pull"' not in text:
        raise Wrong(
            f"reading without a token was answered {reply}, with the challenge {text[:200]!r}",
            "It must be 401 and name the scope, or clients ask for no token.",
        )
    return "401, with its scope"


def _actions(text: str, repository: str) -> list[str]:
    """Unverified: only to tell the person what the registry is going to refuse."""
    try:
        payload = text.split(".")[1]
        access = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["access"]
        return [action for entry in access if entry["name"] == repository for action in entry["actions"]]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return list(WANTED)  # of a form that we do not know; the registry will say


def encrypted(session: Session) -> str:
    scheme, host, _ = origin(session.url)
    if scheme == "https":
        try:
            reply = send("GET", f"http://{host}/v2/", timeout=5)
        except NoAnswer:
            return "nothing answers plain HTTP"
        if reply.status not in (200, 401):
            return f"plain HTTP is answered {reply.status}"
        raise Wrong(f"plain HTTP is answered {reply.status}", "Passwords would travel in the clear: allow HTTPS only.")
    if host in ("localhost", "::1") or host.startswith("127."):
        raise Skip("it is on this machine")
    raise Wrong("it is reached by plain HTTP", "Passwords travel in the clear: put HTTPS in front.")


CHECKS = (
    Check("reach", "the registry answers", reach),
    Check("challenge", "the challenge arrives intact", challenge, ("reach",)),
    Check("realm", "tokens are on the same host", realm, ("challenge",)),
    Check("encrypted", "it is reached by HTTPS only", encrypted, ("reach",)),
    Check("clock", "the clocks agree", clock, ("reach",)),
    Check("jwks", "the public keys are published", jwks, ("reach",)),
    Check("wrong-token", "a made-up token is refused", wrong_token, ("reach",)),
    Check("anonymous", "a read without a token is refused", anonymous, ("reach",)),
    Check("token", "a token is given, and accepted", token, ("challenge",)),
    Check("grant", "it may push, pull and delete", grant, ("token",)),
)
