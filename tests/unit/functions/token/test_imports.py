"""What the token function loads: nothing of directories and of OpenID Connect until a login needs it."""

from __future__ import annotations

import os
import subprocess
import sys

_PROGRAM = """
import sys
from functions.token import handler
handler.prepare()
print(*sorted(sys.modules))
"""
_SETTINGS = {
    "IDENTITY_TABLE": "identity",
    "INDEX_TABLE": "index",
    "TOKEN_KEYS": "one",
    "LDAP_FUNCTION": "ldap",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
# Of our modules, those that only a directory, an identity token or a signed call needs.
_ON_DEMAND = {
    "aws.lifecycle.lambda_functions",
    "identity.providers.aws_principals",
    "identity.providers.id_tokens",
    "identity.providers.keyless",
    "identity.providers.ldap_provider",
    "identity.providers.oidc_provider",
    "identity.providers.remote_ldap",
    "identity.providers.signed_calls",
    "ldap",
    "ldap.client",
    "outbound",
    "outbound.https",
}


def test_nothing_of_directories_and_openid_connect_is_loaded_before_it_is_needed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, **_SETTINGS},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(done.stdout.split())
    assert "roadstead.identity.sign_in.login" in modules  # or the list is not looked at
    assert not modules & {f"roadstead.{name}" for name in _ON_DEMAND}
    assert not {name for name in modules if name.partition(".")[0] in ("ldap3", "pyasn1", "functions.management")}
