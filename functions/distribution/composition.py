"""The composition root that the registry function and the relay share: DynamoDB, S3, KMS and SSM."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from functions.distribution.services import Services
from functions.distribution.settings import BlobsAt, Settings
from roadstead.aws.clients import Deferred, client
from roadstead.aws.content.dynamodb_blobs import DynamoBlobIndex
from roadstead.aws.content.dynamodb_manifests import DynamoManifestIndex
from roadstead.aws.content.dynamodb_uploads import DynamoUploadSessions
from roadstead.aws.content.s3 import S3Objects
from roadstead.aws.identity.kms import KmsKeys
from roadstead.aws.ssm import SsmEdgeSecrets, SsmUploadKeys
from roadstead.aws.table import Table
from roadstead.content.blobs import Blobs
from roadstead.content.lists import Lists
from roadstead.content.manifests import Manifests
from roadstead.content.objects import BlobUrls
from roadstead.content.push import Push
from roadstead.content.uploads.adoption import Adoption
from roadstead.content.uploads.finishing import HandingOver, Linking
from roadstead.content.uploads.uploads import UploadLimits, Uploads
from roadstead.identity.tokens.jose import trusted_keys
from roadstead.identity.tokens.verification import TokenVerifier
from roadstead.trail.events import EventMaker


def build(
    settings: Settings,
    *,
    limits: UploadLimits | None = None,
    executor: Executor | None = None,
    s3: Any = None,
    hands_over: bool = False,
) -> Services:
    """The services on DynamoDB, S3, KMS and SSM. Makes no call, and the clients alone that every request needs.

    A host that streams brings its own limits, an executor for the parts, and a client with the connections they need.
    One that `hands_over` finished uploads leaves linking them to the registry function.
    """
    table = Table(client("dynamodb"), settings.index_table)
    blobs, manifests, sessions = DynamoBlobIndex(table), DynamoManifestIndex(table), DynamoUploadSessions(table)
    objects = S3Objects(s3 or Deferred(lambda: client("s3")), settings.bucket, url_seconds=settings.url_seconds)
    events = EventMaker()
    adoption = Adoption(blobs, objects, events)
    public_keys = KmsKeys(Deferred(lambda: client("kms")), settings.token_public_keys)
    ssm = Deferred(lambda: client("ssm"))
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
            sessions=sessions,
            objects=objects,
            finish=HandingOver(sessions, objects) if hands_over else Linking(blobs, objects, events),
            limits=limits
            or UploadLimits(
                lifetime=settings.upload_seconds,
                url_lifetime=settings.upload_url_seconds,
                max_bytes=settings.max_blob_bytes,
            ),
            executor=executor,
        ),
        urls=_urls(settings, ssm, objects),
        verifier=TokenVerifier(
            lambda: trusted_keys(public_keys, settings.token_keys),
            issuer=settings.token_issuer,
            service=settings.token_service,
        ),
        upload_keys=SsmUploadKeys(ssm, settings.upload_keys_parameter),
        edge_secrets=SsmEdgeSecrets(ssm, settings.edge_secret_parameter) if settings.edge_secret_parameter else None,
        upload_origin=settings.uploads_url,
        uploads_at=settings.uploads_at,
        token_service=settings.token_service,
        head_answers=settings.head_answers,
        challenge=settings.challenge,
        audit_blobs=settings.audit_blobs,
        via_distribution_only=settings.via_distribution_only,
    )


def _urls(settings: Settings, ssm: Any, objects: S3Objects) -> BlobUrls:
    if settings.blobs_at is BlobsAt.S3:
        return objects
    # Imported only if it is used: nothing else needs its signer.
    from roadstead.aws.content.cloudfront import DistributionUrls

    return DistributionUrls(
        ssm,
        origin=settings.distribution_url,
        key_id=settings.blob_url_key_id,
        key_parameter=settings.blob_url_key_parameter,
        seconds=settings.url_seconds,
        otherwise=objects,
    )
