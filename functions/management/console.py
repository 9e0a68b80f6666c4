"""The console's files: what `console/` was built to, served with the headers that keep a browser safe.

`/` leads to `/ui`. Every path below `/ui` is a page of the console, so it gets `index.html`, which a browser asks for
again each time (`no-cache`, answered 304 while it is the same). Files below `/assets/` have the hash of their content
in their names and never change; a name that is not there gets 404 and is kept by nobody.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from functions.management.errors import ManagementCode, ManagementError
from roadstead.http import Request, Response

BUILD_HEADER = "X-Roadstead-Build"  # by which a console of an earlier build learns that there is a newer one
BUILT = Path(__file__).parents[2] / "console" / "dist"
PAGES, ASSETS = "/ui", "/assets/"
# The registry answers nothing but its own files to a page, and a page runs nothing that is not a file. Markdown goes
# through DOMPurify, whose policy is the only one that may make HTML of text.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types dompurify",
    )
)
_ALWAYS = (
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_FOREVER = "public, max-age=31536000, immutable"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))  # the best first
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_ABSENT = (
    "This registry has no console, or not yet.\n\n"
    "On your own machine it is built in the background after `make up`; this page tries again by itself.\n"
    "A deployment has one unless `console = false` is among its settings.\n"
)


@dataclass(frozen=True, slots=True)
class _Files:
    """One build. `assets` holds the paths of files by their names, with those that are compressed."""

    build: str
    index: bytes
    assets: Mapping[str, Path]


@dataclass(slots=True)
class Console:
    """The files of a directory, which may come to be there, or be replaced, while this serves.

    `build.txt` in it is written last, and names the build.
    """

    directory: Path
    _read: tuple[int, _Files] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def build(self) -> str | None:
        """The id of the build; None while there is none."""
        files = self._files()
        return files.build if files is not None else None

    def respond(self, request: Request) -> Response | None:
        """Return the response, or None for a path that is not the console's. Raises 404 for an asset, 405."""
        path = request.path
        if path != "/" and path != PAGES and not path.startswith((f"{PAGES}/", ASSETS)):
            return None
        if request.method not in ("GET", "HEAD"):
            raise ManagementError(
                ManagementCode.METHOD_NOT_ALLOWED, "the console is only read", headers=[("Allow", "GET, HEAD")]
            )
        if path == "/":
            return Response(302, (("Location", PAGES), ("Cache-Control", "no-store")))
        files = self._files()
        if path.startswith(ASSETS):
            return self._asset(request, files, path.removeprefix(ASSETS))
        if files is None:
            headers = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), ("Refresh", "5"))
            return Response(404, headers, _ABSENT.encode())
        return _page(request, files)

    def _files(self) -> _Files | None:
        mark = self.directory / "build.txt"
        try:
            written = mark.stat().st_mtime_ns
        except OSError:
            return None
        with self._lock:
            if self._read is None or self._read[0] != written:
                assets = {path.name: path for path in (self.directory / "assets").iterdir()}
                index = (self.directory / "index.html").read_bytes()
                self._read = (written, _Files(mark.read_text().strip(), index, assets))
            return self._read[1]

    def _asset(self, request: Request, files: _Files | None, name: str) -> Response:
        path = files.assets.get(name) if files is not None else None
        if files is None or path is None or path.suffix in (".br", ".gz"):
            raise ManagementError(
                ManagementCode.NOT_FOUND, "this build of the console has no such file; reload the page"
            )
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = [("Content-Type", kind), ("Cache-Control", _FOREVER), ("Vary", "Accept-Encoding"), *_ALWAYS]
        accepted = _accepted(request.header("accept-encoding") or "")
        for encoding, suffix in _ENCODINGS:
            packed = files.assets.get(name + suffix)
            if encoding in accepted and packed is not None:
                return Response(200, (*headers, ("Content-Encoding", encoding)), packed.read_bytes())
        return Response(200, tuple(headers), path.read_bytes())


def _page(request: Request, files: _Files) -> Response:
    tag = f'"{files.build}"'
    headers = (("Cache-Control", "no-cache"), ("ETag", tag), *_ALWAYS)
    if request.has(tag):
        return Response(304, headers)
    return Response(200, (("Content-Type", "text/html; charset=utf-8"), *headers), files.index)


def _accepted(header: str) -> set[str]:
    """Return the codings of an Accept-Encoding header, without those whose weight is 0 (RFC 9110 section 12.5.3)."""
    accepted = set()
    for one in header.lower().split(","):
        coding, _, weight = one.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            accepted.add(coding.strip())
    return accepted
