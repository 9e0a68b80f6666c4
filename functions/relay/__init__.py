"""The relay: hosts the upload endpoints on a server that streams request bodies."""
