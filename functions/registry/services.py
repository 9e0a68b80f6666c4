"""What the handlers work with: the services of one registry, put together once."""

from __future__ import annotations

from dataclasses import dataclass

from functions.registry.settings import Challenge, HeadAnswers
from roadstead.services.blobs import Blobs
from roadstead.services.lists import Lists
from roadstead.services.manifests import Manifests
from roadstead.services.push import Push
from roadstead.services.uploads import Uploads
from roadstead.services.verification import TokenVerifier
from roadstead.stores.objects import BlobUrls
from roadstead.stores.secrets import EdgeSecretSource, UploadKeySource


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
    upload_origin: str  # of the distribution, where uploads go that came to the API by its own name; or empty
    token_service: str
    head_answers: HeadAnswers
    challenge: Challenge = Challenge.DIRECT
