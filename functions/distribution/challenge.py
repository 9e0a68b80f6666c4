"""The challenge of a 401: where to ask for a token, and for which access (RFC 6750 section 3, Docker token spec)."""

from __future__ import annotations

from roadstead.http import Request

TOKEN_PATH = "/token"


def challenge(
    request: Request, service: str, scopes: tuple[str, ...], error: str = "", description: str = ""
) -> tuple[str, str]:
    """Return the `WWW-Authenticate` header. The realm is on the host that the client used."""
    parameters = {"realm": request.base_url + TOKEN_PATH, "service": service}
    if scopes:
        parameters["scope"] = " ".join(scopes)
    if error:
        parameters["error"] = error
    if description:
        parameters["error_description"] = description
    return "WWW-Authenticate", "Bearer " + ",".join(f'{name}="{_quoted(value)}"' for name, value in parameters.items())


def _quoted(value: str) -> str:
    """Return `value` for a quoted-string (RFC 9110 section 5.6.4): no control characters, quotes escaped."""
    printable = "".join(character if " " <= character <= "~" else "?" for character in value)
    return printable.replace("\\", "\\\\").replace('"', '\\"')
