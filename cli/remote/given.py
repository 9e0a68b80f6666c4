"""What was given on the command line, as the API takes it: paths, and ids where people write names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cli.failures import Failure
from cli.remote.client import Client, segment
from cli.remote.shapes import HARBOR, Given, Named

BY_NAME = {"X-Is-Resource-Name": "true"}  # what people write for a project is its name
MOST = 10_000  # items of a list among which a name is looked up: no list of names is longer


class Lookups:
    def __init__(self, client: Client) -> None:
        self._client = client

    def document(self, path: str) -> Any:
        """Return what is at a path. Raises Failure."""
        return self._client.call("GET", path, headers=BY_NAME).document()

    def project_id(self, name: str) -> str:
        """Raises Failure if there is no such project, or the caller may not see it."""
        return str(self.document(f"{HARBOR}/projects/{segment(name)}")["project_id"])

    def id_of(self, named: Named, what: str, text: str, given: Given) -> str:
        """Return an id: what was given if it is a number, or that of the item with the name. Raises Failure.

        A number names a project, as a name does, since the path says that it is one.
        """
        if named.single:
            found: Mapping[str, Any] = self.document(filled(named.path, given))
            return str(found[named.id])
        if text.isascii() and text.isdigit():
            return text
        looked: Named | None = named
        while looked is not None:
            query = looked.query(text, given, self.project_id)
            for one in self._client.items(filled(looked.path, given), query, MOST):
                if one.get(looked.name) == text:
                    return str(one[looked.id])
            looked = looked.otherwise
        raise Failure(f"There is no {what} {text}.")


def filled(path: str, given: Given) -> str:
    """Return a path with what was given in place of the braces."""
    return re.sub(r"\{(\w+)\}", lambda match: segment(str(given[match[1]])), path)
