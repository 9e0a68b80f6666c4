"""LDAP directories."""

from __future__ import annotations

from collections.abc import Mapping

from functions.management.openapi.described import (
    Described,
    Parameter,
    Schema,
    array,
    flag,
    number,
    obj,
    ref,
    text,
)

SCHEMAS: Mapping[str, Schema] = {
    "LdapConf": obj(
        {},
        {
            "ldap_url": text("up to five URLs, separated by spaces"),
            "ldap_search_dn": text(),
            "ldap_search_password": text("empty: the kept one, if server and account are the kept ones, too"),
            "ldap_base_dn": text(),
            "ldap_filter": text(),
            "ldap_uid": text(),
            "ldap_scope": number(minimum=0, maximum=2),
            "ldap_connection_timeout": number(minimum=1, maximum=25),
            "ldap_verify_cert": flag(),
        },
    ),
    "LdapPingResult": obj({"success": flag(), "message": text("which step failed, and what to check")}),
    "LdapUser": obj({"username": text(), "realname": text(), "email": text()}),
    "LdapGroup": obj({"group_name": text(), "ldap_group_dn": text(), "group_type": number()}),
    "LdapFailedImport": obj({"uid": text(), "error": text("why")}),
    "LdapImport": obj({"ldap_uid_list": array(text())}),
}

OPERATIONS: Mapping[str, Described] = {
    "pingLdap": Described("Test a directory", ref("LdapPingResult"), body=ref("LdapConf"), also=(400,)),
    "searchLdapUser": Described(
        "Find people in the directory", array(ref("LdapUser")), query=(Parameter("username", text()),), also=(400,)
    ),
    "searchLdapGroup": Described(
        "Find groups in the directory",
        array(ref("LdapGroup")),
        query=(Parameter("groupname", text()), Parameter("groupdn", text())),
        also=(400, 404),
    ),
    "importLdapUser": Described(
        "Create accounts for people",
        body=ref("LdapImport"),
        also=(400, 404),
        errors={404: array(ref("LdapFailedImport"), "those for whom it failed")},
    ),
}
