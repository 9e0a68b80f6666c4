"""`roadstead doctor`: is a registry in order, as its users see it, and as its operator has set it up?

What is looked at from outside uses the public API alone, by the standard library, so that it needs neither credentials
of AWS nor anything installed.
"""
