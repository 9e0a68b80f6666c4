"""The registry function's settings; docs/operations.md lists them, and a test holds that list to this class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions.environ import Environ
from roadstead.services.push import IndexChildren


class HeadAnswers(StrEnum):
    """How HEAD is answered, should the gateway not pass on a Content-Length without a body.

    `length`: a Content-Length and no body, as the specification has it. `body`: HEAD of a manifest with its body,
    which the gateway cuts off. `redirect`: as `body`, and HEAD of a blob by a 307 to a URL signed for HEAD.
    """

    LENGTH = "length"
    BODY = "body"
    REDIRECT = "redirect"


@dataclass(frozen=True, slots=True)
class Settings:
    """`edge_secret_parameter` is empty where no distribution stands in front. `upload_host`, if set, is the
    distribution's name, to which the uploads of clients go that came to the API's own domain.

    `url_seconds` and `upload_seconds` in seconds, `max_blob_bytes` in bytes."""

    index_table: str
    bucket: str
    token_keys: tuple[str, ...]
    token_issuer: str
    token_service: str
    upload_keys_parameter: str
    edge_secret_parameter: str
    upload_host: str
    url_seconds: int
    upload_seconds: int
    max_blob_bytes: int
    index_children: IndexChildren
    head_answers: HeadAnswers

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Raises SettingsError that names every missing or wrong key."""
        read = Environ(environ)
        settings = cls(
            index_table=read.text("INDEX_TABLE"),
            bucket=read.text("BUCKET"),
            token_keys=read.texts("TOKEN_KEYS"),
            token_issuer=read.text("TOKEN_ISSUER", "roadstead"),
            token_service=read.text("TOKEN_SERVICE", "roadstead"),
            upload_keys_parameter=read.text("UPLOAD_KEYS_PARAMETER"),
            edge_secret_parameter=read.text("EDGE_SECRET_PARAMETER", ""),
            upload_host=read.text("UPLOAD_HOST", ""),
            url_seconds=read.number("URL_SECONDS", 900, least=60, most=3_600),
            upload_seconds=read.number("UPLOAD_SECONDS", 86_400, least=600, most=604_800),
            max_blob_bytes=read.number("MAX_BLOB_BYTES", 50 * 1000**3, least=1, most=5 * 1024**4),
            index_children=read.choice("INDEX_CHILDREN", IndexChildren.ALL),
            head_answers=read.choice("HEAD_ANSWERS", HeadAnswers.LENGTH),
        )
        read.check()
        return settings
