"""The handlers of the management API, a module per resource."""
