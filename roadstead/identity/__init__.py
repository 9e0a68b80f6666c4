"""Who may do what: accounts, grants, tokens, and the Protocols of the directory and of signing keys."""
