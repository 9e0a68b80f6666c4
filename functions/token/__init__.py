"""The token function: authenticates clients and issues access tokens (Docker registry token specification)."""
