"""The registry function: the OCI Distribution API behind API Gateway."""
