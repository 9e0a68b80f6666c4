"""Where a password comes from that is made afresh: AWS credentials, or the identity token of a CI.

aws          a call that is signed with the AWS credentials at hand
github       GitHub Actions: asks the runner for an identity token ("OpenID Connect reference")
env:NAME     an identity token in a variable, as GitLab CI sets it (`id_tokens`)
file:PATH    an identity token in a file, as Kubernetes projects it into a pod, and keeps it fresh
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from cli.failures import USAGE, Failure

MAX_TOKEN = 16 * 1024  # bytes
TIMEOUT = 20.0  # seconds
_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")
_URL, _BEARER = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


def check_source(source: str) -> str:
    """Return a source. Raises Failure for any other text."""
    if source in ("aws", "github") or _VARIABLE.fullmatch(source) or (source.startswith("file:") and source[5:]):
        return source
    raise Failure(f"{source} is not a source of credentials: use aws, github, env:NAME or file:PATH.", USAGE)


def password(source: str, audience: str, environ: Mapping[str, str], *, profile: str = "") -> str:
    """Return what takes the place of a robot's secret, for a registry or an issuer's audience. Raises Failure."""
    check_source(source)
    if source == "aws":
        from cli.keyless.aws_call import signed_call  # loading botocore takes longer than all of the others

        try:
            return signed_call(audience, profile=profile).text()
        except ValueError as error:
            raise Failure(f"{error}.") from error
    if source == "github":
        return _from_github(audience, environ)
    kind, _, where = source.partition(":")
    token = _variable(where, environ) if kind == "env" else _file(where)
    return _checked(token, where)


def _variable(name: str, environ: Mapping[str, str]) -> str:
    token = environ.get(name, "")
    if not token:
        raise Failure(f"The variable {name} is not set; in GitLab CI, the job names it under id_tokens.")
    return token


def _file(name: str) -> str:
    try:
        with Path(name).expanduser().open("rb") as file:
            return file.read(MAX_TOKEN + 1).decode("ascii", "replace").strip()
    except OSError as error:
        raise Failure(f"{name} cannot be read: {error.strerror}.") from error


def _from_github(audience: str, environ: Mapping[str, str]) -> str:
    url, bearer = environ.get(_URL, ""), environ.get(_BEARER, "")
    if not url or not bearer:
        raise Failure("GitHub gives this job no identity token: the job needs `permissions: id-token: write`.")
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _LOOPBACK.fullmatch(parts.hostname or "")):
        raise Failure(f"{_URL} is not a URL by HTTPS.")
    request = urllib.request.Request(  # noqa: S310 - HTTPS, checked above
        f"{url}{'&' if parts.query else '?'}audience={quote(audience, safe='')}",
        headers={"Authorization": f"bearer {bearer}", "Accept": "application/json; api-version=2.0"},
    )
    try:
        with urllib.request.build_opener(_NoRedirects()).open(request, timeout=TIMEOUT) as response:
            document = json.loads(response.read(2 * MAX_TOKEN))
    except urllib.error.HTTPError as error:
        error.close()
        raise Failure(f"GitHub gives no identity token: it answers {error.code}.") from error
    except (OSError, ValueError) as error:
        raise Failure(f"GitHub gives no identity token: {error}.") from error
    return _checked(document.get("value") if isinstance(document, dict) else None, "GitHub's response")


def _checked(token: Any, where: str) -> str:
    if not isinstance(token, str) or len(token) > MAX_TOKEN or not re.fullmatch(r"ey[\w-]+\.[\w-]+\.[\w-]+", token):
        raise Failure(f"There is no identity token in {where}.")
    return token


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The bearer token is for the runner's own service alone."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
