"""Rotating upload keys: stages, steps and waiting times."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from cli.failures import Failure
from cli.rotation import MAX_VALUE, READ_SECONDS, Rotation, Stage, Step, holds, waiting_time
from roadstead.aws.ssm import REFRESH_SECONDS
from roadstead.content.uploads.token import UploadKeys, UploadToken, decode_upload_token
from roadstead.names import RepositoryName


def test_a_whole_rotation_ends_steady_with_the_new_key() -> None:
    first = Rotation.first()
    added = first.after(Step.ADD)
    switched = added.after(Step.SWITCH)
    dropped = switched.after(Step.DROP)
    assert [one.stage for one in (first, added, switched, dropped)] == [
        Stage.STEADY,
        Stage.ADDED,
        Stage.SWITCHED,
        Stage.STEADY,
    ]
    assert added.current == first.current
    assert switched.keys == added.keys
    assert set(dropped.keys) == set(added.keys) - {first.current}
    assert dropped.current == switched.current != first.current


def test_the_registry_reads_every_stage_and_it_fits_the_key_value_store() -> None:
    rotation = Rotation.first()
    for step in (Step.ADD, Step.SWITCH, Step.DROP):
        rotation = rotation.after(step)
        keys = UploadKeys.from_json(rotation.to_json())
        assert (keys.current, len(keys.keys)) == (rotation.current, len(rotation.keys))
        assert all(len(key) == 32 for key in keys.keys.values())
        assert len(rotation.to_json()) <= MAX_VALUE


def test_the_stage_can_be_read_from_the_document() -> None:
    switched = Rotation.first().after(Step.ADD).after(Step.SWITCH)
    again = Rotation.from_json(switched.to_json())
    assert (again.stage, again.current, list(again.keys)) == (Stage.SWITCHED, switched.current, list(switched.keys))


@pytest.mark.parametrize("step", [Step.SWITCH, Step.DROP])
def test_a_step_out_of_order_is_refused_with_the_right_one(step: Step) -> None:
    with pytest.raises(Failure, match="the next step is add"):
        Rotation.first().after(step)


def test_cached_keys_are_read_again_before_the_next_step() -> None:
    assert READ_SECONDS >= 2 * REFRESH_SECONDS
    added = Rotation.first().after(Step.ADD)
    assert waiting_time(added, 1000, 86_400)[0] == 1000 + READ_SECONDS
    assert waiting_time(added.after(Step.SWITCH), 1000, 86_400)[0] == 1000 + READ_SECONDS + 86_400
    assert waiting_time(Rotation.first(), 1000, 86_400)[0] == 1000


def test_every_token_is_verified_by_somebody_who_knows_its_key() -> None:
    """Between two steps everybody catches up, so signers and verifiers are at most one step apart."""
    stages = [Rotation.first()]
    for step in (Step.ADD, Step.SWITCH):
        stages.append(stages[-1].after(step))
    for views in pairwise(stages):
        for signer in views:
            token = a_token().encode(UploadKeys.from_json(signer.to_json()))
            for verifier in views:
                assert decoded(token, verifier)
    # Before the last step the tokens of the old key have expired.
    switched, dropped = stages[-1], stages[-1].after(Step.DROP)
    token = a_token().encode(UploadKeys.from_json(switched.to_json()))
    assert decoded(token, dropped)
    old = a_token().encode(UploadKeys.from_json(stages[0].to_json()))
    with pytest.raises(ValueError, match="not made by this registry"):
        decoded(old, dropped)


def a_token() -> UploadToken:
    return UploadToken(RepositoryName("ships/cargo"), "0" * 32, "ada", "user", "token", 2_000_000_000)


def decoded(token: str, rotation: Rotation) -> UploadToken:
    keys = UploadKeys.from_json(rotation.to_json())
    return decode_upload_token(token, keys, now=1, repository="ships/cargo", upload_id="0" * 32)


def test_documents_with_the_same_keys_are_equal_however_they_are_formatted() -> None:
    rotation = Rotation.first()
    assert holds(json.dumps(json.loads(rotation.to_json()), indent=2), rotation)
    assert not holds(Rotation.first().to_json(), rotation)
    assert not holds(None, rotation)
    assert not holds("{", rotation)


def test_a_rotations_repr_has_no_key() -> None:
    rotation = Rotation.first()
    assert rotation.keys[rotation.current] not in repr(rotation)


def test_a_document_that_the_registry_rejects_is_refused() -> None:
    with pytest.raises(Failure, match="cannot be read"):
        Rotation.from_json('{"current": "a", "keys": {}}')


def test_more_than_two_keys_are_refused() -> None:
    key = next(iter(Rotation.first().keys.values()))
    with pytest.raises(Failure, match="3 upload keys"):
        _ = Rotation("a", {"a": key, "b": key, "c": key}).stage
