"""Executions: work that takes longer than a request, started by people, by other work or by a schedule."""
