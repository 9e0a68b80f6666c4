"""Asking for tokens, and reading them."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

from tests.api.client import Answer, Api, Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    document: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return document


def get_token(client: Client, *parameters: tuple[str, str]) -> Answer:
    return client.api.request("GET", f"/token?{urlencode(parameters)}", client.basic())


def post_token(api: Api, **fields: str) -> Answer:
    return api.request("POST", "/token", FORM, urlencode(fields).encode())


def granted(client: Client, *scopes: str) -> dict[str, list[str]]:
    """What a token for these scopes grants, by `type:name`."""
    access = claims(client.token(*scopes))["access"]
    return {f"{entry['type']}:{entry['name']}": entry["actions"] for entry in access}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
