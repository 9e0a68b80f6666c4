"""Checks of authentication: the challenge, tokens, clocks, public keys."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from cli.doctor.report import Check, Note, Skip, Wrong
from cli.doctor.session import Session
from cli.doctor.wire import NoResponse, Reply, is_loopback, origin, send

LEEWAY = 60  # seconds by which clocks may differ, as the registry allows for tokens
WANTED = ("pull", "push", "delete")
MADE_UP = "nobody.gave.this"  # a token that the edge function passes on and the registry rejects
_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def reach(session: Session) -> str:
    reply = session.ask("GET", "/v2/", token="")
    if reply.status == 401:
        return session.url
    raise Wrong(f"the response to GET /v2/ without a token was {reply}, not 401", _behind(reply))


def _behind(reply: Reply) -> str:
    """Return the advice for a status that the registry itself does not respond with."""
    advice = {
        200: "The registry does not ask for a token. Is this a Roadstead registry?",
        403: "CloudFront or a firewall refuses the request: see the distribution's web ACL and behaviours.",
        404: "There is no registry at this URL. Use that of the distribution or the API, without a path.",
        502: "CloudFront cannot reach the API: compare the origin's domain with the API's.",
    }
    return advice.get(reply.status, "See the logs of the API and of the registry function.")


def challenge(session: Session) -> str:
    """Check both challenges: the edge function's, to a request without a token, and the registry's own."""
    parameters = _challenge(session.ask("GET", "/v2/", token=""))
    if not parameters.get("realm") or not parameters.get("service"):
        raise Wrong(f"the challenge {parameters} has no realm or no service", "Something in between rewrites it.")
    session.realm, session.service = parameters["realm"], parameters["service"]
    own = session.ask("GET", "/v2/", token=MADE_UP)
    if own.status == 401:
        session.own_realm = _challenge(own).get("realm", "")
    return f"service {session.service}"


def _challenge(reply: Reply) -> dict[str, str]:
    """Return the parameters of a challenge. Raises Wrong."""
    text = reply.header("www-authenticate")
    if text is None:
        remapped = next((name for name, _ in reply.headers if name.lower() == "x-amzn-remapped-www-authenticate"), None)
        if remapped:
            raise Wrong(
                f"the registry's challenge arrives as {remapped}",
                'Behind an HTTP API: set challenge = "mapped" under [api] in roadstead.toml, and deploy. REST APIs and '
                "function URLs always rename it: use an HTTP API ($default stage), or have a distribution ask one upon "
                "its 403 (docs/adr/0028).",
            )
        raise Wrong("the 401 has no WWW-Authenticate", "Something in between removes it; clients cannot log in.")
    if not text.startswith("Bearer "):
        raise Wrong(f"the challenge is {text[:80]!r}", "Clients need `Bearer realm=…`. Is this a Roadstead registry?")
    return dict(_PARAMETER.findall(text))


def realm(session: Session) -> str:
    """Clients must be sent to the registry's own host: it is the only one that they may give their password."""
    for found in (session.realm, session.own_realm or session.realm):
        if origin(found) != origin(session.url):
            raise Wrong(
                f"tokens are issued at {found}, which is not on {session.url}",
                "oras refuses that. The registry does not recognise the distribution: x-roadstead-secret at its API "
                "origin and the parameter in EDGE_SECRET_PARAMETER must hold the same secret, and request.js must run "
                "on the default behaviour.",
            )
    return session.realm


def clock(session: Session) -> str:
    began = time.time()
    reply = session.ask("GET", "/v2/", token="")
    text = reply.header("date")
    if text is None:
        raise Skip("the response has no Date")
    try:
        theirs = parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise Wrong(f"the Date of the response is {text!r}", "Something in between writes it.") from None
    # The Date lies between the two moments and is cut to the second.
    skew = max(began - theirs - 1, theirs - time.time(), 0)
    if skew > LEEWAY:
        raise Wrong(
            f"this machine's clock and the registry's differ by {skew:.0f} s",
            "Tokens and presigned URLs look expired or not yet valid. Set this machine's clock (AWS's is right).",
        )
    return f"within {max(skew, 1):.0f} s"


def jwks(session: Session) -> str:
    reply = session.ask("GET", "/.well-known/jwks.json", token="")
    keys = keys_of(reply)
    if reply.status != 200 or not keys:
        raise Wrong(f"the response to /.well-known/jwks.json was {reply}", "See the log of the token function.")
    strange = [key for key in keys if (key.get("kty"), key.get("crv")) != ("EC", "P-256")]
    if strange:
        raise Wrong("a published key is not an EC key on P-256", "TOKEN_KEYS must name KMS keys of ECC_NIST_P256 only.")
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
            f"the response to a made-up token was {reply}, not 401",
            "Take the registry offline: it does not verify tokens." if reply.status < 400 else _behind(reply),
        )
    if 'error="invalid_token"' not in text:
        raise Wrong(
            "the response to a made-up token does not name invalid_token", "Clients will not ask for a new token."
        )
    return "401"


