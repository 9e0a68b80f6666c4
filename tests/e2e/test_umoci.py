"""umoci creates an image layer by layer, and unpacks it again."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.clients.skopeo import Skopeo
from tests.e2e.cloud import Cloud
from tests.e2e.conftest import OpenClient
from tests.e2e.people import People
from tests.e2e.processes import Machine


def test_an_image_of_umoci_is_unchanged_after_push_and_pull(
    machine: Machine, open_client: OpenClient, cloud: Cloud, people: People, project: str
) -> None:
    machine.require("/usr/bin/umoci", "umoci")
    skopeo = open_client(Skopeo)
    assert isinstance(skopeo, Skopeo)
    home = skopeo.home
    content = home / "content"
    (content / "etc").mkdir(parents=True)
    (content / "etc" / "motd").write_text("ships lie at anchor\n")
    (content / "link").symlink_to("etc/motd")

    def umoci(*arguments: str | Path) -> None:
        machine.run("umoci", *arguments, home=home).succeeded()

    made, back = home / "made", home / "back"
    umoci("init", "--layout", made)
    umoci("new", "--image", f"{made}:one")
    umoci("insert", "--image", f"{made}:one", content, "/")
    umoci("config", "--image", f"{made}:one", "--config.cmd", "/bin/true", "--author", "the e2e tests")
    reference = f"{cloud.host}/{project}/umoci:one"
    skopeo.login(people.developer.name, people.developer.password).succeeded()
    skopeo.copy(f"oci:{made}:one", f"docker://{reference}").succeeded()
    skopeo.copy(f"docker://{reference}", f"oci:{back}:one").succeeded()

    umoci("unpack", "--image", f"{back}:one", home / "bundle")

    rootfs = home / "bundle" / "rootfs"
    assert (rootfs / "link").read_text() == "ships lie at anchor\n"
    assert (rootfs / "link").readlink() == Path("etc/motd")
