"""The registry function's settings. docs/settings.md lists them; a test compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.hosting.environ import Environ
from functions.hosting.tracing import Tracing
from roadstead.content.push import IndexChildren
from roadstead.http import DISTRIBUTION

STAGE = "stage"  # as DISTRIBUTION_URL: a variable of the HTTP API's stage has it
STAGE_VARIABLE = DISTRIBUTION


class HeadAnswers(StrEnum):
    """How to respond to HEAD, in case the gateway does not pass on a Content-Length without a body.

    `length`: a Content-Length and no body, as the specification says. `body`: HEAD of a manifest with its body, which
    the gateway cuts off. `redirect`: as `body`, and HEAD of a blob with a 307 to a URL signed for HEAD.
    """

    LENGTH = "length"
    BODY = "body"
    REDIRECT = "redirect"


class Challenge(StrEnum):
    """How the challenge of a 401 reaches the client.

    `direct`: in `WWW-Authenticate`. `mapped`: also in a header of our own, from which an HTTP API that renames
    `WWW-Authenticate` restores it (parameter mapping).
    """

    DIRECT = "direct"
    MAPPED = "mapped"


class UploadsAt(StrEnum):
    """Where clients of the API's own host name send uploads. Those of the distribution stay there.

    `distribution`: layers of any size, with every client except oras 1.3, which does not follow to another host.
    `same-host`: every client, up to the size that Lambda accepts. Without a distribution it is always the latter.
    """

    DISTRIBUTION = "distribution"
    SAME_HOST = "same-host"


class BlobsAt(StrEnum):
    """Where clients fetch blobs: `s3` is free inside the region, `distribution` is cheaper outside of it."""

    S3 = "s3"
    DISTRIBUTION = "distribution"


class AuditBlobs(StrEnum):
    """Which blobs have an entry of the trail when they are pulled: none, as the pull of their manifest counts them; or
    each, for every request."""

    COUNTED = "counted"
    EACH = "each"


@dataclass(frozen=True, slots=True)
class Settings:
    """`distribution_url` and `edge_secret_parameter` are empty if there is no distribution; the former also if the HTTP
    API's stage names it, since a function whose URL is an origin of the distribution cannot.

    `token_public_keys` are the points of `token_keys` (`Environ.public_keys`); if it is empty, KMS is asked.

    Uploads that began at the API's own host name go to `uploads_url`: the distribution, or a relay with its own name.


    With `via_distribution_only` every request that did not come through the distribution is refused.

    `url_seconds`, `upload_seconds` and `upload_url_seconds` in seconds, `max_blob_bytes` in bytes."""

    index_table: str
    bucket: str
    token_keys: tuple[str, ...]
    token_public_keys: Mapping[str, bytes]
    token_issuer: str
    token_service: str
    upload_keys_parameter: str
    distribution_url: str
    uploads_url: str
    edge_secret_parameter: str
    via_distribution_only: bool
    uploads_at: UploadsAt
    blobs_at: BlobsAt
    blob_url_key_id: str
    blob_url_key_parameter: str
    url_seconds: int
    upload_seconds: int
    upload_url_seconds: int
    max_blob_bytes: int
    index_children: IndexChildren
    head_answers: HeadAnswers
    challenge: Challenge
    audit_blobs: AuditBlobs
    tracing: Tracing
    metrics: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError, which names every missing or wrong key."""
        read = Environ(environ)
        blobs_at = read.choice("BLOBS_AT", BlobsAt.S3)
        needs_key = None if blobs_at is BlobsAt.DISTRIBUTION else ""
        by_stage = environ.get("DISTRIBUTION_URL", "").strip() == STAGE
        distribution_url = "" if by_stage else read.origin("DISTRIBUTION_URL", needs_key)
        only = read.flag("VIA_DISTRIBUTION_ONLY")
        token_keys = read.texts("TOKEN_KEYS")
        settings = cls(
            index_table=read.text("INDEX_TABLE"),
            bucket=read.text("BUCKET"),
            token_keys=token_keys,
            token_public_keys=read.public_keys("TOKEN_PUBLIC_KEYS", token_keys),
            token_issuer=read.name("TOKEN_ISSUER", "roadstead"),
            token_service=read.name("TOKEN_SERVICE", "roadstead"),
            upload_keys_parameter=read.text("UPLOAD_KEYS_PARAMETER"),
            distribution_url=distribution_url,
            uploads_url=read.origin("UPLOADS_URL", "") or distribution_url,
            edge_secret_parameter=read.text(
                "EDGE_SECRET_PARAMETER", None if distribution_url or by_stage or only else ""
            ),
            via_distribution_only=only,
            uploads_at=read.choice("UPLOADS_AT", UploadsAt.DISTRIBUTION),
            blobs_at=blobs_at,
            blob_url_key_id=read.text("BLOB_URL_KEY_ID", needs_key),
            blob_url_key_parameter=read.text("BLOB_URL_KEY_PARAMETER", needs_key),
            url_seconds=read.number("URL_SECONDS", 900, least=60, most=3_600),
            upload_seconds=read.number("UPLOAD_SECONDS", 86_400, least=600, most=604_800),
            upload_url_seconds=read.number("UPLOAD_URL_SECONDS", 1_800, least=60, most=86_400),
            max_blob_bytes=read.number("MAX_BLOB_BYTES", 50 * 1000**3, least=1, most=5 * 1024**4),
            index_children=read.choice("INDEX_CHILDREN", IndexChildren.ALL),
            head_answers=read.choice("HEAD_ANSWERS", HeadAnswers.LENGTH),
            challenge=read.choice("CHALLENGE", Challenge.DIRECT),
            audit_blobs=read.choice("AUDIT_BLOBS", AuditBlobs.COUNTED),
            tracing=read.choice("TRACING", Tracing.OFF),
            metrics=read.flag("METRICS"),
        )
        read.check()
        return settings
