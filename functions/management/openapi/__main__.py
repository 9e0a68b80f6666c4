"""`python -m functions.management.openapi` prints the OpenAPI document, as `/api/openapi.json` serves it."""

from __future__ import annotations

import json

from functions.management.openapi.document import document
from functions.management.routes import ROUTES

if __name__ == "__main__":
    print(json.dumps(document(ROUTES)))
