"""The composition root of the token function: DynamoDB, KMS and, behind a distribution, SSM."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from functions.token.services import TokenServices
from functions.token.settings import Settings
from roadstead.aws.clients import Deferred, client
from roadstead.aws.identity.dynamodb_configuration import DynamoConfiguration
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.identity.kms import KmsKeys
from roadstead.aws.identity.ssm_configuration import SsmConfigurationSecrets
from roadstead.aws.ssm import SsmEdgeSecrets
from roadstead.aws.table import Table
from roadstead.identity.configuration import ConfigurationReader
from roadstead.identity.providers.onboarding import Onboarding, StoredGroups
from roadstead.identity.robots.robot_sign_in import Keyless, RobotLogin
from roadstead.identity.sign_in.login import PasswordLogin, PasswordProvider
from roadstead.identity.sign_in.passwords import Argon2Hasher, PasswordVerifier
from roadstead.identity.sign_in.token_sign_in import TokenLogin
from roadstead.identity.tokens.certificates import CertifiedSigning, DirectSigning, Mode, Signing, TrustedKey
from roadstead.identity.tokens.jose import trusted_keys
from roadstead.identity.tokens.minting import TokenMinter
from roadstead.identity.tokens.refresh_tokens import RefreshPolicy
from roadstead.identity.tokens.tokens import StartQuota, TokenService
from roadstead.names import ProjectName
from roadstead.trail.entries import Actor

LDAP_SECONDS = 7  # of the 10 that the function has


def build(settings: Settings) -> TokenServices:
    """Build the services on AWS. Creates clients, but makes no call."""
    keys = KmsKeys(client("kms"), settings.token_public_keys)
    dynamodb = client("dynamodb")
    table = Table(dynamodb, settings.identity_table)
    identities = DynamoIdentities(table)
    passwords = PasswordVerifier(Argon2Hasher())
    configuration = _configuration(settings, table)
    tokens = TokenService(
        identities,
        PasswordLogin(
            identities,
            passwords,
            Onboarding(identities, StoredGroups(identities)),
            _provider(settings, configuration),
        ),
        RobotLogin(identities, passwords, _keyless(settings, configuration)),
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
        configuration=configuration,
        start_quota=_start_quota(Table(dynamodb, settings.index_table)),
    )
    parameter = settings.edge_secret_parameter
    return TokenServices(
        tokens=tokens,
        public_keys=lambda: trusted_keys(keys, settings.token_keys),
        service=settings.token_service,
        edge_secrets=SsmEdgeSecrets(client("ssm"), parameter) if parameter else None,
        via_distribution_only=settings.via_distribution_only,
    )


def _configuration(settings: Settings, table: Table) -> ConfigurationReader:
    secrets = SsmConfigurationSecrets(Deferred(lambda: client("ssm")), settings.configuration_secrets)
    return ConfigurationReader(DynamoConfiguration(table), secrets)


def _start_quota(index: Table) -> StartQuota:
    """Return a function that sets quotas. What it takes is imported when a push creates a project."""

    def start(project: ProjectName, storage: int, actor: Actor) -> None:
        from roadstead.aws.lifecycle.start_quota import start_quota

        start_quota(index, project, storage, actor)

    return start


def _provider(settings: Settings, configuration: ConfigurationReader) -> Callable[[], PasswordProvider | None]:
    """Return a function that returns the directory while one is configured. What LDAP takes is imported only then."""

    @cache
    def directory() -> PasswordProvider:
        from roadstead.aws.lifecycle.lambda_functions import LambdaFunction
        from roadstead.identity.providers.ldap_provider import LdapProvider
        from roadstead.identity.providers.remote_ldap import RemoteLdap

        invoked = Deferred(lambda: client("lambda", patience=LDAP_SECONDS + 1, attempts=1))
        ask = LambdaFunction(invoked, settings.ldap_function).ask
        return LdapProvider(RemoteLdap(ask, patience=LDAP_SECONDS), configuration)

    return lambda: directory() if settings.ldap_function and configuration.read().text("ldap_url") else None


def _keyless(settings: Settings, configuration: ConfigurationReader) -> Callable[[], Keyless]:
    """Return a function that returns what verifies identity tokens; it is imported when the first one comes."""

    @cache
    def made() -> Keyless:
        from roadstead.identity.providers.keyless import keyless

        return keyless(configuration, settings.sts_endpoint, internal=settings.internal_issuers)

    return made


def _signing(settings: Settings, keys: KmsKeys) -> Signing:
    trusted = TrustedKey(settings.token_keys[0], keys, keys)
    if settings.token_mode is Mode.DIRECT:
        return DirectSigning(trusted)
    return CertifiedSigning(trusted, issuer=settings.token_issuer, service=settings.token_service)
