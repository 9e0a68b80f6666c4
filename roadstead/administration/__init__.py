"""What crosses the wings: counts over identity and content, and the end of a project."""
