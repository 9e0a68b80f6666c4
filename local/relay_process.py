"""The relay's process: `functions.relay`, stopped when its parent dies, which closes the pipe `STDIN`."""

from __future__ import annotations

import os
import signal
import sys
import threading

from functions.relay.__main__ import main


def _stop_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_stop_with_the_parent, daemon=True).start()
    sys.exit(main())