def token(session: Session) -> str:
    """Get a token: for everything that later checks do, or without a user an anonymous one."""
    scope = f"repository:{session.repository}:{','.join(WANTED)}"
    if session.user:
        reply = session.fetch_token(scope, user=session.user, password=session.password)
        if reply.status == 401:
            raise Wrong(
                f"the registry rejected the password of {session.user}",
                "Check the name and the password. `roadstead user show` says whether the user is disabled.",
            )
    else:
        reply = session.fetch_token()
    document = reply.json()
    given = document.get("token") if isinstance(document, dict) else None
    if reply.status != 200 or not isinstance(given, str):
        raise Wrong(
            f"the response to a request for a token was {reply}",
            "See the log of the token function. If 5xx: may the function call kms:Sign with the key in TOKEN_KEYS?",
        )
    accepted = session.ask("GET", "/v2/", token=given)
    if accepted.status != 200:
        raise Wrong(
            f"the registry's response to its own token was {accepted}",
            "The registry and the token function must have the same TOKEN_KEYS, TOKEN_ISSUER and TOKEN_SERVICE.",
        )
    session.token = given if session.user else ""
    return f"{'for ' + session.user if session.user else 'anonymous'}, {len(given)} characters"


def reads(session: Session) -> str:
    """The header of the request's id shows which way reads go: an HTTP API has one of its own."""
    if not session.token:
        raise Skip("requires --user")
    reply = session.ask("GET", "/v2/", token=session.token)
    if reply.header("apigw-requestid"):
        raise Note(
            "reads go by the HTTP API",
            'As intended at the API\'s own name, or with distribution.reads = "api". Otherwise Lambda refuses the '
            "distribution, which costs 11 USD for a million pulls: see the permissions of the registry function "
            "(docs/adr/0028).",
        )
    if reply.header("x-amzn-requestid"):
        return "by the function's URL"
    raise Skip("the response does not say which way it came")


def grant(session: Session) -> str:
    """The token must grant everything on the doctor's own repository."""
    if not session.user:
        raise Skip("requires --user")
    actions = _actions(session.token, session.repository)
    missing = [action for action in WANTED if action not in actions]
    if missing:
        raise Wrong(
            f"{session.user} may not {' and '.join(missing)} in project {session.project}",
            "Use a system administrator or a maintainer of the project, or another --project.",
        )
    return ", ".join(WANTED)


def anonymous(session: Session) -> str:
    """The challenge must name the scope: clients ask for a token with it."""
    reply = session.ask("GET", f"/v2/{session.repository}/tags/list", token="")
    text = reply.header("www-authenticate") or ""
    if reply.status != 401 or f'scope="repository:{session.repository}:pull"' not in text:
        raise Wrong(
            f"the response to a read without a token was {reply}, with the challenge {text[:200]!r}",
            "It must be 401 and name the scope, or clients do not ask for a token.",
        )
    return "401, with the scope"


def _actions(text: str, repository: str) -> list[str]:
    """Return the actions in a token, unverified: only to say in advance what the registry will refuse."""
    try:
        payload = text.split(".")[1]
        access = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["access"]
        return [action for entry in access if entry["name"] == repository for action in entry["actions"]]
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error):
        return list(WANTED)  # of an unknown form: the registry will decide


def encrypted(session: Session) -> str:
    scheme, host, _ = origin(session.url)
    if scheme == "https":
        try:
            reply = send("GET", f"http://{host}/v2/", timeout=5)
        except NoResponse:
            return "plain HTTP gets no response"
        if reply.status not in (200, 401):
            return f"plain HTTP gets {reply.status}"
        raise Wrong(f"plain HTTP gets {reply.status}", "Passwords would travel unencrypted: allow only HTTPS.")
    if is_loopback(host):
        raise Skip("the registry is on this machine")
    raise Wrong("its URL is plain HTTP", "Passwords would travel unencrypted: put HTTPS in front.")


CHECKS = (
    Check("reach", "the registry responds", reach),
    Check("challenge", "the challenge arrives intact", challenge, ("reach",)),
    Check("realm", "tokens are issued on the same host", realm, ("challenge",)),
    Check("encrypted", "only HTTPS is accepted", encrypted, ("reach",)),
    Check("clock", "the clocks agree", clock, ("reach",)),
    Check("jwks", "the public keys are published", jwks, ("reach",)),
    Check("wrong-token", "a made-up token is refused", wrong_token, ("reach",)),
    Check("anonymous", "a read without a token is refused", anonymous, ("reach",)),
    Check("token", "a token is issued, and accepted", token, ("challenge",)),
    Check("reads", "reads skip the HTTP API", reads, ("token",)),
    Check("grant", "the token grants push, pull and delete", grant, ("token",)),
)
