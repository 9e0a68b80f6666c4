"""The HTTP application of the OCI Distribution API. The registry function (Lambda) and the relay host it."""
