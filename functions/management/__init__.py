"""The management function: Harbor's API, our own beside it, and the console's files."""
