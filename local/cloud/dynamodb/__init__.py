"""DynamoDB, as far as Roadstead uses it, and its streams."""
