"""`roadstead doctor`: check a registry, as its users see it and as its operator has set it up.

The checks from outside use only the public API and the standard library: they need no AWS credentials and no packages.
"""
