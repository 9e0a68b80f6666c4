"""The audit trail: what happened, the entries that record it, the audit log, and pull counts."""
