"""The token function: verifies who asks and signs what they may do (the Docker registry's token specification)."""
