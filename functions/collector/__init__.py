"""The collector function: frees what nothing needs any more, once an hour."""
