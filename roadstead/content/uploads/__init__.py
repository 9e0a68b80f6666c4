"""Uploads of blobs: sessions and their tokens, bytes on their way to S3, what becomes of the finished object."""
