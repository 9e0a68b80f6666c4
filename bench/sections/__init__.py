"""The sections of `python -m bench`: each measures, and shows a table."""
