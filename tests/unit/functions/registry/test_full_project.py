"""The POST of an upload to a project whose quota is used up, as the function answers it."""

from __future__ import annotations

import base64
import json

import pytest

from functions.registry import handler
from roadstead.aws.content.index_items import rules_key, usage_key
from roadstead.aws.table import Table
from roadstead.digest import Digest
from roadstead.lifecycle.policy.document import Policy
from roadstead.lifecycle.policy.quotas import Quota
from tests import aws
from tests.manifests import image_of
from tests.unit.functions.registry.cloud import OTHER, REPOSITORY, running

BATCH_GET = "dynamodb.BatchGetItem"
LAYER = b"x" * 20_000


def test_the_first_upload_to_a_project_costs_a_read_of_its_quota() -> None:
    with pytest.MonkeyPatch.context() as patch, running(patch) as cold:
        cold.request("GET", "/v2/")  # reads the public key
        calls = cold.cost("POST", f"/v2/{REPOSITORY}/blobs/uploads/", status=202)
        assert calls == [BATCH_GET, "ssm.GetParameter"]
        assert cold.cost("POST", f"/v2/{OTHER}/blobs/uploads/", status=202) == []  # of the same project


def test_a_full_project_takes_no_upload_but_what_adds_no_bytes() -> None:
    with pytest.MonkeyPatch.context() as patch, running(patch) as full:
        body = image_of(LAYER)
        for data in (b"{}", LAYER):
            full.push_blob(data)
        assert full.request("PUT", f"/v2/{REPOSITORY}/manifests/latest", body)["statusCode"] == 201
        index = aws.client("dynamodb")
        for key, item in (
            (rules_key("ships"), {"document": Policy(quota=Quota(storage=1000)).document(), "version": 1}),
            (usage_key("ships"), {"bytes": 1000}),
        ):
            Table(index, "index").put_item(key, item)
        handler.application.cache_clear()  # a process that found no room yet

        uploads = f"/v2/{REPOSITORY}/blobs/uploads/"
        for target, data in ((uploads, b""), (f"{uploads}?digest={Digest.of(b'whole')}", b"whole")):
            answer = full.request("POST", target, data)
            error = json.loads(base64.b64decode(answer["body"]))["errors"][0]
            assert (answer["statusCode"], error["code"]) == (403, "DENIED")
            assert error["detail"] == {"project": "ships", "used": 1000, "limit": 1000}
        assert full.cost("POST", uploads, status=403) == [BATCH_GET, BATCH_GET]
        mount = f"/v2/{OTHER}/blobs/uploads/?mount={Digest.of(LAYER)}&from={REPOSITORY}"
        assert full.request("POST", mount)["statusCode"] == 201
        assert full.request("PUT", f"/v2/{REPOSITORY}/manifests/again", body)["statusCode"] == 201
