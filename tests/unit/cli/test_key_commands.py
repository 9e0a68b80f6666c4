"""`roadstead keys`: each step is safe, repeatable, and can be resumed after an interruption."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import _parser
from cli.failures import Failure
from cli.output import Output
from cli.rotation import READ_SECONDS, RELAY_KEY, STORE_KEY, Rotation, Stage
from tests.unit.cli.fake_cloud import OUTPUTS, PARAMETER, STACK, Died, FakeCloud, FakeKeyValues

DAY = 86_400


def run(cloud: FakeCloud, *arguments: str) -> Any:
    """Run a command; return its JSON document. Raises Failure."""
    options: argparse.Namespace = _parser().parse_args([*arguments, "--json"])
    out = io.StringIO()
    options.run(options, cloud.as_cloud(), Output(as_json=True, out=out))
    return json.loads(out.getvalue())


def rotation(cloud: FakeCloud) -> Rotation:
    return Rotation.from_json(cloud.parameters.values[PARAMETER].value)


def edge(cloud: FakeCloud) -> Rotation:
    assert cloud.key_values is not None
    return Rotation.from_json(cloud.key_values.values[STORE_KEY])


@pytest.fixture
def cloud() -> FakeCloud:
    made = FakeCloud()
    run(made, "keys", "init")
    return made


def test_init_creates_keys_once_and_copies_them_to_the_edge(cloud: FakeCloud) -> None:
    first = rotation(cloud)
    assert edge(cloud) == first
    assert run(cloud, "keys", "init")["made"] is False
    assert rotation(cloud) == first


def test_init_waits_until_kms_knows_the_key_of_tokens_by_its_alias(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud = FakeCloud()
    waited: list[float] = []
    monkeypatch.setattr("cli.key_commands.time.sleep", waited.append)
    cloud.troubles = ["jwks.json responds with 500"] * 3
    assert run(cloud, "keys", "init")["made"] is True
    assert len(waited) == 3
    assert edge(cloud) == rotation(cloud)


def test_init_that_has_waited_in_vain_has_made_the_keys_and_says_to_run_it_again() -> None:
    cloud = FakeCloud()
    cloud.troubles = ["jwks.json responds with 500"] * 9
    with pytest.raises(Failure, match=r"responds with 500\. Run `roadstead keys init` again"):
        run(cloud, "keys", "init", "--wait", "0")
    first = rotation(cloud)
    cloud.troubles = []
    assert run(cloud, "keys", "init")["made"] is False
    assert rotation(cloud) == edge(cloud) == first


def test_init_copies_existing_keys_to_the_edge() -> None:
    cloud = FakeCloud()
    cloud.parameters.create(PARAMETER, Rotation.first().to_json())
    assert run(cloud, "keys", "init")["edge"] == "updated"
    assert edge(cloud) == rotation(cloud)


def test_after_each_step_of_a_rotation_the_edge_has_the_parameters_keys(cloud: FakeCloud) -> None:
    old = rotation(cloud).current
    assert run(cloud, "keys", "rotate", "upload", "--step", "add")["stage"] == Stage.ADDED
    assert (rotation(cloud).current, len(edge(cloud).keys)) == (old, 2)
    cloud.parameters.age(PARAMETER, READ_SECONDS + 1)
    assert run(cloud, "keys", "rotate", "upload", "--step", "switch")["stage"] == Stage.SWITCHED
    assert edge(cloud) == rotation(cloud)
    assert old in edge(cloud).keys
    cloud.parameters.age(PARAMETER, READ_SECONDS + DAY + 1)
    assert run(cloud, "keys", "rotate", "upload", "--step", "drop")["stage"] == Stage.STEADY
    assert edge(cloud) == rotation(cloud)
    assert old not in edge(cloud).keys


@pytest.mark.parametrize(("steps", "after"), [(["add"], 0), (["add", "switch"], READ_SECONDS + 1)])
def test_a_step_that_comes_too_early_is_refused(cloud: FakeCloud, steps: list[str], after: float) -> None:
    for step in steps:
        run(cloud, "keys", "rotate", "upload", "--step", step)
        cloud.parameters.age(PARAMETER, after)
    before = rotation(cloud)
    with pytest.raises(Failure, match="Wait until"):
        run(cloud, "keys", "rotate", "upload", "--step", ["switch", "drop"][len(steps) - 1])
    assert rotation(cloud) == before == edge(cloud)


def test_the_waiting_time_follows_upload_seconds(cloud: FakeCloud) -> None:
    for step in ("add", "switch"):
        run(cloud, "keys", "rotate", "upload", "--step", step, "--without-waiting")
    cloud.parameters.age(PARAMETER, READ_SECONDS + 700)
    with pytest.raises(Failure, match="uploads that started"):
        run(cloud, "keys", "rotate", "upload", "--step", "drop")
    assert run(cloud, "keys", "rotate", "upload", "--step", "drop", "--upload-seconds", "600")["stage"] == "steady"


def test_repeating_a_step_needs_no_waiting_and_changes_nothing(cloud: FakeCloud) -> None:
    for step in ("add", "switch", "drop"):
        run(cloud, "keys", "rotate", "upload", "--step", step, "--without-waiting")
        before = rotation(cloud)
        run(cloud, "keys", "rotate", "upload", "--step", step)
        assert rotation(cloud) == before == edge(cloud)


def test_a_step_that_dies_before_the_edge_has_the_keys_changes_nothing(cloud: FakeCloud) -> None:
    before = rotation(cloud)
    assert cloud.key_values is not None
    cloud.key_values.dies = True
    with pytest.raises(Died):
        run(cloud, "keys", "rotate", "upload", "--step", "add")
    assert rotation(cloud) == before == edge(cloud)
    run(cloud, "keys", "rotate", "upload", "--step", "add")
    assert rotation(cloud).stage is Stage.ADDED


def test_after_a_late_update_of_the_edge_the_switch_waits_again(cloud: FakeCloud) -> None:
    run(cloud, "keys", "rotate", "upload", "--step", "add")
    cloud.parameters.age(PARAMETER, READ_SECONDS + 1)
    assert cloud.key_values is not None
    cloud.key_values.values.clear()
    with pytest.raises(Failure, match="only now"):
        run(cloud, "keys", "rotate", "upload", "--step", "switch")
    assert edge(cloud) == rotation(cloud)
    assert run(cloud, "keys", "rotate", "upload", "--step", "switch")["stage"] == "switched"


def test_rotate_without_a_step_changes_nothing(cloud: FakeCloud) -> None:
    before = rotation(cloud)
    assert run(cloud, "keys", "rotate", "upload")["next"] == "add"
    assert rotation(cloud) == before


def test_show_prints_key_ids_and_never_a_key(cloud: FakeCloud) -> None:
    document = run(cloud, "keys", "show")
    assert document["uploads"]["ids"] == [rotation(cloud).current]
    assert document["uploads"]["edge"] == "the same"
    assert next(iter(rotation(cloud).keys.values())) not in json.dumps(document)
    assert cloud.key_values is not None
    cloud.key_values.values[STORE_KEY] = Rotation.first().to_json()
    assert "keys sync" in run(cloud, "keys", "show")["uploads"]["edge"]
    run(cloud, "keys", "sync")
    assert run(cloud, "keys", "show")["uploads"]["edge"] == "the same"


def test_without_keys_the_error_names_keys_init() -> None:
    with pytest.raises(Failure, match="keys init"):
        run(FakeCloud(), "keys", "show")


def test_keys_too_large_for_the_key_value_store_are_not_written(cloud: FakeCloud) -> None:
    long = Rotation("a", {"a": "A" * 1400})
    cloud.parameters.replace(PARAMETER, long.to_json())
    with pytest.raises(Failure, match="1024"):
        run(cloud, "keys", "sync")


def test_the_key_of_signed_urls_is_created_once(cloud: FakeCloud, tmp_path: Path) -> None:
    public = tmp_path / "public.pem"
    assert run(cloud, "keys", "init-blob-urls", str(public))["parameter"] == "/roadstead/blob-url-key"
    assert public.read_text().startswith("-----BEGIN PUBLIC KEY-----")
    assert "PRIVATE KEY" in cloud.parameters.values["/roadstead/blob-url-key"].value
    with pytest.raises(Failure, match="nothing was changed"):
        run(cloud, "keys", "init-blob-urls", str(tmp_path / "other.pem"))
    assert not (tmp_path / "other.pem").exists()


def test_the_steps_for_the_token_key_name_the_settings_to_deploy() -> None:
    steps = " ".join(run(FakeCloud(), "keys", "rotate", "token")["steps"])
    assert "signing.generations" in steps
    assert "[1, 2]" in steps
    assert "[2, 1]" in steps
    two = FakeCloud(type(STACK).from_outputs("R", "eu-central-1", {**OUTPUTS, "TokenKeys": "one,two"}))
    assert "the last" in " ".join(run(two, "keys", "rotate", "token")["steps"])


def test_a_token_key_is_created_only_for_deployments_without_our_templates() -> None:
    with pytest.raises(Failure, match="deployment creates"):
        run(FakeCloud(), "keys", "rotate", "token", "--create", "alias/x")


def test_without_a_key_value_store_only_the_parameter_is_written() -> None:
    local = type(STACK)(
        **{**{name: getattr(STACK, name) for name in STACK.__dataclass_fields__}, "key_value_store": ""}
    )
    cloud = FakeCloud(local, key_values=None)
    cloud.key_values = None
    assert run(cloud, "keys", "init")["edge"] == "no key-value store"
    assert run(cloud, "keys", "rotate", "upload", "--step", "add")["stage"] == "added"
    with pytest.raises(Failure, match="no key-value store"):
        run(cloud, "keys", "sync")


def test_the_store_of_the_fake_is_the_one_that_is_written(cloud: FakeCloud) -> None:
    assert isinstance(cloud.key_values, FakeKeyValues)
    assert set(cloud.key_values.values) == {STORE_KEY, RELAY_KEY}


def test_the_key_value_store_says_whether_there_is_a_relay(cloud: FakeCloud) -> None:
    assert cloud.key_values is not None
    assert cloud.key_values.values[RELAY_KEY] == "on"
    cloud.key_values.values[RELAY_KEY] = "off"
    assert run(cloud, "keys", "sync")["edge"] == "updated"
    assert cloud.key_values.values[RELAY_KEY] == "on"
    assert run(cloud, "keys", "sync")["edge"] == "up to date"
