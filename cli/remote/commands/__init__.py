"""The commands as data, a module for each kind of resource."""
