"""A real directory for tests: Debian's slapd, with a certificate authority of its own, people and groups.

`ou=people,dc=example,dc=org` has ada (in devs), bob (in ops), `crowd` people more, and oddities of each test.
`cn=all,ou=groups` has the group devs, which has ada: a group in a group.
"""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ldap3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.ports import free_port
from roadstead.identity.providers.directories import LdapSettings

SLAPD, SLAPADD = "/usr/sbin/slapd", "/usr/sbin/slapadd"
BASE = "dc=example,dc=org"
SEARCH_DN, SEARCH_PASSWORD = f"cn=search,{BASE}", "the search account's password"
ROOT_DN, ROOT_PASSWORD = f"cn=root,{BASE}", "the root's password"
PASSWORD = "correct horse battery"

_START = 300.0  # seconds, on a busy machine

needs_slapd = pytest.mark.skipif(not Path(SLAPD).exists(), reason="slapd is not installed (.ci/run installs it)")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority. `pem` is its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str = "the directory's authority") -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, _certificate(name, name, key.public_key(), key, authority=True))

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, directory: Path, *names: str, name: str = "server") -> tuple[Path, Path]:
        """Write a certificate for host names or addresses, and its key; return both paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = _certificate(names[0], str(issuer), key.public_key(), self.key, names=names)
        paths = directory / f"{name}.crt", directory / f"{name}.key"
        paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paths


@dataclass(frozen=True, slots=True)
class Slapd:
    ldap: str
    ldaps: str
    authority: Authority
    authority_file: Path  # the authority's certificate
    log_file: Path
    process: subprocess.Popen[bytes]

    def settings(self, **changes: Any) -> LdapSettings:
        values: dict[str, Any] = {
            "url": self.ldaps,
            "base_dn": f"ou=people,{BASE}",
            "search_dn": SEARCH_DN,
            "search_password": SEARCH_PASSWORD,
            "uid": "uid",
            "timeout": 5,
            **changes,
        }
        return LdapSettings(**values)

    def with_groups(self, **changes: Any) -> LdapSettings:
        groups = {"group_base_dn": f"ou=groups,{BASE}", "group_search_filter": "(objectClass=groupOfNames)"}
        return self.settings(**{**groups, **changes})

    def set_members(self, cn: str, *members: str) -> None:
        """Replace the members of a group; they are DNs below the base, one at least."""
        listed = [f"{member},{BASE}" for member in members]
        root = ldap3.Connection(ldap3.Server(self.ldap), ROOT_DN, ROOT_PASSWORD, auto_bind=True)
        try:
            root.modify(f"cn={cn},ou=groups,{BASE}", {"member": [(ldap3.MODIFY_REPLACE, listed)]})
            assert root.result["result"] == 0, root.result
        finally:
            root.unbind()  # the connection's own context closes nothing that was open before

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


@contextmanager
def slapd(
    directory: Path, *, crowd: int = 0, extra: str = "", names: tuple[str, ...] = ("localhost", "127.0.0.1")
) -> Iterator[Slapd]:
    """Run slapd with `crowd` people more, and the entries of `extra` (LDIF); its certificate is for `names`."""
    directory.mkdir(parents=True, exist_ok=True)
    authority = Authority.make()
    certificate, key = authority.issue(directory, *names)
    (directory / "ca.crt").write_text(authority.pem)
    data = directory / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    configuration = directory / "slapd.conf"
    configuration.write_text(_configuration(directory, certificate, key))
    ldif = directory / "data.ldif"
    ldif.write_text(_ldif(crowd) + extra)
    subprocess.run([SLAPADD, "-q", "-f", str(configuration), "-l", str(ldif)], check=True, capture_output=True)
    plain, tls = free_port(), free_port()
    urls = f"ldap://127.0.0.1:{plain}", f"ldaps://127.0.0.1:{tls}"
    log = directory / "slapd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [SLAPD, "-f", str(configuration), "-h", " ".join(urls), "-d", "stats"], stdout=output, stderr=output
        )
    try:
        _wait(process, plain, log)
        yield Slapd(*urls, authority, directory / "ca.crt", log, process)
    finally:
        process.kill()
        process.wait()


def person(uid: str, *, dn: str = "", more: str = "", password: str = PASSWORD) -> str:
    """Return the LDIF of a person."""
    return (
        f"dn: {dn or f'uid={uid}'},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid.title()}\n"
        f"sn: {uid}\nmail: {uid}@example.org\nuserPassword: {password}\n{more}\n"
    )


def group(cn: str, *members: str) -> str:
    """Return the LDIF of a group; members are DNs below the base."""
    listed = "".join(f"member: {member},{BASE}\n" for member in members)
    return f"dn: cn={cn},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {cn}\n{listed}\n"


def _ldif(crowd: int) -> str:
    tree = (
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"
        f"dn: {SEARCH_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: search\n"
        f"userPassword: {SEARCH_PASSWORD}\n\n"
        f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
        f"dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups\n\n"
    )
    people = person("ada") + person("bob") + "".join(person(f"user{number}") for number in range(crowd))
    groups = (
        group("devs", "uid=ada,ou=people")
        + group("ops", "uid=bob,ou=people")
        + group("all", "cn=devs,ou=groups", "cn=ops,ou=groups")
        + group("loop", "cn=loop,ou=groups", "cn=all,ou=groups")
    )
    return tree + people + groups


def _configuration(directory: Path, certificate: Path, key: Path) -> str:
    return f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {directory}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSCACertificateFile {directory}/ca.crt
disallow bind_anon
database mdb
maxsize 268435456
suffix "{BASE}"
rootdn "{ROOT_DN}"
rootpw "{ROOT_PASSWORD}"
directory {directory}/data
index objectClass,uid,member eq
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{SEARCH_DN}" read by * none
"""


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    authority: bool = False,
    names: tuple[str, ...] = (),
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_name, names))), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 20).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"slapd did not start: {log.read_text(errors='replace')[-2000:]}")
