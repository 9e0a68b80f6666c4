"""The collector's times: safe beside pushes, unless it is a trial on one machine."""

from __future__ import annotations

import pytest

from functions.collector.settings import Settings
from functions.hosting.environ import SettingsError
from roadstead.lifecycle.collector.run import MIN_FENCE, MIN_GRACE

NEEDED = {"INDEX_TABLE": "index", "IDENTITY_TABLE": "people", "BUCKET": "bucket"}


@pytest.mark.parametrize("name", ["COLLECT_GRACE", "COLLECT_FENCE"])
def test_times_that_are_not_safe_beside_pushes_are_for_a_trial_only(name: str) -> None:
    least = {"COLLECT_GRACE": MIN_GRACE, "COLLECT_FENCE": MIN_FENCE}[name]
    with pytest.raises(SettingsError, match=name):
        Settings.from_environ({**NEEDED, name: str(least - 1)})
    Settings.from_environ({**NEEDED, name: str(least)})
    assert Settings.from_environ({**NEEDED, name: "0", "COLLECT_TRIAL": "on"}).trial


def test_the_times_are_the_shortest_that_are_safe_unless_they_are_set() -> None:
    settings = Settings.from_environ(NEEDED)
    assert (settings.grace, settings.fence, settings.trial) == (MIN_GRACE, MIN_FENCE, False)
