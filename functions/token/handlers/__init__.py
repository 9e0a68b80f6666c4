"""One function per endpoint and method: a request in, a response out."""
