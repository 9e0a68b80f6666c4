"""A directory in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from roadstead.identity.people import LDAP, Person, PersonGroup, ProviderFailed
from roadstead.identity.providers.directories import LdapSettings


@dataclass
class MemoryLdap:
    """Ldap. `asked` has the names whose passwords it was asked for; while `down` is set, every question fails so."""

    people: dict[str, tuple[Person, str]] = field(default_factory=dict)
    groups: list[PersonGroup] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    settings: list[LdapSettings] = field(default_factory=list)
    down: ProviderFailed | None = None

    def add(
        self, name: str, password: str, *, subject: str = "", groups: tuple[PersonGroup, ...] = (), admin: bool = False
    ) -> Person:
        """Add somebody, or replace whoever has the name."""
        person = Person(LDAP, subject or f"uuid-of-{name}", name, f"{name}@example.org", name.title(), groups, admin)
        self.people[name.lower()] = (person, password)
        return person

    def sign_in(self, settings: LdapSettings, name: str, password: str) -> Person | None:
        self._ask(settings)
        self.asked.append(name)
        person, expected = self.people.get(name.lower(), (None, ""))
        return person if person is not None and password and password == expected else None

    def ping(self, settings: LdapSettings) -> None:
        self._ask(settings)

    def find_people(self, settings: LdapSettings, name: str) -> tuple[Person, ...]:
        self._ask(settings)
        return tuple(person for key, (person, _) in sorted(self.people.items()) if name.lower() in ("", key))

    def find_groups(self, settings: LdapSettings, name: str, dn: str) -> tuple[PersonGroup, ...]:
        self._ask(settings)
        return tuple(one for one in self.groups if (not name or one.name == name) and (not dn or one.key == dn))

    def _ask(self, settings: LdapSettings) -> None:
        self.settings.append(settings)
        if self.down is not None:
            raise self.down
