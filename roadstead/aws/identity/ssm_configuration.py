"""`ConfigurationSecretStore` in SSM parameters (SecureString, standard tier): `<prefix>/<key>/<reference>`."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from roadstead.aws.clients import error_code


class SsmConfigurationSecrets:
    """Under a prefix like `/roadstead/configuration`."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")

    def put_secret(self, key: str, reference: str, secret: str) -> None:
        self._client.put_parameter(Name=self._name(key, reference), Type="SecureString", Value=secret)

    def find_secret(self, key: str, reference: str) -> str | None:
        try:
            answer = self._client.get_parameter(Name=self._name(key, reference), WithDecryption=True)
        except ClientError as error:
            if error_code(error) == "ParameterNotFound":
                return None
            raise
        return str(answer["Parameter"]["Value"])

    def remove_secret(self, key: str, reference: str) -> None:
        try:
            self._client.delete_parameter(Name=self._name(key, reference))
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise

    def _name(self, key: str, reference: str) -> str:
        return f"{self._prefix}/{key}/{reference}"
