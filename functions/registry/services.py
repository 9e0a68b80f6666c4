"""What the handlers work with: the services of one registry, put together once."""

from __future__ import annotations

from dataclasses import dataclass

from functions.registry.settings import HeadAnswers
from roadstead.services.blobs import Blobs
from roadstead.services.lists import Lists
from roadstead.services.manifests import Manifests
from roadstead.services.push import Push
from roadstead.services.uploads import Uploads
from roadstead.services.verification import TokenVerifier
from roadstead.stores.objects import Objects
from roadstead.stores.secrets import EdgeSecretSource, UploadKeySource


@dataclass(frozen=True, slots=True)
class Services:
    blobs: Blobs
    lists: Lists
    manifests: Manifests
    push: Push
    uploads: Uploads
    objects: Objects
    verifier: TokenVerifier
    upload_keys: UploadKeySource
    edge_secrets: EdgeSecretSource | None
    upload_host: str
    token_service: str
    head_answers: HeadAnswers
