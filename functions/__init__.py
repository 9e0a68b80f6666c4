"""The Lambda functions: events in, responses out. Only ever imported as `functions.<name>`."""
