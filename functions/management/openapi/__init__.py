"""Our own description of the management API, OpenAPI 3.1: `/api/openapi.json`.

A module of `resources` has a resource's schemas and, by operation, what the document says beyond the row of the route
table. `document` puts them together with that table. Tests hold every response to it.
"""
