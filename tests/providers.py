"""`make providers`: a directory and a provider of OpenID Connect on this machine, to try the registry with.

Both run until Ctrl-C, with what they have in a directory that goes with them. What is printed are the commands that
tell a registry of `make up` about them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import signal
import tempfile
from pathlib import Path

from tests.issuer import CLIENT, Issuer, issuer
from tests.slapd import BASE, PASSWORD, SEARCH_DN, SEARCH_PASSWORD, SLAPD, Slapd, slapd


def directory_settings(running: Slapd) -> dict[str, object]:
    """Return the keys of the configuration for the directory."""
    return {
        "ldap_url": running.ldaps,
        "ldap_base_dn": f"ou=people,{BASE}",
        "ldap_uid": "uid",
        "ldap_search_dn": SEARCH_DN,
        "ldap_search_password": SEARCH_PASSWORD,
        "ldap_group_base_dn": f"ou=groups,{BASE}",
        "ldap_group_search_filter": "(objectClass=groupOfNames)",
    }


def issuer_settings(running: Issuer) -> dict[str, object]:
    """Return the keys of the configuration for the provider: for people, and for CI."""
    return {
        "oidc_endpoint": running.url,
        "oidc_client_id": CLIENT,
        "oidc_groups_claim": "groups",
        "oidc_auto_onboard": True,
        "keyless_issuers": running.url,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="make providers", description=__doc__)
    parser.add_argument("--registry", default="http://127.0.0.1:5000", help="default: %(default)s")
    parser.add_argument("--password-file", default=".state/admin-password", help="default: %(default)s")
    options = parser.parse_args()
    password = f'"$(cat {shlex.quote(options.password_file)})"'
    put = f"curl -u admin:{password} -X PUT {options.registry}/api/v2.0/configurations"
    with contextlib.ExitStack() as stack:
        people = stack.enter_context(issuer())
        print(f"\nOpenID Connect at {people.url}; everybody is signed in as grace, in the group crew:\n")
        people.person = {"sub": "1234", "preferred_username": "grace", "groups": ["crew"]}
        print(f"  {put} -d {shlex.quote(json.dumps(issuer_settings(people)))}")
        print(f"  open {options.registry}/c/oidc/login\n\nAn identity token, as of a CI:\n")
        print(f"  curl -s '{people.url}/ci?audience=registry&sub=build&repository=acme/ships' | jq -r .value")
        if Path(SLAPD).exists():
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="roadstead-slapd-")))
            directory = stack.enter_context(slapd(home))
            settings = {**directory_settings(directory), "ldap_verify_cert": False}
            print(f"\nA directory at {directory.ldaps}, with ada (in devs) and bob (in ops), password {PASSWORD!r}:\n")
            print(f"  {put} -d {shlex.quote(json.dumps(settings))}")
            print(f"\nTo verify its certificate: make up LDAP_CA={directory.authority_file}, and ldap_verify_cert true")
        else:
            print("\nWithout the Debian package slapd there is no directory.")
        print("\nCtrl-C ends both.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            signal.pause()


if __name__ == "__main__":
    main()
