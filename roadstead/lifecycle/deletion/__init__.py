"""Deletion: repositories that end, the trash, and restoring from it."""
