"""The edge as components of the local cloud: the functions' processes, and the distribution on the public port."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from edge import build
from edge.names import API, BLOBS, RELAY, SECRET_HEADER
from local.edge.distribution import Edge
from local.edge.function_workers import FunctionWorkers
from local.edge.origins import Origin
from local.edge.signed_urls import KeyGroup
from local.edge.storage import Signing
from local.gateway.http_api import HttpServer

API_TIMEOUT = 30.0  # seconds; CloudFront's default response timeout
STORAGE_TIMEOUT = 120.0  # seconds, as the distribution is configured for S3
RELAY_TIMEOUT = 120.0  # also for the relay, which completes a multipart upload before it responds


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """The configuration of the distribution. URLs have no trailing slash; `relay` is None without a relay."""

    api: str
    bucket: str  # the URL of the bucket itself, path style
    relay: str | None
    # The functions' URLs by name; none if reads take the API.
    readers: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    secret: str = field(repr=False)
    access_key: str
    secret_key: str = field(repr=False)
    region: str
    blob_keys: KeyGroup | None = None  # of signed URLs, if blobs are pulled through the distribution
    redirects: str = ""  # the S3 that clients are redirected to, if not every client can reach it
    scheme: str = "http"  # of the registry's URL
    error_caching: float = 0.0  # seconds: ErrorCachingMinTTL, of which CloudFront's default is 10


def key_value_store(upload_keys: str, *, relay: bool) -> dict[str, str]:
    """Return the key-value store's content. `upload_keys` is the JSON that `UploadKeys.from_json` reads, verbatim."""
    return {"upload-keys": upload_keys, "relay": "on" if relay else "off"}


def components(
    settings: EdgeSettings, upload_keys: Callable[[], str], listener: socket.socket
) -> tuple[FunctionWorkers, HttpServer]:
    """Return the components in the order of their start. `upload_keys` is called when they start."""
    reads = "function" if settings.readers else "api"
    workers = FunctionWorkers(
        {name: build.built(name, scheme=settings.scheme, reads=reads) for name in build.FUNCTIONS},
        lambda: key_value_store(upload_keys(), relay=settings.relay is not None),
    )
    edge = Edge(
        workers,
        _origins(settings),
        blob_keys=settings.blob_keys,
        error_caching=settings.error_caching,
        redirects=Origin(settings.redirects, (), STORAGE_TIMEOUT) if settings.redirects else None,
    )
    return workers, HttpServer("the edge", edge, listener)


def _origins(settings: EdgeSettings) -> Mapping[str, Origin]:
    secret = ((SECRET_HEADER, settings.secret),)
    signing = Signing(settings.access_key, settings.secret_key, settings.region)
    origins = {
        API: Origin(settings.api, secret, API_TIMEOUT),
        BLOBS: Origin(settings.bucket, (), STORAGE_TIMEOUT, signing),
    }
    to_functions = replace(signing, service="lambda")
    for name, url in settings.readers.items():
        origins[name] = Origin(url, secret, API_TIMEOUT, to_functions)
    if settings.relay is not None:
        origins[RELAY] = Origin(settings.relay, secret, RELAY_TIMEOUT)
    return origins
