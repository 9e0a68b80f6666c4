"""What retention rules keep: Harbor's rules, row by row, and what is ours."""

from __future__ import annotations

import json

import pytest

from roadstead.digest import Digest
from roadstead.lifecycle.retention.rules import (
    MAX_RULES,
    DuplicateRule,
    Policy,
    PolicyRefused,
    Rule,
    Selector,
    Template,
)
from roadstead.lifecycle.retention.verdicts import (
    DAY_MS,
    PULL_LAG_MS,
    Candidate,
    Cause,
    Reason,
    judge,
    judge_repository,
    version_of,
)
from roadstead.names import RepositoryName, Tag

NOW = 1_800_000_000_000
ALL, GALLEON = Selector("**"), RepositoryName("ships/galleon")


def artifact(name: str, *tags: str, days: float = 2, pulled: float | None = None) -> Candidate:
    """Pushed `days` ago, and pulled `pulled` days ago."""
    at = NOW - int(days * DAY_MS)
    last = NOW - int(pulled * DAY_MS) if pulled is not None else 0
    return Candidate(Digest.of(name.encode()), "type", at, {Tag(tag): at for tag in tags}, last)


def rule(template: Template, number: int | None = None, *tags: Selector) -> Rule:
    return Rule(1, template, number, tags=tags or (ALL,), repositories=(ALL,))


def kept(rules: list[Rule], *candidates: Candidate, immutable: str = "") -> set[str]:
    """The first tags of those that are kept, and the digests of those without tags."""
    verdicts = judge(dict(enumerate(rules, 1)), candidates, now=NOW, is_immutable=lambda tag: tag == immutable)
    assert all(one.reason for one in verdicts)
    return {next(iter(one.candidate.tags), one.candidate.digest[:14]) for one in verdicts if one.keep}


A, B, C = artifact("a", "a", days=1), artifact("b", "b", days=3, pulled=1), artifact("c", "c", days=9, pulled=2)
UNTAGGED = artifact("untagged", days=5)
HASH = UNTAGGED.digest[:14]


@pytest.mark.parametrize(
    ("template", "number", "expected"),
    [
        (Template.LATEST_PUSHED, 2, {"a", "b"}),
        (Template.LATEST_PUSHED, 0, set()),
        (Template.LATEST_PUSHED, None, {"a", "b", "c"}),  # ten
        (Template.LATEST_PULLED, 2, {"a", "b"}),  # never pulled: its push counts
        (Template.LATEST_PULLED, 3, {"a", "b", "c"}),
        (Template.DAYS_SINCE_PUSH, 3, {"a", "b"}),
        (Template.DAYS_SINCE_PULL, 1, {"a", "b"}),
        (Template.DAYS_SINCE_PULL, 2, {"a", "b", "c"}),
        (Template.ALWAYS, None, {"a", "b", "c"}),
    ],
)
def test_a_template_keeps(template: Template, number: int | None, expected: set[str]) -> None:
    assert kept([rule(template, number)], A, B, C) == expected


def test_one_rule_that_keeps_an_artifact_is_enough() -> None:
    rules = [rule(Template.LATEST_PUSHED, 1), rule(Template.ALWAYS, None, Selector("c"))]
    assert kept(rules, A, B, C) == {"a", "c"}


def test_of_two_tags_one_that_matches_keeps_the_artifact_with_both() -> None:
    both = artifact("both", "dev-1", "v1")
    assert kept([rule(Template.ALWAYS, None, Selector("v*"))], both, A) == {"dev-1"}


def test_counts_are_of_what_a_rule_selects() -> None:
    rules = [rule(Template.LATEST_PUSHED, 1, Selector("{b,c}"))]
    assert kept(rules, A, B, C) == {"b"}


@pytest.mark.parametrize(
    ("excludes", "untagged", "expected"),
    [
        (False, None, True),  # Harbor's defaults
        (False, True, True),
        (False, False, False),
        (True, None, True),
        (True, False, True),
        (True, True, False),  # untagged are excluded
    ],
)
def test_untagged_artifacts_are_selected_as_extras_say(excludes: bool, untagged: bool | None, expected: bool) -> None:
    selector = Selector("**" if not excludes else "never", excludes, untagged)
    assert (HASH in kept([rule(Template.ALWAYS, None, selector)], UNTAGGED)) is expected


def test_excludes_selects_an_artifact_with_any_other_tag() -> None:
    selector = Selector("dev-*", excludes=True)
    assert kept([rule(Template.ALWAYS, None, selector)], artifact("1", "dev-1"), artifact("2", "dev-2", "v2")) == {
        "dev-2"
    }


