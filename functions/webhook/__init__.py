"""The function that hears of what happened: the audit trail and outgoing notifications."""
