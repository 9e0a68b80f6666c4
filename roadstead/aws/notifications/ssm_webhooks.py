"""Webhooks' secrets in SSM parameters (SecureString, standard tier): one per webhook, free of charge.

`<prefix>/<project>/<webhook>` holds `{"signing": …, "authorization": …}`. Everyone who may list webhooks could read
secrets in the table. Here, managing webhooks needs only `ssm:PutParameter` and `ssm:DeleteParameter`, and only the
delivering function has `ssm:GetParameter`.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from roadstead.aws.clients import error_code
from roadstead.names import ProjectName
from roadstead.notifications.stores import WebhookSecrets


class SsmWebhookSecrets:
    """WebhookSecretStore under a prefix like `/roadstead/webhooks`."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")

    def set_secrets(self, project: ProjectName, webhook: str, secrets: WebhookSecrets) -> None:
        document = {"signing": secrets.signing, "authorization": secrets.authorization}
        self._client.put_parameter(
            Name=self._name(project, webhook),
            Type="SecureString",
            Value=json.dumps(document, separators=(",", ":")),
            Overwrite=True,
        )

    def find_secrets(self, project: ProjectName, webhook: str) -> WebhookSecrets | None:
        try:
            answer = self._client.get_parameter(Name=self._name(project, webhook), WithDecryption=True)
        except ClientError as error:
            if error_code(error) == "ParameterNotFound":
                return None
            raise
        document = json.loads(answer["Parameter"]["Value"])
        return WebhookSecrets(document["signing"], document["authorization"])

    def remove_secrets(self, project: ProjectName, webhook: str) -> None:
        try:
            self._client.delete_parameter(Name=self._name(project, webhook))
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise

    def _name(self, project: ProjectName, webhook: str) -> str:
        return f"{self._prefix}/{project}/{webhook}"
