from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from bench.content import Content


def test_an_image_is_a_valid_layout_with_layers_of_the_given_sizes(tmp_path: Path) -> None:
    image = Content(tmp_path / "layout", (0, 1, 70_000)).renew()
    manifest = json.loads(image.manifest)
    config = json.loads(image.blobs[-1].path.read_bytes())
    for blob, descriptor in zip(image.blobs, [*manifest["layers"], manifest["config"]], strict=True):
        data = blob.path.read_bytes()
        assert blob.digest == descriptor["digest"] == "sha256:" + hashlib.sha256(data).hexdigest()
        assert blob.size == descriptor["size"] == len(data)
        assert blob.path == tmp_path / "layout" / "blobs" / blob.digest.replace(":", "/")
    sizes = []
    for blob, diff_id in zip(image.blobs, config["rootfs"]["diff_ids"], strict=False):
        layer = gzip.decompress(blob.path.read_bytes())
        assert diff_id == "sha256:" + hashlib.sha256(layer).hexdigest()
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            sizes += [entry.size for entry in archive]
    assert sizes == [0, 1, 70_000]
    [named] = json.loads((tmp_path / "layout" / "index.json").read_bytes())["manifests"]
    assert (tmp_path / "layout" / "blobs" / named["digest"].replace(":", "/")).read_bytes() == image.manifest


def test_renewing_changes_every_digest_and_no_layer_content(tmp_path: Path) -> None:
    content = Content(tmp_path, (10_000, 20_000))
    first = content.renew()
    inside = [gzip.decompress(blob.path.read_bytes()) for blob in first.blobs[:-1]]
    second = content.renew()
    assert not {blob.digest for blob in first.blobs} & {blob.digest for blob in second.blobs}
    assert [gzip.decompress(blob.path.read_bytes()) for blob in second.blobs[:-1]] == inside
    assert first.manifest != second.manifest
    assert len(list((tmp_path / "blobs" / "sha256").iterdir())) == 4  # two layers, config, manifest
