"""Webhooks' secrets in SSM parameters (SecureString, standard tier), free of charge.

`<prefix>/<project>/<webhook>/<reference>` holds `{"signing": …, "authorization": …}`. Everyone who may list webhooks
could read secrets in the table. Here, managing webhooks needs only `ssm:PutParameter`, `ssm:DeleteParameter` and
`ssm:GetParametersByPath`, whose values stay encrypted; the delivering function has `ssm:GetParameter`.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from roadstead.aws.clients import error_code
from roadstead.names import ProjectName
from roadstead.notifications.stores import KeptSecrets, WebhookSecrets


class SsmWebhookSecrets:
    """WebhookSecretStore under a prefix like `/roadstead/webhooks`."""

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix.rstrip("/")

    def put_secrets(self, project: ProjectName, webhook: str, reference: str, secrets: WebhookSecrets) -> None:
        document = {"signing": secrets.signing, "authorization": secrets.authorization}
        self._client.put_parameter(
            Name=self._name(project, webhook, reference),
            Type="SecureString",
            Value=json.dumps(document, separators=(",", ":")),
        )

    def find_secrets(self, project: ProjectName, webhook: str, reference: str) -> WebhookSecrets | None:
        try:
            answer = self._client.get_parameter(Name=self._name(project, webhook, reference), WithDecryption=True)
        except ClientError as error:
            if error_code(error) == "ParameterNotFound":
                return None
            raise
        document = json.loads(answer["Parameter"]["Value"])
        return WebhookSecrets(document["signing"], document["authorization"])

    def remove_secrets(self, project: ProjectName, webhook: str, reference: str) -> None:
        try:
            self._client.delete_parameter(Name=self._name(project, webhook, reference))
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise

    def references(self, project: ProjectName) -> list[KeptSecrets]:
        path, found = f"{self._prefix}/{project}", []
        more: dict[str, str] = {}
        while True:
            answer = self._client.get_parameters_by_path(Path=path, Recursive=True, WithDecryption=False, **more)
            for parameter in answer["Parameters"]:
                webhook, _, reference = parameter["Name"].removeprefix(f"{path}/").partition("/")
                found.append(KeptSecrets(webhook, reference, int(parameter["LastModifiedDate"].timestamp())))
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}

    def _name(self, project: ProjectName, webhook: str, reference: str) -> str:
        return f"{self._prefix}/{project}/{webhook}/{reference}"
