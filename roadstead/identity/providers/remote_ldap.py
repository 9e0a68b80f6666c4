"""`Ldap` in another process: the questions and answers as JSON, and both of their ends.

{"ask": "sign-in", "settings": {…}, "name": …, "password": …}    {"person": {…} or null}
{"ask": "ping", "settings": {…}}                                {}
{"ask": "people", "settings": {…}, "name": …}                   {"people": [{…}]}
{"ask": "groups", "settings": {…}, "name": …, "dn": …}          {"groups": [[key, name]]}
any of them                                                    {"failed": {"step", "message"}}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from roadstead.identity.people import Person, PersonGroup, ProviderFailed
from roadstead.identity.providers.directories import Ldap, LdapSettings

Ask = Callable[[Mapping[str, Any]], Mapping[str, Any]]  # raises ProviderFailed


class RemoteLdap:
    """Ldap by `ask`. A directory has at most `patience` seconds, whatever its own timeout is."""

    def __init__(self, ask: Ask, *, patience: int) -> None:
        self._ask = ask
        self._patience = patience

    def sign_in(self, settings: LdapSettings, name: str, password: str) -> Person | None:
        person = self._asked("sign-in", settings, name=name, password=password)["person"]
        return Person.from_json(person) if person is not None else None

    def ping(self, settings: LdapSettings) -> None:
        self._asked("ping", settings)

    def find_people(self, settings: LdapSettings, name: str) -> tuple[Person, ...]:
        return tuple(map(Person.from_json, self._asked("people", settings, name=name)["people"]))

    def find_groups(self, settings: LdapSettings, name: str, dn: str) -> tuple[PersonGroup, ...]:
        return tuple(PersonGroup(*group) for group in self._asked("groups", settings, name=name, dn=dn)["groups"])

    def _asked(self, ask: str, settings: LdapSettings, **more: str) -> Mapping[str, Any]:
        bounded = replace(settings, timeout=min(settings.timeout, self._patience))
        answered = self._ask({"ask": ask, "settings": bounded.as_json(), **more})
        if "failed" in answered:
            raise ProviderFailed(answered["failed"]["step"], answered["failed"]["message"])
        return answered


def answer(ldap: Ldap, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a question. Raises KeyError for what is not one."""
    settings = LdapSettings.from_json(question["settings"])
    try:
        match question["ask"]:
            case "sign-in":
                person = ldap.sign_in(settings, question["name"], question["password"])
                return {"person": person.as_json() if person is not None else None}
            case "ping":
                ldap.ping(settings)
                return {}
            case "people":
                return {"people": [one.as_json() for one in ldap.find_people(settings, question["name"])]}
            case "groups":
                found = ldap.find_groups(settings, question["name"], question["dn"])
                return {"groups": [[group.key, group.name] for group in found]}
            case other:
                raise KeyError(other)
    except ProviderFailed as error:
        return {"failed": {"step": error.step, "message": str(error)}}
