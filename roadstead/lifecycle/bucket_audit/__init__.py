"""The audit of the bucket: what is stored, compared with the index."""
