"""The collector function: frees what nothing needs any more, and runs executions."""
