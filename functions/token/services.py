"""The services that the token function's handlers use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from functions.hosting.viewer import EdgeSecretSource
from roadstead.identity.tokens.jose import PublicKey
from roadstead.identity.tokens.tokens import TokenService


@dataclass(frozen=True, slots=True)
class TokenServices:
    tokens: TokenService
    public_keys: Callable[[], Mapping[str, PublicKey]]  # every trusted key, by thumbprint
    service: str  # the audience of the tokens
    edge_secrets: EdgeSecretSource | None = None
    via_distribution_only: bool = False
