"""The ldap function: it alone talks to LDAP directories, and may be in a VPC with them."""
