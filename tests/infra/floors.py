"""Who may import whom, as data. docs/architecture.md §The rooms has the same table; a test compares them."""

from __future__ import annotations

from dataclasses import dataclass

VOCABULARY = "roadstead"  # its top-level modules
_DOMAIN = ("roadstead", "roadstead/trail", "roadstead/outbound", "roadstead/content", "roadstead/identity")
_DOMAIN_WITH_NOTIFICATIONS = (*_DOMAIN, "roadstead/notifications")
_EVERY_WING = (*_DOMAIN_WITH_NOTIFICATIONS, "roadstead/catalog")
_CRYPTOGRAPHY = ("cryptography",)
_BOTO3 = ("boto3", "botocore")


@dataclass(frozen=True, slots=True)
class Room:
    """A room's modules may import `rooms` and `packages`, besides the standard library and their own room.

    `roots` are its composition roots: modules that may also import `roadstead/aws`.
    """

    rooms: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()


# Ground floor first. A room imports only rooms above it in this table.
ROOMS = {
    VOCABULARY: Room(),
    "roadstead/trail": Room((VOCABULARY,)),
    "roadstead/outbound": Room((VOCABULARY,)),
    "roadstead/content": Room((VOCABULARY, "roadstead/trail")),
    "roadstead/catalog": Room((VOCABULARY, "roadstead/trail", "roadstead/content")),
    "roadstead/lifecycle": Room((VOCABULARY, "roadstead/trail", "roadstead/content", "roadstead/catalog")),
    "roadstead/identity": Room((VOCABULARY, "roadstead/trail", "roadstead/outbound"), _CRYPTOGRAPHY),
    "roadstead/ldap": Room((VOCABULARY, "roadstead/identity"), ("ldap3",)),
    "roadstead/notifications": Room(_DOMAIN),
    "roadstead/administration": Room((*_EVERY_WING, "roadstead/lifecycle")),
    "roadstead/aws": Room((*_EVERY_WING, "roadstead/lifecycle"), ("botocore", "cryptography")),
    "functions": Room(),
    "functions/hosting": Room((VOCABULARY, "roadstead/trail"), ("aws_xray_sdk",)),
    "functions/distribution": Room(
        (VOCABULARY, "roadstead/trail", "roadstead/content", "roadstead/identity", "functions/hosting"),
        roots=("functions.distribution.composition",),
    ),
    "functions/registry": Room((VOCABULARY, "functions/hosting", "functions/distribution")),
    "functions/relay": Room(
        (VOCABULARY, "roadstead/content", "functions/hosting", "functions/distribution"),
        ("uvicorn",),
        roots=("functions.relay.__main__",),
    ),
    "functions/token": Room(
        (VOCABULARY, "roadstead/trail", "roadstead/identity", "functions/hosting"),
        roots=("functions.token.composition",),
    ),
    "functions/collector": Room(
        (
            VOCABULARY,
            "roadstead/trail",
            "roadstead/content",
            "roadstead/catalog",
            "roadstead/lifecycle",
            "functions/hosting",
        ),
        roots=("functions.collector.composition",),
    ),
    "functions/webhook": Room(
        (*_DOMAIN_WITH_NOTIFICATIONS, "functions/hosting"),
        roots=("functions.webhook.composition",),
    ),
    "functions/management": Room(
        (*_EVERY_WING, "roadstead/lifecycle", "roadstead/administration", "functions/hosting"),
        roots=("functions.management.composition",),
    ),
    "functions/indexer": Room(
        (
            VOCABULARY,
            "roadstead/trail",
            "roadstead/content",
            "roadstead/notifications",
            "roadstead/catalog",
            "roadstead/lifecycle",
            "functions/hosting",
        ),
        roots=("functions.indexer.composition",),
    ),
    "functions/ldap": Room((VOCABULARY, "roadstead/identity", "roadstead/ldap", "functions/hosting")),
    "edge": Room(),
    "console": Room(("edge",)),
    "observability": Room(),
    "app.py": Room(("functions/hosting",), ("chalice",)),
    "cli/doctor": Room(),
    "cli": Room(
        (*_EVERY_WING, "roadstead/lifecycle", "observability", "cli/doctor"),
        ("cryptography",),
        roots=("cli.aws", "cli.composition"),
    ),
    "infra": Room(
        (
            *(
                "edge",
                "console",
                "observability",
                "functions",
                "functions/hosting",
                "functions/distribution",
                "functions/relay",
            ),
            *("functions/token", "functions/management", "functions/collector", "functions/webhook"),
            *("functions/indexer", "functions/ldap"),
        ),
        ("aws_cdk", "cdk_nag", "constructs", "chalice", "botocore", "elftools"),
    ),
    "local": Room(
        (VOCABULARY, "roadstead/identity", "roadstead/aws", "edge", "console", "functions", "functions/relay"),
        (*_BOTO3, "cryptography", "h11", "httptools", "uvicorn", "uvloop"),
    ),
}

# What single modules may import beyond their room, each with its reason.
EXCEPTIONS = {
    "infra.relays.package_copier": ("boto3", "cfnresponse"),  # is deployed as it stands: it runs in Lambda, not here
    "infra.public_key_reader": ("boto3", "botocore", "cfnresponse"),  # the same
    "cli.aws": _BOTO3,  # the operator's own calls: stacks, parameters, keys
    "cli.keyless.aws_call": _BOTO3,  # signs with the AWS credentials of whoever runs the command
    "cli.audit_commands": ("local",),  # reads the audit trail of a local registry
    "cli.doctor.command": ("cli",),  # finds the deployment; the rest of the doctor sees the registry from outside only
    "cli.doctor.deployment": ("cli",),
    "functions.indexer.streams": ("roadstead/aws",),  # the same
    "functions.webhook.streams": ("roadstead/aws",),  # stream records carry items in the table's own format
}
