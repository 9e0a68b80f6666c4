"""Robots: accounts of machines, with permissions, a secret and an end."""
