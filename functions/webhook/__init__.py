"""The webhook function: writes the audit trail and sends notifications."""
