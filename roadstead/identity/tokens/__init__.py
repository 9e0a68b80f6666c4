"""Tokens of the registry: what they grant, how they are made, signed and verified."""
