"""Which event is whose, and what the function loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from functions.webhook.dispatch import UnknownSource
from tests.unit.functions.webhook.parts import Function, messages

_PROGRAM = """
import sys
before = set(sys.modules)
import functions.webhook.handler
loaded = {name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
print(*sorted(loaded - {'__mp_main__'}))
print(*sorted(name for name in sys.modules if name.startswith(('functions.', 'roadstead.'))))
"""


@pytest.mark.parametrize(
    "event",
    [{}, {"Records": []}, {"Records": [{"eventSource": "aws:kinesis"}]}, {"detail-type": "x"}],
    ids=str,
)
def test_an_event_that_nobody_wired_is_an_error(event: dict[str, object]) -> None:
    with pytest.raises(UnknownSource):
        Function().handle(event)


def test_a_queue_that_nobody_named_is_an_error_and_its_messages_are_kept() -> None:
    function = Function()
    with pytest.raises(UnknownSource, match="somebody-elses"):
        function.handle(messages("x", queue="somebody-elses"))


def test_the_function_loads_only_what_it_needs() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    packages, ours = (set(line.split()) for line in done.stdout.splitlines())
    allowed = {"functions", "roadstead", "botocore", "urllib3", "dateutil", "six", "jmespath"}
    assert packages <= allowed | {"certifi"}, packages - allowed
    assert not {name for name in ours if name.startswith(("functions.registry", "functions.token"))}
    assert not {
        name for name in ours if name.rpartition(".")[2] in ("passwords", "accounts", "minting", "verification")
    }
