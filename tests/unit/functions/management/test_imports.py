"""A cold start pays for every import: what asks providers outside of the registry is imported when one is asked."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import functions.management.handler, sys
from functions.management.composition import build
from functions.management.settings import Settings
services = build(Settings.from_environ({"IDENTITY_TABLE": "identity", "INDEX_TABLE": "index", "BUCKET": "bucket"}))
print(*sorted(name for name in sys.modules if name.startswith(("roadstead.", "ldap3"))))
services.oidc()
print(*sorted(name for name in sys.modules if name.startswith(("roadstead.", "ldap3"))))
"""
ASKING = {"oidc_provider", "id_tokens", "keyless"}


def test_what_asks_providers_of_openid_connect_is_imported_when_one_is_asked() -> None:
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment)
    before, after = (set(line.split()) for line in done.stdout.splitlines())
    assert "roadstead.identity.providers.oidc_settings" in before  # what knows whether there is one
    assert not {name for name in before if name.rpartition(".")[2] in ASKING}
    assert "roadstead.identity.providers.oidc_provider" in after
    assert not {name for name in after if name.startswith("ldap3")}  # another function asks directories
