"""The rules of the registry: what each endpoint means. Services know the stores by their Protocols only."""
