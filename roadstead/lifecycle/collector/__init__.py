"""The collector: frees what nothing needs any more."""
