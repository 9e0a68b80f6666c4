"""Trust rules: whose identity tokens a robot takes in place of its secret, so that CI keeps no secret.

A rule names an issuer, an audience, and claims, each by its exact text or with `*` for any text. At least one claim
must name the subject, and its pattern must not begin with `*`: a rule that everybody at an issuer fits is refused.

The issuer `aws` stands for AWS IAM, whose principals send signed calls (`signed_calls`): the audience is the registry
that a call names, the claims are `account`, `arn`, `user_id` and `session`. In `arn`, `*` is any text without `/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_RULES = 20  # of one robot
MAX_CLAIMS = 10  # of one rule
MAX_TEXT = 512  # characters of an issuer, an audience, a claim's name or its pattern
MAX_STARS = 4  # in one pattern
# Claims that say who: of any issuer, of GitHub Actions, and of GitLab.
SUBJECT_CLAIMS = ("sub", "repository", "repository_id", "job_workflow_ref", "project_path", "project_id")
AWS = "aws"  # the issuer of rules for AWS IAM
AWS_CLAIMS = ("account", "arn", "user_id", "session")
_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(
    r"arn:(?:aws|aws-cn|aws-us-gov):(?:iam::[0-9]{12}:(?:role|user)|sts::[0-9]{12}:federated-user)/[!-~]+"
)
_HEADER_VALUE = re.compile(r"[!-~]{1,255}")
CALL_PREFIX = "rsaws."  # of a signed call
_LONGEST_SECRET = 128  # characters of a chosen secret; identity tokens and signed calls are longer


class RuleRefused(ValueError):
    """The rule cannot be used. The message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class TrustRule:
    issuer: str
    audience: str
    claims: Mapping[str, str]

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether verified claims are as the rule says. Only text and whole numbers can be."""
        segmented = ("arn",) if self.issuer == AWS else ()
        return all(
            _fits(pattern, claims.get(name), by_segments=name in segmented) for name, pattern in self.claims.items()
        )

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
        if rule.issuer == AWS:
            _check_aws(rule)
        elif not any(name in SUBJECT_CLAIMS and not pattern.startswith("*") for name, pattern in rule.claims.items()):
            raise RuleRefused(
                "a rule must say who: one of the claims " + ", ".join(SUBJECT_CLAIMS) + ", not beginning with *"
            )
    return listed


def is_keyless(secret: str) -> bool:
    """Whether a robot's secret has the form of an identity token or a signed call, which no secret of a robot has."""
    if len(secret) <= _LONGEST_SECRET:
        return False
    return secret.startswith(CALL_PREFIX) or (secret.startswith("ey") and secret.count(".") == 2)


def _check_aws(rule: TrustRule) -> None:
    """Raises RuleRefused unless a rule for AWS IAM names one account."""
    if _HEADER_VALUE.fullmatch(rule.audience) is None:
        raise RuleRefused("the audience of a rule for aws is the registry's host, such as registry.example.com")
    unknown = sorted(set(rule.claims) - set(AWS_CLAIMS))
    if unknown:
        raise RuleRefused(f"aws has no claim {unknown[0][:40]!r}; it has {', '.join(AWS_CLAIMS)}")
    account, arn = rule.claims.get("account"), rule.claims.get("arn")
    if account is None and arn is None:
        raise RuleRefused("a rule for aws must say who: account, or an arn with its account")
    if account is not None and _ACCOUNT.fullmatch(account) is None:
        raise RuleRefused("the account of a rule for aws has 12 digits, and no *")
    if arn is None:
        return
    if ":assumed-role/" in arn:
        raise RuleRefused("write the role as arn:aws:iam::<account>:role/<role>, and its session as the claim session")
    if _ARN.fullmatch(arn) is None:
        raise RuleRefused(
            "an arn is like arn:aws:iam::123456789012:role/ci, or has :user/<path><name> or federated-user/<name>; the "
            "account has no *"
        )
    if ":role/" in arn and arn.count("/") > 1:
        raise RuleRefused("AWS does not tell the path of a role: leave it out, as in arn:aws:iam::123456789012:role/ci")


def _fits(pattern: str, value: Any, *, by_segments: bool = False) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return False
    if by_segments:
        patterns, texts = pattern.split("/"), str(value).split("/")
        return len(patterns) == len(texts) and all(map(glob_fits, patterns, texts))
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
