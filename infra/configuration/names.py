"""The names of a deployment's resources, derived from the deployment's name. The defaults are those of .chalice/.

CloudFormation does not generate them: policies refer to resources by name, an operator finds them, and a resource that
holds data is never replaced.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    prefix: str

    @property
    def index_table(self) -> str:
        return f"{self.prefix}-index"

    @property
    def identity_table(self) -> str:
        return f"{self.prefix}-identity"

    @property
    def upload_keys_parameter(self) -> str:
        return f"/{self.prefix}/upload-keys"

    @property
    def blob_url_key_parameter(self) -> str:
        return f"/{self.prefix}/blob-url-key"

    @property
    def edge_secret(self) -> str:
        """In Secrets Manager. It has no slash, since SSM may not resolve one, and does not end in a hyphen and six
        characters, since policies could not tell it from the suffix that Secrets Manager appends."""
        return f"{self.prefix}-edge"

    @property
    def edge_secret_parameter(self) -> str:
        """SSM's name for the secret ("Referencing AWS Secrets Manager secrets from Parameter Store parameters")."""
        return f"/aws/reference/secretsmanager/{self.edge_secret}"

    @property
    def audit_log_group(self) -> str:
        return f"/{self.prefix}/audit"

    def schedule(self, function: str) -> str:
        return f"{self.prefix}-{function}"

    @property
    def object_events_queue(self) -> str:
        return f"{self.prefix}-object-events"

    @property
    def audit_dead_letters(self) -> str:
        return f"{self.prefix}-audit-dead-letters"

    @property
    def index_dead_letters(self) -> str:
        return f"{self.prefix}-index-dead-letters"

    @property
    def notification_queue(self) -> str:
        return f"{self.prefix}-notifications"

    @property
    def notification_dead_letters(self) -> str:
        return f"{self.prefix}-notifications-dead"

    @property
    def webhook_secrets(self) -> str:
        return f"/{self.prefix}/webhooks"

    @property
    def configuration_secrets(self) -> str:
        return f"/{self.prefix}/configuration"

    def across_regions(self, thing: str, region: str) -> str:
        """For what must be unique in the account: CloudFront's resources, dashboards, web functions."""
        return f"{self.prefix}-{region}-{thing}"

    def function(self, name: str) -> str:
        """In the form that the policies' log groups have: `<prefix>-<stage>-<function>`."""
        return f"{self.prefix}-prod-{name}"

    def token_key_alias(self, generation: int) -> str:
        return f"alias/{self.prefix}-token-{generation}"
