"""The audit trail: events, entries, the audit log, pull counts."""
