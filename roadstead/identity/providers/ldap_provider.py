"""LDAP as a provider of passwords: the directory that the configuration names."""

from __future__ import annotations

from dataclasses import dataclass, field

from roadstead.identity.configuration import Configuration, ConfigurationReader
from roadstead.identity.people import LDAP, Person
from roadstead.identity.providers.directories import Ldap, LdapSettings


def is_configured(configuration: Configuration) -> bool:
    return bool(configuration.text("ldap_url"))


@dataclass(slots=True)
class LdapProvider:
    """PasswordProvider. The search account's password costs one read of the secret when it was changed."""

    ldap: Ldap
    configuration: ConfigurationReader
    name: str = LDAP
    _kept: tuple[str, str] = field(default=("", ""), repr=False)  # the reference of the secret, and the secret

    def authenticate(self, name: str, password: str) -> Person | None:
        return self.ldap.sign_in(self.settings(), name, password)

    def settings(self) -> LdapSettings:
        """Return the directory's settings as the configuration has them."""
        configuration = self.configuration.read()
        reference = configuration.reference("ldap_search_password")
        if self._kept[0] != reference:
            self._kept = (reference, self.configuration.secret("ldap_search_password"))
        return settings_of(configuration, self._kept[1])


def settings_of(configuration: Configuration, search_password: str) -> LdapSettings:
    return LdapSettings(
        url=configuration.text("ldap_url"),
        base_dn=configuration.text("ldap_base_dn"),
        search_dn=configuration.text("ldap_search_dn"),
        search_password=search_password,
        filter=configuration.text("ldap_filter"),
        uid=configuration.text("ldap_uid"),
        scope=configuration.number("ldap_scope"),
        timeout=configuration.number("ldap_timeout"),
        verify_cert=configuration.flag("ldap_verify_cert"),
        group_base_dn=configuration.text("ldap_group_base_dn"),
        group_search_filter=configuration.text("ldap_group_search_filter"),
        group_attribute_name=configuration.text("ldap_group_attribute_name"),
        group_search_scope=configuration.number("ldap_group_search_scope"),
        group_membership_attribute=configuration.text("ldap_group_membership_attribute"),
        group_admin_dn=configuration.text("ldap_group_admin_dn"),
    )
