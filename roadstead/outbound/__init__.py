"""What lies outside: endpoints of other people's servers, and the one way by which this registry talks to them.

Nothing else in the product opens a socket to a host that a user has named, and a test holds it to that.
"""
