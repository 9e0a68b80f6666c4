"""What everything in the account is called, by the deployment's name. The defaults are those of .chalice/.

Names are fixed, not made up by CloudFormation: policies name resources by them, an operator finds them, and nothing
that holds data is ever replaced.
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
        """In Secrets Manager. Without a slash, which SSM may not look behind, and not ending like the random suffix
        that Secrets Manager appends (a hyphen and six characters), which policies could not tell from it."""
        return f"{self.prefix}-edge"

    @property
    def edge_secret_parameter(self) -> str:
        """The same by SSM's name ("Referencing AWS Secrets Manager secrets from Parameter Store parameters")."""
        return f"/aws/reference/secretsmanager/{self.edge_secret}"

    @property
    def audit_log_group(self) -> str:
        return f"/{self.prefix}/audit"

    @property
    def object_events_queue(self) -> str:
        return f"{self.prefix}-object-events"

    @property
    def audit_dead_letters(self) -> str:
        return f"{self.prefix}-audit-dead-letters"

    @property
    def notification_queue(self) -> str:
        return f"{self.prefix}-notifications"

    @property
    def notification_dead_letters(self) -> str:
        return f"{self.prefix}-notifications-dead"

    @property
    def webhook_secrets(self) -> str:
        return f"/{self.prefix}/webhooks"

    def function(self, name: str) -> str:
        """In the form that the policies' log groups have: `<prefix>-<stage>-<function>`."""
        return f"{self.prefix}-prod-{name}"

    def token_key_alias(self, generation: int) -> str:
        return f"alias/{self.prefix}-token-{generation}"
