"""What the registry function loads: a cold start pays for every import."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
before = set(sys.modules)
import functions.registry.handler
loaded = {name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
print(*sorted(loaded - {'__mp_main__'}))
print(*sorted(name for name in sys.modules if name.startswith(('functions.', 'roadstead.'))))
"""

ALLOWED = {
    "functions",
    "roadstead",
    "botocore",
    "urllib3",
    "dateutil",
    "six",
    "jmespath",
    "certifi",
    "cryptography",
    "_cffi_backend",  # these two are cryptography's
    "_openssl",
}


def test_the_registry_function_loads_only_what_it_needs() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    packages, ours = (set(line.split()) for line in done.stdout.splitlines())
    assert packages <= ALLOWED, f"on no list: {packages - ALLOWED}"
    assert {"botocore", "cryptography"} <= packages  # or the list is not looked at
    # Least privilege by function, seen from here: nothing that reads a password or signs a token.
    assert not {name for name in ours if name.startswith(("functions.token", "functions.webhook", "functions.console"))}
    assert not {name for name in ours if name.rpartition(".")[2] in ("passwords", "accounts", "minting", "directory")}
    assert not {name for name in ours if "memory" in name}
    assert not {name for name in ours if name.rpartition(".")[2] in ("upload_writer", "hashing")}  # for uploads alone
    assert "roadstead.aws.content.cloudfront" not in ours  # only where blobs are fetched from the distribution


def test_a_pull_needs_no_module_of_other_formats_of_keys() -> None:
    program = "import functions.registry.handler, sys; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert not {"cryptography.x509", "cryptography.hazmat.primitives.serialization.ssh", "ctypes"} & modules
