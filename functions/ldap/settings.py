"""The ldap function's settings; docs/settings.md lists them, and a test holds that list to this class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from functions.hosting.environ import Environ


@dataclass(frozen=True, slots=True)
class Settings:
    """`ca_certificates` is PEM, empty for the system's authorities alone."""

    ca_certificates: str = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        read = Environ(environ)
        settings = cls(ca_certificates=read.text("LDAP_CA_CERTIFICATES", ""))
        read.check()
        return settings
