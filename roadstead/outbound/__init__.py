"""Outgoing requests to endpoints that users configure.

Nothing else in the product opens a socket to a host that a user named; a test checks this.
"""
