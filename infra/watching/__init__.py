"""What is seen of a deployment: logs, the audit trail, metrics, alarms, the dashboard."""
