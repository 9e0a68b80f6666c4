"""The registry as a whole: configuration, the audit trail, garbage collection, executions."""
