"""On which backends a test runs."""

from __future__ import annotations

import pytest

# Without this mark a test runs on the stores in memory alone.
on_both_backends = pytest.mark.parametrize("build", ["memory", "aws"], indirect=True)
