"""A day of a registry: real clients push, people retag, delete, undo and set rules, and the collector runs beside it.

`python -m tests.e2e.day --minutes 10` plays it for as long as wanted; test_day.py plays one round. Afterwards exactly
those objects are in the bucket that the index explains (bucket.py), and every tag that is left can be pulled.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from local.ports import free_port
from tests.e2e import bucket, images
from tests.e2e.api import OCI_MANIFEST, Api, Response, digest_of, exchange
from tests.e2e.clients import Client, Docker, Podman, Skopeo
from tests.e2e.cloud import REPOSITORY, Cloud, instance
from tests.e2e.images import KIB, MIB, Image
from tests.e2e.processes import Machine

GRACE, FENCE = 20, 8  # seconds: long enough for a client between its first blob and its manifest
UNDO = 3_600  # seconds that the trash of `ships` keeps what may be undone, however busy the machine is; emptied at last
TRASH = 60  # seconds of the other projects, whose trash ends by itself
_PATIENCE = 900.0  # seconds, for the collector to come to an end
EVERYTHING = [{"kind": "doublestar", "decoration": "matches", "pattern": "**"}]


class Day:
    """`clients` are logged in as the administrator. What is done is chosen by `seed`, so that a day can be repeated."""

    def __init__(
        self, cloud: Cloud, clients: Sequence[Client], layouts: Sequence[Image], index: Image, seed: int
    ) -> None:
        self.cloud, self.clients, self.layouts, self.index = cloud, clients, layouts, index
        self.random = random.Random(seed)
        self.api = Api(cloud.url, cloud.admin, cloud.admin_password)
        self.done: dict[str, int] = {}

    def prepare(self) -> None:
        """Projects: `ships` for everything, `tight` with a quota, `brief` that comes and goes, `fleeting` for what
        nobody undoes."""
        self._make("ships", trash=UNDO)
        for project in ("tight", "brief", "fleeting"):
            self._make(project)
        self.manage("PUT", "/roadstead/v1/projects/tight/quota", {"storage": 64 * KIB}).expect(200)
        rule = {
            "action": "retain",
            "template": "latestPushedK",
            "params": {"latestPushedK": 2},
            "tag_selectors": EVERYTHING,
            "scope_selectors": {
                "repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "kept/**"}]
            },
        }
        number = self._id("ships")
        trigger = {"kind": "Schedule", "settings": {"cron": ""}}
        scope = {"level": "project", "ref": number}
        rules = {"algorithm": "or", "scope": scope, "trigger": trigger, "rules": [rule]}
        self.manage("POST", "/v2.0/retentions", rules).expect(201)
        immutable = {
            "action": "immutable",
            "template": "immutable_template",
            "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "released"}],
            "scope_selectors": {"repository": [{**rule["scope_selectors"]["repository"][0], "pattern": "**"}]},  # type: ignore[index]
        }
        self.manage("POST", "/v2.0/projects/ships/immutabletagrules", immutable).expect(201)

    def round(self) -> None:
        """Everything once, in an order of chance."""
        acts: list[Callable[[], None]] = [
            self.push, self.push, self.push_index, self.refer, self.retag, self.copy, self.untag,
            self.delete_manifest, self.delete_artifact, self.undo, self.undo, self.delete_repository,
            self.undo_repository, self.retain, self.exceed, self.recreate, self.release,
        ]  # fmt: skip
        self.random.shuffle(acts)
        for act in acts:
            self.act(act)

    def act(self, act: Callable[[], None]) -> None:
        act()
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1

    def push(self) -> None:
        self._push(self.random.choice(self.clients), f"ships/app:v{self.random.randrange(4)}")

    def push_index(self) -> None:
        skopeo = next(one for one in self.clients if isinstance(one, Skopeo))
        reference = f"{self.cloud.host}/ships/multi:v{self.random.randrange(2)}"
        skopeo.load(self.index, reference)
        skopeo.push(reference).succeeded()

    def refer(self) -> None:
        """An SBOM of an image."""
        subject = self._some_tag("ships/app")
        body = self.api.manifest("ships/app", subject).expect(200).body
        descriptor = {"mediaType": json.loads(body)["mediaType"], "digest": digest_of(body), "size": len(body)}
        layer = f"sbom {self.random.random()}".encode()
        parts = {"config": self._blob("ships/app", b"{}"), "layers": [self._blob("ships/app", layer)]}
        artifact = {"artifactType": "application/vnd.example.sbom", "subject": descriptor, **parts}
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, **artifact}
        digest = digest_of(json.dumps(document).encode())
        self.api.push_manifest("ships/app", digest, document)

    def retag(self) -> None:
        """By the API, to a tag that may point to something else."""
        source = self._some_tag("ships/app")
        answer = self.api.manifest("ships/app", source).expect(200)
        headers = {"Content-Type": answer.headers["content-type"]}
        path = f"/v2/ships/app/manifests/v{self.random.randrange(4)}"
        self.api.call("PUT", path, answer.body, headers).expect(201)

    def copy(self) -> None:
        """Into another repository of the project, where the client mounts the blobs."""
        skopeo = next(one for one in self.clients if isinstance(one, Skopeo))
        source, number = self._some_tag("ships/app"), self.random.randrange(5)
        target = f"docker://{self.cloud.host}/ships/kept/copy:c{number}"
        skopeo.copy(f"docker://{self.cloud.host}/ships/app:{source}", target).succeeded()

    def untag(self) -> None:
        tag = self._some_tag("ships/app")
        self.api.call("DELETE", f"/v2/ships/app/manifests/{tag}").expect(202)
        self.api.manifest("ships/app", tag).expect(404)

    def delete_manifest(self) -> None:
        digest = self.api.digest("ships/app", self._some_tag("ships/app"))
        self.api.call("DELETE", f"/v2/ships/app/manifests/{digest}").expect(202)
        self.api.manifest("ships/app", digest).expect(404)

    def delete_artifact(self) -> None:
        """With its children, by Harbor's API."""
        tag = self._some_tag("ships/multi")
        self.manage("DELETE", f"/v2.0/projects/ships/repositories/multi/artifacts/{tag}").expect(200)
        self.api.manifest("ships/multi", tag).expect(404)

    def undo(self) -> None:
        """What was deleted last, under tags of its own: its own may have moved on."""
        self.api.call("DELETE", f"/v2/ships/app/manifests/{self.api.digest('ships/app', self._some_tag('ships/app'))}")
        unit = self._units("app")[0]
        made = self.done.get("undo", 0)  # names that nothing has yet
        tags = {tag: f"undone-{made}-{place}" for place, tag in enumerate(unit["tags"])}
        assert self._restore(unit, tags) == "Success", unit
        for tag in tags.values():
            assert self.api.digest("ships/app", tag) == unit["digest"]

    def delete_repository(self) -> None:
        """Nobody empties its trash: the collector frees it when its time is over."""
        self._push(self.clients[0], "fleeting/gone:v1")
        self._delete_repository("fleeting", "gone")
        self.api.manifest("fleeting/gone", "v1").expect(404)

    def undo_repository(self) -> None:
        """With an index, its children, and an image; everything returns."""
        self._push(self.clients[0], "ships/back:v1")
        skopeo = next(one for one in self.clients if isinstance(one, Skopeo))
        skopeo.load(self.index, f"{self.cloud.host}/ships/back:multi")
        skopeo.push(f"{self.cloud.host}/ships/back:multi").succeeded()
        before = {tag: self.api.digest("ships/back", tag) for tag in self._tags("ships/back")}
        self._delete_repository("ships", "back")
        assert self._restore(self._units("back")[0], {}) == "Success"
        assert {tag: self.api.digest("ships/back", tag) for tag in self._tags("ships/back")} == before
        self._pull_all("ships/back")

    def retain(self) -> None:
        """Of what is copied, the two that were pushed last stay."""
        self.copy()
        started = self.manage("POST", f"/v2.0/retentions/{self._id('ships')}/executions", {"dry_run": False})
        location = started.expect(201).headers["location"]
        execution = f"/roadstead/v1/executions/{location.rpartition('/')[2]}"
        assert self._ended(execution) == "Success"
        kept = {self.api.digest("ships/kept/copy", tag) for tag in self._tags("ships/kept/copy")}
        assert 0 < len(kept) <= 2

    def exceed(self) -> None:
        """A push that the quota refuses, whose layers are left over."""
        client, large = self.random.choice(self.clients), self.layouts[-1]
        reference = f"{self.cloud.host}/tight/app:v1"
        client.load(large, reference)
        assert "of its quota of" in client.push(reference).failed().output

    def recreate(self) -> None:
        """A project of the same name has nothing of the one before."""
        self._push(self.random.choice(self.clients), "brief/app:v1")
        digest = self.api.digest("brief/app", "v1")
        layer = json.loads(self.api.manifest("brief/app", digest).body)["layers"][0]["digest"]
        self._delete_repository("brief", "app")
        self._until(lambda: self.manage("DELETE", "/v2.0/projects/brief").status == 200)
        self._make("brief")
        self.api.manifest("brief/app", digest).expect(404)
        self.api.call("GET", f"/v2/brief/app/blobs/{layer}").expect(404)
        assert json.loads(self.manage("GET", "/roadstead/v1/projects/brief/trash").expect(200).body) == []

    def release(self) -> None:
        """An immutable tag refuses another image, and deletion."""
        if "released" not in self._tags("ships/app"):
            self._push(self.clients[0], "ships/app:released")
        digest = self.api.digest("ships/app", "released")
        other = self._blob("ships/app", f"other {self.random.random()}".encode())
        document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": other, "layers": []}
        headers = {"Content-Type": OCI_MANIFEST}
        path = "/v2/ships/app/manifests/released"
        self.api.call("PUT", path, json.dumps(document).encode(), headers).expect(403)
        self.api.call("DELETE", path).expect(403)
        assert self.api.digest("ships/app", "released") == digest

    def finish(self) -> None:
        """Empty the trash, and wait until nothing is left that goes; fail with what differs, unless that is nothing."""
        emptied = self.manage("DELETE", "/roadstead/v1/projects/ships/trash").expect(202)
        assert self._ended(emptied.headers["location"].removeprefix("/api")) == "Success"
        end = time.monotonic() + _PATIENCE
        while left := bucket.differences(self.cloud):
            assert time.monotonic() < end, f"after {self.done}:\n" + "\n".join(left)
            time.sleep(2)
        for repository in sorted({name for name, _ in bucket.read(self.cloud).tags}):
            self._pull_all(repository)
        state = Path(self.cloud.ready["password_file"]).parent
        command = [sys.executable, "-m", "cli", "check", "--json", "--state", str(state)]
        checked = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
        found = json.loads(checked.stdout)
        assert (found["objects"], found["young"]) == (len(bucket.objects(self.cloud)), 0)
        assert (found["unexplained"], found["missing"], found["miscounted"]) == ([], [], [])

    def manage(self, method: str, path: str, document: Any = None) -> Response:
        """One request to the management API, as the administrator."""
        credentials = base64.b64encode(f"{self.cloud.admin}:{self.cloud.admin_password}".encode()).decode()
        headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
        body = json.dumps(document).encode() if document is not None else b""
        return exchange(method, f"{self.cloud.url}/api{path}", body, headers)

    def _make(self, project: str, *, trash: int = TRASH) -> None:
        self.manage("POST", "/v2.0/projects", {"project_name": project, "storage_limit": -1}).expect(201)
        self.manage("PUT", f"/roadstead/v1/projects/{project}/trash-grace", {"seconds": trash}).expect(200)

    def _id(self, project: str) -> int:
        return int(json.loads(self.manage("GET", f"/v2.0/projects/{project}").expect(200).body)["project_id"])

    def _push(self, client: Client, name: str) -> None:
        reference = f"{self.cloud.host}/{name}"
        client.load(self.random.choice(self.layouts), reference)
        client.push(reference).succeeded()

    def _blob(self, repository: str, data: bytes) -> dict[str, Any]:
        digest = self.api.push_blob(repository, data)
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(data)}

    def _tags(self, repository: str) -> list[str]:
        answer = self.api.call("GET", f"/v2/{repository}/tags/list")
        return [] if answer.status == 404 else list(answer.expect(200).json()["tags"] or [])

    def _some_tag(self, repository: str) -> str:
        """A tag that may be moved and deleted; there is one more image if there is none."""
        while True:
            tags = [tag for tag in self._tags(repository) if tag != "released" and self._free(repository, tag)]
            if tags:
                return self.random.choice(tags)
            self.push() if repository == "ships/app" else self.push_index()

    def _free(self, repository: str, tag: str) -> bool:
        """Whether its manifest is not that of the immutable tag."""
        answer = self.api.manifest(repository, "released")
        return answer.status == 404 or digest_of(answer.body) != self.api.digest(repository, tag)

    def _units(self, repository: str) -> list[dict[str, Any]]:
        path = f"/roadstead/v1/projects/ships/trash?repository={repository}"
        return list(json.loads(self.manage("GET", path).expect(200).body))

    def _restore(self, unit: dict[str, Any], tags: dict[str, str]) -> str:
        path = f"/roadstead/v1/projects/ships/trash/{unit['id']}/restore"
        location = self.manage("POST", path, {"tags": tags}).expect(201).headers["location"]
        return self._ended(location.removeprefix("/api"))

    def _delete_repository(self, project: str, name: str) -> None:
        answer = self.manage("DELETE", f"/v2.0/projects/{project}/repositories/{name}")
        if answer.status == 202:
            execution = answer.headers["location"].removeprefix("/api")
            assert self._ended(execution) == "Success", self.manage("GET", execution).body
        else:
            answer.expect(200)

    def _ended(self, execution: str) -> str:
        """Wait for its end; return how it ended."""
        statuses: list[str] = []

        def is_over() -> bool:
            statuses.append(json.loads(self.manage("GET", execution).expect(200).body)["status"])
            return statuses[-1] not in ("Pending", "Running")

        self._until(is_over)
        return statuses[-1]

    def _until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 600
        while not condition():
            assert time.monotonic() < end, "three minutes have passed"
            time.sleep(0.3)

    def _pull_all(self, repository: str) -> None:
        """Every tag with everything that it needs: the bytes must hash to their digests."""
        for tag in self._tags(repository):
            left = [tag]
            while left:
                document = self.api.manifest(repository, left.pop()).expect(200).json()
                left += [child["digest"] for child in document.get("manifests", [])]
                for part in (document.get("config"), *document.get("layers", [])):
                    if part is not None:
                        self.api.blob(repository, part["digest"])


