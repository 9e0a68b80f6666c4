"""The indexer: derives what pages show from what the index table's stream hints at."""
