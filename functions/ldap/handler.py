"""The ldap function's entry point. The token and the management function invoke it; nothing else does.

A question brings the directory's settings along, so this function reads no table and no secret, and its role may do
nothing but write its log. It logs neither questions nor answers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.ldap.settings import Settings
from roadstead.identity.providers.remote_ldap import answer
from roadstead.ldap.client import LdapClient


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer a question of `RemoteLdap`."""
    return answer(client(), event)


@cache
def client() -> LdapClient:
    return LdapClient(authorities=Settings.from_environ(os.environ).ca_certificates)


def prepare() -> None:
    """Do what can be done before the first question: read the settings."""
    client()
