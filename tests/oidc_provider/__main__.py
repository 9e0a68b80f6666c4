"""`python -m tests.oidc_provider`: install the provider's packages, unless they are there."""

from tests.oidc_provider import fetch

fetch()
