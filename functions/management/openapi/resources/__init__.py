"""What the document says of each resource: its schemas, and its operations by name."""
