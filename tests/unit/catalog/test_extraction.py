"""What is extracted of configurations and archives: nothing that somebody pushes makes the indexer fail."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile

import pytest

from roadstead.catalog.extraction import facts_of, text_of_document, texts_of_chart
from roadstead.catalog.models import TAR, TAR_GZIP

IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"


def tar(*files: tuple[str, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=form) as writer:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            writer.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


def header(kind: bytes, size: int) -> bytes:
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT)


def read_all(archive: bytes) -> list[object]:
    compressed = gzip.compress(archive, 1)
    return [texts_of_chart(compressed), text_of_document(TAR, archive), text_of_document(TAR_GZIP, compressed)]


def test_readme_and_values_of_a_chart_are_found() -> None:
    chart = tar(("c/README.md", b"# C"), ("c/values.yaml", b"a: 1"), ("c/charts/d/README.md", b"# D"))
    assert texts_of_chart(gzip.compress(chart)) == {"readme.md": b"# C", "values.yaml": b"a: 1"}


def test_a_chain_of_extended_headers_has_no_texts() -> None:
    """tarfile reads each of them within the call that read the last one."""
    name = header(tarfile.GNUTYPE_LONGNAME, 1) + b"a".ljust(512, b"\0")
    assert read_all(name * 5_000 + tar(("c/README.md", b"# C"))) == [{}, None, None]


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_an_entry_of_an_impossible_size_has_no_texts(kind: bytes) -> None:
    assert read_all(header(kind, 2**80) + tar(("c/README.md", b"# C"))) == [{}, None, None]


def test_what_unpacks_to_too_much_has_no_texts() -> None:
    assert texts_of_chart(gzip.compress(bytes(40 * 1024 * 1024))) == {}


_FIELDS = (0, 100, 124, 136, 156, 257, 345, 482)
_VALUES = (b"\x80" + b"\xff" * 11, b"\xff" * 12, b"7" * 11, b"-1", b"S", b"L", b"x", b"g", bytes(12))


@pytest.mark.parametrize("seed", range(8))
def test_no_broken_archive_makes_the_reader_fail(seed: int) -> None:
    """Some fields of some headers have values of others, below checksums that are right."""
    chance = random.Random(seed)
    for _ in range(60):
        form = chance.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
        archive = bytearray(tar(("c/README.md", b"# C" * 99), ("c/" + "n" * 120, b"x"), form=form))
        for _ in range(chance.randrange(1, 5)):
            start = 512 * chance.randrange(len(archive) // 512)
            place, value = start + chance.choice(_FIELDS), chance.choice(_VALUES)
            archive[place : place + len(value)] = value
            total = 256 + sum(archive[start : start + 148]) + sum(archive[start + 156 : start + 512])
            archive[start + 148 : start + 156] = b"%06o\0 " % total
        read_all(bytes(archive))


@pytest.mark.parametrize(
    ("config", "facts"),
    [
        (b'{"os": "linux", "architecture": 5}', {"os": "linux"}),
        (b'{"os": "\\ud800x"}', {"os": "?x"}),
        (b'{"os": "' + b"x" * 500 + b'"}', {"os": "x" * 160}),
        (b'{"created": ' + b"9" * 5_000 + b"}", {}),
        (b"[" * 100_000, {}),
        (b"null", {}),
        (b"\xff", {}),
    ],
)
def test_facts_are_texts_that_can_be_stored(config: bytes, facts: dict[str, str]) -> None:
    found = facts_of(IMAGE_CONFIG, config)
    assert found == facts
    json.dumps(found, ensure_ascii=False).encode()
