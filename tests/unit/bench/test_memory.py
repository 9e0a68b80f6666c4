from __future__ import annotations

import os
import subprocess
import sys

from bench import memory

# Takes 64 MiB and gives them back at each line that comes in; its child only lives.
_PROGRAM = """
import subprocess, sys
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
for line in sys.stdin:
    data = bytearray(b"x") * (64 << 20)
    del data
    print("taken", flush=True)
child.kill()
child.wait()
"""


def test_a_peak_lasts_until_it_is_reset() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "functions.relay"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert memory.processes(process.pid) == {process.pid, child}
        before = memory.peaks([process.pid])
        assert set(before) == {"relay", "sleep 60"}
        print("take", file=process.stdin, flush=True)
        assert process.stdout.readline() == "taken\n"
        assert memory.peaks([process.pid])["relay"] > before["relay"] + 60
        memory.forget_peaks([process.pid])
        assert memory.peaks([process.pid])["relay"] < before["relay"] + 30
        process.stdin.close()


def test_a_process_that_has_ended_has_no_peak() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    memory.forget_peaks([gone.pid])
    assert memory.peaks([gone.pid]) == {}
    assert os.getpid() in memory.processes(os.getpid())
