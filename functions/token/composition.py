"""The composition root of the token function: DynamoDB, KMS and, behind a distribution, SSM."""

from __future__ import annotations

from functions.token.services import TokenServices
from functions.token.settings import Settings
from roadstead.aws.clients import client
from roadstead.aws.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.dynamodb_identity import DynamoIdentities
from roadstead.aws.kms import KmsKeys
from roadstead.aws.ssm import SsmEdgeSecrets
from roadstead.aws.table import Table
from roadstead.identity.certificates import CertifiedSigning, DirectSigning, Mode, Signing, TrustedKey
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.jose import trusted_keys
from roadstead.identity.login import PasswordLogin
from roadstead.identity.minting import TokenMinter
from roadstead.identity.passwords import Argon2Hasher, PasswordVerifier
from roadstead.identity.refresh_tokens import RefreshPolicy
from roadstead.identity.robot_sign_in import RobotLogin
from roadstead.identity.token_sign_in import TokenLogin
from roadstead.identity.tokens import TokenService


def build(settings: Settings) -> TokenServices:
    """Build the services on AWS. Creates clients, but makes no call."""
    keys = KmsKeys(client("kms"))
    table = Table(client("dynamodb"), settings.identity_table)
    identities = DynamoIdentities(table)
    passwords = PasswordVerifier(Argon2Hasher())
    tokens = TokenService(
        identities,
        PasswordLogin(identities, passwords),
        RobotLogin(identities, passwords),
        TokenLogin(identities),
        TokenMinter(
            _signing(settings, keys),
            issuer=settings.token_issuer,
            service=settings.token_service,
            lifetime=settings.token_lifetime,
        ),
        refresh=RefreshPolicy(settings.refresh_token_lifetime, settings.refresh_token_idle)
        if settings.refresh_tokens
        else None,
        configuration=ConfigurationReader(DynamoConfiguration(table)),
    )
    parameter = settings.edge_secret_parameter
    return TokenServices(
        tokens=tokens,
        public_keys=lambda: trusted_keys(keys, settings.token_keys),
        service=settings.token_service,
        edge_secrets=SsmEdgeSecrets(client("ssm"), parameter) if parameter else None,
        via_distribution_only=settings.via_distribution_only,
    )


def _signing(settings: Settings, keys: KmsKeys) -> Signing:
    trusted = TrustedKey(settings.token_keys[0], keys, keys)
    if settings.token_mode is Mode.DIRECT:
        return DirectSigning(trusted)
    return CertifiedSigning(trusted, issuer=settings.token_issuer, service=settings.token_service)