@contextlib.contextmanager
def day(work: Path, machine: Machine, kinds: Sequence[type[Client]], seed: int) -> Iterator[Day]:
    """A registry with a hasty collector, and clients that are logged in."""
    times = ("--collect-grace", str(GRACE), "--collect-fence", str(FENCE))
    layouts = [images.image(work / f"day-{n}", (KIB, (n + 1) * 100 * KIB), seed=f"{seed} {n}") for n in range(4)]
    layouts.append(images.image(work / "day-large", (1, 2 * MIB), seed=f"{seed} large"))
    index = images.index(work / "day-index", ("amd64", "arm64"), (KIB, 50 * KIB))
    with contextlib.ExitStack() as stack:
        cloud = stack.enter_context(instance(work / "day-state", free_port(), *times)).wait_until_ready()
        clients = []
        for number, kind in enumerate(kinds):
            client = stack.enter_context(kind(machine, work / f"day-home{number}", cloud.host))
            client.login(cloud.admin, cloud.admin_password).succeeded()
            clients.append(client)
        made = Day(cloud, clients, layouts, index, seed)
        made.prepare()
        yield made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    options = parser.parse_args()
    end, rounds = time.monotonic() + options.minutes * 60, 0
    work = Path(tempfile.mkdtemp(prefix="roadstead-day-"))  # stays if something fails, with the logs
    with day(work, Machine(work), (Skopeo, Podman, Docker), options.seed) as played:
        while rounds == 0 or time.monotonic() < end:
            played.round()
            rounds += 1
            print(f"seed {options.seed}: {rounds} rounds, {len(bucket.objects(played.cloud))} objects", flush=True)
        played.finish()
        total = len(bucket.objects(played.cloud))
    shutil.rmtree(work)
    print(f"seed {options.seed}: {rounds} rounds, {played.done}; {total} objects, all of them explained")


if __name__ == "__main__":
    main()
