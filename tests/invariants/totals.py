"""What lists of the management API say that they hold, `X-Total-Count`, against what following their links brings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.hosting.boundary import response_of
from functions.management import composition
from functions.management.application import Application
from functions.management.settings import Settings
from roadstead.aws.identity.dynamodb_identity import DynamoIdentities
from roadstead.aws.table import Table
from roadstead.content.accessories import is_accessory
from roadstead.http import Request, Response
from roadstead.identity.accounts import AccountRefused, Accounts
from roadstead.names import RepositoryName, Tag
from tests.invariants.cloud import BUCKET, IDENTITY, INDEX, Cloud
from tests.unit.functions.management.client import PASSWORD, Browser, Desk, FastHasher, basic

HARBOR, OWN = "/api/v2.0", "/api/roadstead/v1"
_ADMIN = "ada"
_MOST = 1_000  # pages of a list, before the walk is said to go in circles


class Management:
    """The management function on the cloud; asked by a system administrator."""

    def __init__(self, cloud: Cloud) -> None:
        self._application = Application(
            composition.build(
                Settings.from_environ({"INDEX_TABLE": INDEX, "IDENTITY_TABLE": IDENTITY, "BUCKET": BUCKET})
            )
        )
        self._browser = Browser(cast(Desk, self))
        accounts = Accounts(DynamoIdentities(Table(cloud.dynamodb, IDENTITY)), FastHasher())
        with contextlib.suppress(AccountRefused):  # the cloud keeps its accounts from test to test
            accounts.create_user(_ADMIN, PASSWORD, admin=True)
        with contextlib.suppress(AccountRefused):
            accounts.create_project("acme")

    def ask(self, request: Request) -> Response:
        return response_of(request, self._application.respond)

    def get(self, path: str) -> tuple[Any, Mapping[str, str]]:
        status, said, headers = self._browser.ask("GET", path, headers=basic(_ADMIN))
        assert status == 200, (path, status, said)
        return said, headers

    def walk(self, path: str) -> list[Any]:
        """Return the items of all pages. Asserts that no item comes twice, and that each page has the same total."""
        found: list[Any] = []
        totals = set()
        for _ in range(_MOST):
            said, headers = self.get(path)
            found += said
            totals.add(int(headers["x-total-count"]))
            path = _next(headers.get("link", ""))
            if not path:
                break
        names = [one["name"] if "name" in one else one["digest"] for one in found]
        assert len(set(names)) == len(names)
        assert totals == {len(found)}, (path, totals, len(found))
        return found


def _next(link: str) -> str:
    """The path of the next page, or ""."""
    for one in link.split(" , "):
        url, _, rel = one.partition(">; ")
        if rel == 'rel="next"':
            assert parse_qs(urlsplit(url).query)
            return url.removeprefix("<")
    return ""


@contextlib.contextmanager
def management(cloud: Cloud) -> Iterator[Management]:
    clients = {"dynamodb": cloud.dynamodb, "s3": cloud.s3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "client", lambda service, **_: clients.get(service))
        patch.setattr(composition, "Argon2Hasher", FastHasher)
        yield Management(cloud)


def check_totals(cloud: Cloud) -> None:
    """Every list of content has as many items as it says, in every order and with every kind of filter; and as many as
    are stored."""
    with management(cloud) as asked:
        repositories = [
            RepositoryName(one["name"]) for one in asked.walk(f"{HARBOR}/projects/acme/repositories?page_size=1")
        ]
        assert set(repositories) == {sk for pk, sk in cloud.rows("catalog")}
        assert len(asked.walk(f"{HARBOR}/repositories?page_size=1")) == len(repositories)
        for name in repositories:
            own = f"projects/acme/repositories/{name.partition('/')[2]}"
            artifacts, tags = f"{HARBOR}/{own}/artifacts?page_size=2", f"{OWN}/{own}/tags?limit=3"
            rows = {sk: item for (_, sk), item in cloud.rows(f"repo#{name}").items()}
            there = [sk.removeprefix("tag#") for sk in rows if sk.startswith("tag#")]
            shown = sorted(tag for tag in there if not is_accessory(Tag(tag)))
            for sort in ("-pushed", "pushed", "name", "-name"):
                assert sorted(one["name"] for one in asked.walk(f"{tags}&sort={sort}")) == shown
            listed = {
                sk.removeprefix("manifest#")
                for sk, item in rows.items()
                if sk.startswith("manifest#") and "pushed" in item
            }
            every = asked.walk(artifacts)
            assert {one["digest"] for one in every} == listed
            assert len(asked.walk(f"{artifacts}&sort=-size")) == len(every)
            untagged = [one for one in every if not one["tags"]]
            assert len(asked.walk(f"{artifacts}&q=tags%3Dnil")) == len(untagged)
            assert len(asked.walk(f"{artifacts}&q=tags%3D*")) == len(every) - len(untagged)
