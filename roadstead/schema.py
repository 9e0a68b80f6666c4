"""The version of the shapes of the index's items, kept in the index itself: `schema` / `index`, `version`.

Raise it when a shape changes so that older items are not understood. Whoever makes a table notes it, and so does a
rebuild of the index. Nothing reads it while it serves.
"""

VERSION = 4
KEY = ("schema", "index")
