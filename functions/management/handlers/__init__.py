"""The handlers of the management API, a room for each kind of resource, a module for each resource."""
