"""The relay: the upload service on a server that streams, for what neither S3 nor a Lambda takes from clients."""
