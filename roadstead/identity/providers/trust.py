"""Trust rules: whose identity tokens a robot takes in place of its secret, so that CI keeps no secret.

A rule names an issuer, an audience, and claims, each by its exact text or with `*` for any text. At least one claim
must name the subject, and its pattern must not begin with `*`: a rule that everybody at an issuer fits is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_RULES = 20  # of one robot
MAX_CLAIMS = 10  # of one rule
MAX_TEXT = 512  # characters of an issuer, an audience, a claim's name or its pattern
MAX_STARS = 4  # in one pattern
# Claims that say who: of any issuer, of GitHub Actions, and of GitLab.
SUBJECT_CLAIMS = ("sub", "repository", "repository_id", "job_workflow_ref", "project_path", "project_id")
_LONGEST_TOKEN = 128  # characters of a chosen secret; an identity token is longer


class RuleRefused(ValueError):
    """The rule cannot be used. The message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class TrustRule:
    issuer: str
    audience: str
    claims: Mapping[str, str]

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether verified claims are as the rule says. Only text and whole numbers can be."""
        return all(_fits(pattern, claims.get(name)) for name, pattern in self.claims.items())

    def as_json(self) -> dict[str, Any]:
        return {"issuer": self.issuer, "audience": self.audience, "claims": dict(self.claims)}

    @classmethod
    def from_json(cls, document: Any) -> TrustRule:
        """Raises RuleRefused for anything but an object with these three members."""
        if not isinstance(document, dict):
            raise RuleRefused("a rule is an object with issuer, audience and claims")
        issuer, audience, claims = (document.get(name) for name in ("issuer", "audience", "claims"))
        if not isinstance(issuer, str) or not isinstance(audience, str) or not isinstance(claims, dict):
            raise RuleRefused("a rule needs issuer, audience (texts) and claims (an object of texts)")
        if not all(isinstance(pattern, str) for pattern in claims.values()):
            raise RuleRefused("the claims of a rule are texts, in which * stands for any text")
        return cls(issuer, audience, claims)


def check_rules(rules: Iterable[TrustRule], issuers: Iterable[str]) -> tuple[TrustRule, ...]:
    """Return the rules. Raises RuleRefused, also for an issuer that is not among `issuers`."""
    listed, allowed = tuple(rules), tuple(issuers)
    if len(listed) > MAX_RULES:
        raise RuleRefused(f"a robot has at most {MAX_RULES} rules")
    for rule in listed:
        if rule.issuer not in allowed:
            raise RuleRefused(
                f"the issuer {rule.issuer[:200]!r} is not allowed here: a system administrator can add it to "
                "keyless_issuers"
            )
        texts = (rule.audience, *rule.claims, *rule.claims.values())
        if not rule.audience or any(not text or len(text) > MAX_TEXT or not text.isprintable() for text in texts):
            raise RuleRefused(f"audience, names of claims and their texts have 1 to {MAX_TEXT} printable characters")
        if len(rule.claims) > MAX_CLAIMS:
            raise RuleRefused(f"a rule has at most {MAX_CLAIMS} claims")
        if any(pattern.count("*") > MAX_STARS for pattern in rule.claims.values()):
            raise RuleRefused(f"a claim's text has at most {MAX_STARS} *")
        if not any(name in SUBJECT_CLAIMS and not pattern.startswith("*") for name, pattern in rule.claims.items()):
            raise RuleRefused(
                "a rule must say who: one of the claims " + ", ".join(SUBJECT_CLAIMS) + ", not beginning with *"
            )
    return listed


def is_identity_token(secret: str) -> bool:
    """Whether a robot's secret has the form of an identity token, which no secret of a robot has."""
    return len(secret) > _LONGEST_TOKEN and secret.startswith("ey") and secret.count(".") == 2


def _fits(pattern: str, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    return glob_fits(pattern, str(value))


def glob_fits(pattern: str, text: str) -> bool:
    """Whether all of `text` fits `pattern`, in which `*` is any text. Takes time proportional to text times stars."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
