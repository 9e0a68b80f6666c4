"""A client of the token function's handlers, on stores in memory or on the composed services."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from functions.hosting.boundary import response_of
from functions.token.application import respond
from functions.token.services import TokenServices
from roadstead.http import Request

FORM = "application/x-www-form-urlencoded"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TokenClient:
    services: TokenServices

    def send(self, request: Request) -> Answer:
        response = response_of(request, lambda each: respond(self.services, each))
        headers = {name.lower(): value for name, value in response.headers}
        return Answer(response.status, headers, json.loads(response.body) if response.body else {})

    def get(self, *query: tuple[str, str], authorization: str | None = None, address: str = "") -> Answer:
        headers = (("authorization", authorization),) if authorization is not None else ()
        return self.send(Request("GET", "/token", query, headers, source_ip=address))

    def post(self, *fields: tuple[str, str], content_type: str = FORM) -> Answer:
        return self.post_bytes(urlencode(fields).encode(), content_type)

    def post_bytes(self, body: bytes, content_type: str = FORM) -> Answer:
        return self.send(Request("POST", "/token", (), (("content-type", content_type),), body))
