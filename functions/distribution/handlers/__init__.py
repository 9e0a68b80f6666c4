"""One function per endpoint and method: read the request, call one service, build the response."""
