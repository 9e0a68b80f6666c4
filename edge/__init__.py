"""The upload data plane at the edge: what CloudFront runs. README.md has the whole; the relay is beside it."""
