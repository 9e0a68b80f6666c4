"""The Lambda function's entry, and the one place where its parts are put together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from functions.hosting import observation, tracing
from functions.hosting.boundary import lambda_answer
from functions.hosting.viewer import as_viewed
from functions.token.routes import match
from functions.token.services import TokenServices
from functions.token.settings import Settings
from roadstead.aws import clients as aws
from roadstead.aws.dynamodb_identity import DynamoIdentities
from roadstead.aws.kms import KmsKeys
from roadstead.aws.ssm import SsmEdgeSecrets
from roadstead.aws.table import Table
from roadstead.http import Request, Response
from roadstead.identity.certificates import CertifiedSigning, DirectSigning, Mode, Signing, TrustedKey
from roadstead.identity.jose import trusted_keys
from roadstead.identity.minting import TokenMinter
from roadstead.identity.passwords import Argon2Hasher, PasswordVerifier
from roadstead.identity.tokens import TokenService


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answers a payload 1.0 event of the HTTP API."""
    return lambda_answer(event, run, function="token")


def run(request: Request) -> Response:
    """Answers a request with this process's services; raises what `functions.hosting.boundary` turns into answers."""
    return respond(services(), request)


def respond(parts: TokenServices, request: Request) -> Response:
    """Answers a request, as its viewer made it, with these services."""
    handler = match(request.method, request.path)
    observation.current().route = handler.__name__
    return handler(parts, as_viewed(request, parts.edge_secrets, required=parts.via_distribution_only))


@cache
def services() -> TokenServices:
    """Built when first asked for; anew the next time if that failed."""
    settings = Settings.from_environ(os.environ)
    ssm = aws.client("ssm") if settings.edge_secret_parameter else None
    return compose(settings, aws.client("dynamodb"), aws.client("kms"), ssm)


def prepare() -> None:
    """What can be done before the first request: read the settings, make the clients, trace them."""
    tracing.start(Settings.from_environ(os.environ).tracing)
    services()


def compose(settings: Settings, dynamodb: Any, kms: Any, ssm: Any = None) -> TokenServices:
    """The function's services on these clients. Calls none of them."""
    keys = KmsKeys(kms)
    tokens = TokenService(
        DynamoIdentities(Table(dynamodb, settings.identity_table)),
        PasswordVerifier(Argon2Hasher()),
        TokenMinter(
            _signing(settings, keys),
            issuer=settings.token_issuer,
            service=settings.token_service,
            lifetime=settings.token_lifetime,
        ),
        refresh_lifetime=settings.refresh_token_lifetime,
    )
    secrets = SsmEdgeSecrets(ssm, settings.edge_secret_parameter) if settings.edge_secret_parameter else None
    return TokenServices(
        tokens,
        lambda: trusted_keys(keys, settings.token_keys),
        settings.token_service,
        secrets,
        settings.via_distribution_only,
    )


def _signing(settings: Settings, keys: KmsKeys) -> Signing:
    trusted = TrustedKey(settings.token_keys[0], keys, keys)
    if settings.token_mode is Mode.DIRECT:
        return DirectSigning(trusted)
    return CertifiedSigning(trusted, issuer=settings.token_issuer, service=settings.token_service)
