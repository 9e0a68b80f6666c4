"""Names of repositories, projects and tags (distribution-spec 1.1.1, "Pulling manifests")."""

from __future__ import annotations

import re

from roadstead.digest import Digest

MAX_REPOSITORY_NAME = 255  # characters; clients prefix a host name, and many limit the total
MAX_SERVICE_NAME = 64  # characters of an issuer or a service: both are in every token, whose size is bounded
DEFAULT_PROJECT = "library"

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PROJECT = re.compile(_COMPONENT)
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class ProjectName(str):
    """The first component of a repository's name. A project is public or private, and has members."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> ProjectName:
        """Return the name. Raises ValueError with a message for users."""
        if len(text) > MAX_REPOSITORY_NAME or _PROJECT.fullmatch(text) is None:
            raise ValueError(
                f"{text[:260]!r} is not a project name: lower-case letters and digits, parted by single . or _, __ or -"
            )
        return cls(text)


class RepositoryName(str):
    """A repository's full name, always with its project: `hello-world` is `library/hello-world`, as on Docker Hub."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> RepositoryName:
        """Return the name, in the project `library` if it has one component. Raises ValueError, for users."""
        if text and "/" not in text:
            text = f"{DEFAULT_PROJECT}/{text}"
        if len(text) > MAX_REPOSITORY_NAME:
            raise ValueError(
                f"a repository name has at most {MAX_REPOSITORY_NAME} characters; {text[:40]}… has {len(text)}"
            )
        if _REPOSITORY.fullmatch(text) is None:
            raise ValueError(
                f"{text!r} is not a repository name: lower-case letters and digits, parted by single . or _, __ or -, "
                "in components parted by /"
            )
        return cls(text)

    @property
    def project(self) -> ProjectName:
        """The first component."""
        return ProjectName(self.partition("/")[0])


class Tag(str):
    """A tag."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Tag:
        """Return the tag. Raises ValueError with a message for users."""
        if _TAG.fullmatch(text) is None:
            raise ValueError(
                f"{text[:140]!r} is not a tag: up to 128 letters, digits, underscores, dots and hyphens, "
                "the first of them no dot or hyphen"
            )
        return cls(text)


Reference = Tag | Digest


def parse_reference(text: str) -> Reference:
    """Return a manifest's reference: a digest if it has a colon (no tag has one), else a tag. Raises ValueError."""
    return Digest.parse(text) if ":" in text else Tag.parse(text)
