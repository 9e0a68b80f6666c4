"""The LDAP client, on the library ldap3. Only the function `ldap` imports it."""
