"""Two JavaScript engines that run the functions as they are deployed: node, in the worker that the local edge uses, and
quickjs-ng with stand-ins for the runtime's modules. Neither is CloudFront's, so what both agree on is plain language.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import quickjs  # type: ignore[import-untyped]

from edge.build import FUNCTIONS, built
from edge.node import node

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a function returned, the id of the origin that it selected (None: the default), and what it logged.

    `group` has the parameters of the group of origins that it made, or None.
    """

    result: dict[str, Any]
    origin: str | None
    lines: tuple[str, ...] = ()
    group: dict[str, Any] | None = None


class FunctionError(Exception):
    """The function threw; CloudFront would answer 503."""


class Engine(Protocol):
    def run(self, function: str, event: dict[str, Any], query: str | None, store: dict[str, str]) -> Outcome:
        """Run one invocation. Raises FunctionError when the function throws."""
        ...

    def close(self) -> None: ...


class NodeEngine:
    """One node process for as many invocations as one likes."""

    def __init__(self, code: Callable[[str], str] = built) -> None:
        self._process = subprocess.Popen(
            [node(), str(ROOT / "local" / "edge" / "worker.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ids = itertools.count()
        self._say({"code": {name: code(name) for name in FUNCTIONS}})

    def run(self, function: str, event: dict[str, Any], query: str | None, store: dict[str, str]) -> Outcome:
        self._say(
            {"store": store, "id": next(self._ids), "function": function, "event": event, "query": query},
        )
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise FunctionError(answer["error"])
        return Outcome(answer["result"], answer["origin"], tuple(answer["lines"]), answer["group"])

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


_MODULES = """
const Buffer = {
  from(value, encoding) {
    if (typeof value !== 'string') throw new TypeError('only strings are supported here');
    const hex = __hex(value, encoding || 'utf8');
    return { hex: hex, toString: (to) => __text(hex, to || 'utf8') };
  },
};
const console = { log(text) { __lines.push(String(text)); } };
const __digest = (name, key) => {
  let data = '';
  return {
    update(text) { data = [data, text].join(''); return this; }, // joined: the binding cannot pass on a rope
    digest(encoding) { return __text(__hash(name, key, data), encoding); },
  };
};
const __modules = {
  crypto: {
    createHash: (name) => __digest(name, null),
    createHmac: (name, key) => __digest(name, key.hex),
  },
  cloudfront: {
    kvs: () => ({
      async get(key, options) {
        if (!(key in __store)) throw new Error('KeyNotFound');
        return options && options.format === 'json' ? JSON.parse(__store[key]) : __store[key];
      },
    }),
    selectRequestOriginById(id) { __origin = id; },
    createRequestOriginGroup(group) { __group = group; },
  },
};
let __store = {}, __origin = null, __group = null, __answer = null, __lines = [];
async function __run(handler, text, query) {
  const event = JSON.parse(text);
  event.request.rawQueryString = () => (query === null ? undefined : query);
  __origin = null;
  __group = null;
  __answer = null;
  __lines = [];
  try {
    __answer = JSON.stringify({ result: await handler(event), origin: __origin, group: __group, lines: __lines });
  } catch (error) {
    __answer = JSON.stringify({ error: String(error) });
  }
}
"""


class QuickJsEngine:
    """quickjs-ng in this process; hashing and encodings are Python's."""

    def __init__(self, code: Callable[[str], str] = built) -> None:
        self._context = quickjs.Context()
        for name, function in (("__hex", _to_hex), ("__text", _from_hex), ("__hash", _hash)):
            self._context.add_callable(name, function)
        self._context.eval(_MODULES)
        for name in FUNCTIONS:
            source = code(name).replace("import cf from 'cloudfront';", "const cf = __modules.cloudfront;")
            source = source.replace("import crypto from 'crypto';", "const crypto = __modules.crypto;")
            self._context.eval(f"const __{name} = (function () {{ 'use strict'; {source} return handler; }})();")

    def run(self, function: str, event: dict[str, Any], query: str | None, store: dict[str, str]) -> Outcome:
        self._context.eval(f"__store = {json.dumps(store)};")
        self._context.eval(f"__run(__{function}, {json.dumps(json.dumps(event))}, {json.dumps(query)});")
        while self._context.execute_pending_job():
            pass
        answer = json.loads(self._context.eval("__answer"))
        if "error" in answer:
            raise FunctionError(answer["error"])
        return Outcome(answer["result"], answer["origin"], tuple(answer["lines"]), answer["group"])

    def close(self) -> None:
        self._context.gc()


def _to_hex(text: str, encoding: str) -> str:
    if encoding == "hex":
        return bytes.fromhex(text).hex()
    if encoding in ("base64", "base64url"):
        # As Buffer does: characters of neither alphabet are skipped, and a last one that makes no byte is dropped.
        kept = re.sub(r"[^A-Za-z0-9+/]", "", text.partition("=")[0].replace("-", "+").replace("_", "/"))
        kept = kept[: len(kept) - (len(kept) % 4 == 1)]
        return base64.b64decode(kept + "=" * (-len(kept) % 4)).hex()
    return text.encode("utf-8", "replace").hex()


def _from_hex(text: str, encoding: str) -> str:
    data = bytes.fromhex(text)
    if encoding == "hex":
        return text
    if encoding == "base64":
        return base64.b64encode(data).decode()
    if encoding == "base64url":
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    return data.decode("utf-8", "replace")


def _hash(name: str, key: str | None, text: str) -> str:
    data = text.encode("utf-8", "replace")
    if key is None:
        return hashlib.new(name, data).hexdigest()
    return hmac.new(bytes.fromhex(key), data, name).hexdigest()