def test_a_repository_that_no_rule_selects_is_left_alone() -> None:
    policy = Policy(1, (Rule(1, Template.LATEST_PUSHED, 1, tags=(ALL,), repositories=(Selector("a/**"),)),))
    assert policy.selecting(GALLEON) == {}
    assert policy.selecting(RepositoryName("ships/a/b")) == dict(enumerate(policy.rules, 1))
    assert kept([], A, B) == {"a", "b"}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (Selector("galleon"), True),
        (Selector("**"), True),
        (Selector("gall*"), True),
        (Selector("ships/galleon"), False),  # patterns are of the name without its project
        (Selector("galleon", excludes=True), False),
        (Selector("other", excludes=True), True),
    ],
)
def test_a_rule_selects_repositories(selector: Selector, selected: bool) -> None:
    policy = Policy(1, (Rule(1, Template.ALWAYS, repositories=(selector,)),))
    assert bool(policy.selecting(GALLEON)) is selected


def test_without_rules_or_with_all_disabled_nothing_goes() -> None:
    disabled = Rule(1, Template.LATEST_PUSHED, 0, disabled=True, tags=(ALL,), repositories=(ALL,))
    assert Policy(1).selecting(GALLEON) == Policy(1, (disabled,)).selecting(GALLEON) == {}


def test_an_immutable_tag_keeps_its_artifact_and_says_so() -> None:
    verdicts = judge({1: rule(Template.LATEST_PUSHED, 0)}, [A, B], now=NOW, is_immutable=lambda tag: tag == "b")
    assert [(one.keep, one.reason.startswith("immutable")) for one in verdicts] == [(False, False), (True, True)]


def test_an_untagged_artifact_younger_than_a_day_is_kept() -> None:
    young, old = artifact("young", days=0.9), artifact("old", days=1.1)
    assert kept([rule(Template.LATEST_PUSHED, 0)], young, old) == {young.digest[:14]}


def test_a_pull_may_be_told_an_hour_late() -> None:
    late = artifact("late", "late", days=30, pulled=7 + (PULL_LAG_MS - 1_000) / DAY_MS)
    later = artifact("later", "later", days=30, pulled=7 + (PULL_LAG_MS + 1_000) / DAY_MS)
    assert kept([rule(Template.DAYS_SINCE_PULL, 7)], late, later) == {"late"}


def test_a_tag_that_was_pushed_again_renews_its_artifact() -> None:
    renewed = Candidate(Digest.of(b"r"), "type", NOW - 9 * DAY_MS, {Tag("r"): NOW})
    assert kept([rule(Template.DAYS_SINCE_PUSH, 1)], renewed) == {"r"}


def test_every_artifact_has_the_reason_of_every_rule() -> None:
    rules = [rule(Template.LATEST_PUSHED, 1), rule(Template.ALWAYS, None, Selector("v*"))]
    first, second = judge(dict(enumerate(rules, 1)), [A, B], now=NOW)
    assert first.reason == "rule 1: it is number 1 of the most recently pushed, of which 1 are kept"
    assert second.reason == (
        "rule 1: it is number 2 of the most recently pushed, of which 1 are kept; rule 2 does not select it"
    )


def test_reasons_name_rules_by_their_places_in_the_policy() -> None:
    elsewhere = Rule(1, Template.ALWAYS, repositories=(Selector("other"),))
    policy = Policy(1, (elsewhere, rule(Template.LATEST_PUSHED, 0)))
    (one,) = judge_repository(policy, GALLEON, [A], now=NOW, is_immutable=lambda *_: False)
    assert one.reasons == (Reason(Cause.PUSH_RANK, {"rule": 2, "rank": 1, "most": 0}),)


@pytest.mark.parametrize(
    ("rules", "one", "reason", "sentence"),
    [
        ([], A, Reason(Cause.NO_RULE), "no rule selects the repository"),
        ([rule(Template.ALWAYS)], A, Reason(Cause.ALWAYS, {"rule": 1}), "rule 1: it is always kept"),
        (
            [rule(Template.LATEST_PULLED, 1)],
            B,
            Reason(Cause.PULL_RANK, {"rule": 1, "rank": 1, "most": 1}),
            "rule 1: it is number 1 of the most recently pulled, of which 1 are kept",
        ),
        (
            [rule(Template.DAYS_SINCE_PUSH, 2)],
            B,
            Reason(Cause.PUSH_AGE, {"rule": 1, "days": 3.0, "most": 2}),
            "rule 1: it was pushed 3.0 days ago, and 2 days are kept",
        ),
        (
            [rule(Template.DAYS_SINCE_PULL, 2)],
            B,
            Reason(Cause.PULL_AGE, {"rule": 1, "days": 1.0, "most": 2}),
            "rule 1: it was pulled 1.0 days ago, and 2 days are kept",
        ),
        (
            [rule(Template.NEWEST_VERSIONS, 1)],
            artifact("x", "1.2.3"),
            Reason(Cause.VERSION_RANK, {"rule": 1, "rank": 1, "versions": "1.2", "most": 1}),
            "rule 1: it is number 1 of the versions 1.2, of which 1 are kept",
        ),
        (
            [rule(Template.NEWEST_VERSIONS, 1)],
            A,
            Reason(Cause.NO_VERSION, {"rule": 1}),
            "rule 1: none of its tags is a semantic version",
        ),
        (
            [rule(Template.LATEST_PUSHED, 0)],
            artifact("young", days=0.5),
            Reason(Cause.YOUNG),
            "it has no tag and is younger than a day: an index may be about to need it",
        ),
    ],
)
def test_a_reason_has_a_cause_and_a_sentence(rules: list[Rule], one: Candidate, reason: Reason, sentence: str) -> None:
    (verdict,) = judge(dict(enumerate(rules, 1)), [one], now=NOW)
    assert (verdict.reasons, verdict.reason) == ((reason,), sentence)


