"""Text that others chose, made safe to show in a terminal, a log or a table.

Names, User-Agents and error messages come from whoever sends them. A control character moves the cursor or forges a
column or a line; a bidirectional one reorders what is read (Unicode TR 36, "Bidirectional Text Spoofing").
"""

from __future__ import annotations

import json
import re

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 controls, DEL, C1 controls
    "\u00ad\u061c\u180e"  # soft hyphen, Arabic letter mark, Mongolian vowel separator
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width and directional marks, separators, embeddings, isolates
    "\ufeff\ufff9-\ufffb"  # byte order mark, interlinear annotation
    "\ud800-\udfff"  # surrogates, which no encoding can write
    "\U000e0000-\U000e007f"  # tags
    "]"
)


def printable(text: str) -> str:
    r"""Return `text` with control, bidirectional and invisible characters as JSON escapes (`\u202e`, `\t`)."""
    return _UNSAFE.sub(_escape, text)


def encodable(text: str) -> str:
    """Return `text` with `?` for each unpaired surrogate, which JSON can express and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]
