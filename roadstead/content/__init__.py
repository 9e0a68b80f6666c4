"""OCI content: manifests, blobs, uploads and the lists of them, and the Protocols of the stores that keep them."""
