"""Whether a server responds yet."""

from __future__ import annotations

import urllib.error
import urllib.request


def answers(url: str) -> bool:
    """Whether a GET of `url` gets a 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own URL
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
