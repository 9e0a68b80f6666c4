"""S3, as far as Roadstead uses it: one bucket's objects are files, streamed in and out."""
