"""SHA-2 hashes that survive between requests: a chunked upload's running digest.

`hashlib` cannot export its state, so this drives libcrypto's low-level `SHA256_*` and `SHA512_*` functions, whose
context is a plain structure of 112 or 216 bytes that can be copied out and in again. They are deprecated since
OpenSSL 3.0 but part of its ABI; the module tests itself at import and refuses to load where they do not hash right.
The exported state is trusted: keep it where no client can write.
"""

from __future__ import annotations

import ctypes
import hashlib

from roadstead.digest import ALGORITHMS, Digest

_CONTEXT_BYTES = {"sha256": 112, "sha512": 216}
_DIGEST_BYTES = {"sha256": 32, "sha512": 64}


def _libcrypto() -> ctypes.CDLL:
    """Load it by the names of its releases, and only then search: a search starts other programs."""
    for find in (lambda: None, lambda: "libcrypto.so.3", lambda: "libcrypto.so.1.1", _search):
        try:
            library = ctypes.CDLL(find())
            library.SHA256_Init  # noqa: B018 - looked up for its AttributeError
            return library
        except (OSError, AttributeError):
            continue
    raise ImportError("no libcrypto with SHA256_Init on this system: install OpenSSL's shared library (libssl3)")


def _search() -> str | None:
    import ctypes.util

    return ctypes.util.find_library("crypto")


_LIBCRYPTO = _libcrypto()


class RunningHash:
    """One hash in progress. Not safe for use from two threads at once."""

    __slots__ = ("_context", "algorithm")

    def __init__(self, algorithm: str, state: bytes | None = None) -> None:
        """Start a new hash, or continue from `state`. Raises ValueError for a state of the wrong length."""
        size = _CONTEXT_BYTES[algorithm]
        self.algorithm = algorithm
        self._context = ctypes.create_string_buffer(size)
        if state is None:
            _function(algorithm, "Init")(self._context)
        elif len(state) == size:
            self._context.raw = state
        else:
            raise ValueError(f"a {algorithm} state has {size} bytes, not {len(state)}")

    def update(self, data: bytes) -> None:
        _function(self.algorithm, "Update")(self._context, data, ctypes.c_size_t(len(data)))

    def state(self) -> bytes:
        """Return the current context, for `RunningHash(algorithm, state)`."""
        return self._context.raw

    def digest(self) -> Digest:
        """Return the digest of the data so far; more data may follow."""
        context = ctypes.create_string_buffer(self._context.raw, len(self._context.raw))
        out = ctypes.create_string_buffer(_DIGEST_BYTES[self.algorithm])
        _function(self.algorithm, "Final")(out, context)
        return Digest(f"{self.algorithm}:{out.raw.hex()}")


def _function(algorithm: str, step: str) -> ctypes._NamedFuncPointer:
    function: ctypes._NamedFuncPointer = getattr(_LIBCRYPTO, f"{algorithm.upper()}_{step}")
    return function


def _test() -> None:
    data = bytes(range(256)) * 3
    for algorithm in ALGORITHMS:
        first = RunningHash(algorithm)
        first.update(data[:200])
        second = RunningHash(algorithm, first.state())
        second.update(data[200:])
        if second.digest().hex != hashlib.new(algorithm, data).hexdigest():
            raise ImportError(f"libcrypto's {algorithm} does not resume: its context is not the structure expected")


_test()
