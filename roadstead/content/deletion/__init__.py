"""What is deleted, what can be restored, and what the collector is to examine."""
