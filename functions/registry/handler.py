"""The registry function's entry and composition root: everything is put together once per environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import cache
from typing import Any

from functions import tracing
from functions.boundary import lambda_answer
from functions.registry.application import Application
from functions.registry.services import Services
from functions.registry.settings import BlobsAt, Settings, UploadsAt
from roadstead.services.adoption import Adoption
from roadstead.services.blobs import Blobs
from roadstead.services.events import EventMaker
from roadstead.services.jose import trusted_keys
from roadstead.services.lists import Lists
from roadstead.services.manifests import Manifests
from roadstead.services.push import Push
from roadstead.services.uploads import UploadLimits, Uploads
from roadstead.services.verification import TokenVerifier
from roadstead.stores.aws import client
from roadstead.stores.dynamodb_blobs import DynamoBlobIndex
from roadstead.stores.dynamodb_manifests import DynamoManifestIndex
from roadstead.stores.dynamodb_uploads import DynamoUploadSessions
from roadstead.stores.kms import KmsKeys
from roadstead.stores.objects import BlobUrls
from roadstead.stores.s3 import S3Objects
from roadstead.stores.ssm import SsmEdgeSecrets, SsmUploadKeys
from roadstead.stores.table import Table


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """API Gateway payload 1.0 in, payload 1.0 out."""
    registry = application()
    return lambda_answer(event, registry.respond, head_bodies=registry.head_bodies, function="registry")


@cache
def application() -> Application:
    """Built when first asked for; anew the next time if that failed."""
    return Application(build(Settings.from_environ(os.environ)))


def prepare() -> None:
    """What can be done before the first request: read the settings, make the clients, trace them."""
    tracing.start(Settings.from_environ(os.environ).tracing)
    application()


def build(
    settings: Settings, *, limits: UploadLimits | None = None, executor: Executor | None = None, s3: Any = None
) -> Services:
    """The services on DynamoDB, S3, KMS and SSM. Makes clients, but no call.

    A host that streams brings its own limits, an executor for the parts, and a client with the connections they need.
    """
    table = Table(client("dynamodb"), settings.index_table)
    blobs, manifests = DynamoBlobIndex(table), DynamoManifestIndex(table)
    objects = S3Objects(s3 or client("s3"), settings.bucket, url_seconds=settings.url_seconds)
    events = EventMaker()
    adoption = Adoption(blobs, objects, events)
    public_keys, ssm = KmsKeys(client("kms")), client("ssm")
    return Services(
        blobs=Blobs(blobs=blobs, manifests=manifests, adoption=adoption, events=events),
        lists=Lists(manifests=manifests, objects=objects),
        manifests=Manifests(manifests=manifests, blobs=blobs, objects=objects, events=events),
        push=Push(
            manifests=manifests,
            blobs=blobs,
            objects=objects,
            adoption=adoption,
            events=events,
            index_children=settings.index_children,
        ),
        uploads=Uploads(
            sessions=DynamoUploadSessions(table),
            blobs=blobs,
            objects=objects,
            events=events,
            limits=limits or UploadLimits(lifetime=settings.upload_seconds, max_bytes=settings.max_blob_bytes),
            executor=executor,
        ),
        urls=_urls(settings, ssm) or objects,
        verifier=TokenVerifier(
            lambda: trusted_keys(public_keys, settings.token_keys),
            issuer=settings.token_issuer,
            service=settings.token_service,
        ),
        upload_keys=SsmUploadKeys(ssm, settings.upload_keys_parameter),
        edge_secrets=SsmEdgeSecrets(ssm, settings.edge_secret_parameter) if settings.edge_secret_parameter else None,
        upload_origin=settings.distribution_url if settings.uploads_at is UploadsAt.DISTRIBUTION else "",
        token_service=settings.token_service,
        head_answers=settings.head_answers,
        challenge=settings.challenge,
    )


def _urls(settings: Settings, ssm: Any) -> BlobUrls | None:
    if settings.blobs_at is BlobsAt.S3:
        return None
    # Only where it is used: its signer is not needed for anything else.
    from roadstead.stores.cloudfront import DistributionUrls

    return DistributionUrls(
        ssm,
        origin=settings.distribution_url,
        key_id=settings.blob_url_key_id,
        key_parameter=settings.blob_url_key_parameter,
        seconds=settings.url_seconds,
    )
