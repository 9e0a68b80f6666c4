"""The services that handlers use, built once per process."""

from __future__ import annotations

from dataclasses import dataclass

from functions.distribution.settings import AuditBlobs, Challenge, HeadAnswers, UploadsAt
from functions.hosting.viewer import EdgeSecretSource
from roadstead.content.blobs import Blobs
from roadstead.content.lists import Lists
from roadstead.content.manifests import Manifests
from roadstead.content.objects import BlobUrls
from roadstead.content.push import Push
from roadstead.content.uploads.token import UploadKeySource
from roadstead.content.uploads.uploads import Uploads
from roadstead.identity.tokens.verification import TokenVerifier


@dataclass(frozen=True, slots=True)
class Services:
    blobs: Blobs
    lists: Lists
    manifests: Manifests
    push: Push
    uploads: Uploads
    urls: BlobUrls
    verifier: TokenVerifier
    upload_keys: UploadKeySource
    edge_secrets: EdgeSecretSource | None
    upload_origin: str  # for uploads that began at the API's own host name; empty if the request tells (`Call`)
    token_service: str
    head_answers: HeadAnswers
    challenge: Challenge = Challenge.DIRECT
    audit_blobs: AuditBlobs = AuditBlobs.COUNTED
    via_distribution_only: bool = False
    uploads_at: UploadsAt = UploadsAt.DISTRIBUTION