def test_the_newest_versions_of_each_minor_are_kept() -> None:
    names = ["1.0.0", "1.0.1", "v1.0.2", "1.0.3-rc.1", "1.1.0", "1.1.0-alpha", "2.0.0+build", "latest"]
    found = [artifact(name, name.replace("+", "_")) for name in names]
    assert kept([rule(Template.NEWEST_VERSIONS, 2)], *found) == {
        "v1.0.2", "1.0.3-rc.1", "1.1.0", "1.1.0-alpha", "2.0.0_build"
    }  # fmt: skip


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
               "1.0.0-rc.1", "1.0.0", "1.0.10", "1.2.0"]  # fmt: skip
    keys = [version_of(text) for text in ordered]
    assert keys == sorted(keys, key=lambda key: key or ())
    assert version_of("latest") is None
    assert version_of("1.2") is None


def test_a_policy_comes_back_as_it_was_kept() -> None:
    policy = Policy(
        7, (Rule(1, Template.LATEST_PUSHED, None, True, (Selector("v*", True, False),), (ALL,)),), "0 0 3 * * *"
    )
    assert Policy.from_json(policy.as_json()) == policy


@pytest.mark.parametrize(
    "policy",
    [
        Policy(1, tuple(Rule(1, Template.LATEST_PUSHED, number) for number in range(MAX_RULES + 1))),
        Policy(1, (Rule(1, Template.LATEST_PUSHED, -1),)),
        Policy(1, (Rule(1, Template.ALWAYS, tags=(Selector("[a"),)),)),
        Policy(1, (Rule(1, Template.ALWAYS, tags=(Selector("(a", regular=True),)),)),
        Policy(1, (Rule(1, Template.ALWAYS, tags=(ALL,) * 11),)),
        Policy(1, (), "every day"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(policy: Policy) -> None:
    with pytest.raises(PolicyRefused):
        policy.check()


def test_a_rule_selects_by_regular_expressions() -> None:
    release = Selector(r"v\d+\.\d+", regular=True)
    one, two = artifact("one", "v1.2"), artifact("two", "v1.2-rc1")
    assert kept([rule(Template.ALWAYS, None, release)], one, two) == {"v1.2"}
    others = Selector(release.pattern, excludes=True, regular=True)
    assert kept([rule(Template.ALWAYS, None, others)], one, two) == {"v1.2-rc1"}
    galleons = Selector("(gall|carav)[a-z]+", regular=True)  # the whole name, without its project
    assert [galleons.selects_repository(RepositoryName(name)) for name in (GALLEON, "ships/old/galleon")] == [
        True,
        False,
    ]


def test_a_policy_with_regular_expressions_comes_back_as_it_was_kept() -> None:
    terms = (Selector("a|b", True, False, regular=True), Selector("a"))
    policy = Policy(1, (Rule(1, Template.ALWAYS, tags=terms, repositories=terms),))
    policy.check()
    assert Policy.from_json(policy.as_json()) == policy
    assert json.loads(policy.as_json())["rules"][0]["tags"] == [["a|b", True, False, True], ["a", False, None]]


def test_a_pattern_and_an_expression_of_the_same_text_are_two_rules() -> None:
    both = [Rule(1, Template.ALWAYS, tags=(Selector("v1", regular=kind),)) for kind in (False, True)]
    Policy(1, tuple(both)).check()


def test_two_rules_that_do_the_same_are_refused() -> None:
    with pytest.raises(DuplicateRule):
        Policy(1, (Rule(1, Template.LATEST_PUSHED, 10), Rule(2, Template.LATEST_PUSHED))).check()
