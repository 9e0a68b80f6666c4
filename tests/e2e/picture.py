"""Draw the README's picture: `python -m tests.e2e.picture docs/images/first-push.svg` (needs root, docker, skopeo).

Runs `make up`'s command and a docker client, and draws what they print. Changed is only the directory in it: this run's
temporary one is shown as ~/roadstead, where people have theirs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from tests.e2e import images
from tests.e2e.clients.docker import Docker
from tests.e2e.cloud import REPOSITORY, instance
from tests.e2e.images import KIB, Image
from tests.e2e.processes import Machine, Outcome

PORT = 5000
NAME = f"127.0.0.1:{PORT}/demo/hello-world"
_WIDTH, _LINE, _CHARACTER, _MARGIN, _BAR = 104, 18, 7.83, 16, 28  # characters; the others in pixels
_PROMPT = "$ "


def session(work: Path, machine: Machine, image: Image) -> Iterator[str]:
    """Yield the lines of a terminal, prompts included."""
    shown = "~/roadstead"
    with instance(work / ".state", PORT) as started:
        cloud = started.wait_until_ready()
        yield f"{_PROMPT}make up"
        banner = started.printed[started.printed.index("The registry serves") :].splitlines()
        yield from (line.replace(str(work), shown) for line in banner[:2])
        yield ""
        with Docker(machine, work / "home", cloud.host) as docker:
            docker.load(image, f"{NAME}:latest")
            password = work / ".state" / "admin-password"
            for command in (
                f"docker login -u admin --password-stdin {cloud.host} < {password}",
                f"docker push {NAME}",
                f"docker pull {NAME}",
            ):
                yield f"{_PROMPT}{command.replace(str(work), shown)}"
                yield from _printed(docker.run("sh", "-c", command))
        for question in ("user list", "audit pushes", "doctor"):
            asked = [sys.executable, "-m", "cli", *question.split(), "--state", str(work / ".state")]
            yield f"{_PROMPT}bin/roadstead {question} --state .state"
            lines = list(_printed(_run(asked)))
            yield from lines if len(lines) < 10 else ("…", *lines[-4:])


def _run(command: list[str]) -> Outcome:
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return Outcome(" ".join(command), done.returncode, done.stdout, done.stderr, 0)


def _printed(outcome: Outcome) -> Iterator[str]:
    """Yield what a command printed to standard output, without empty lines."""
    for line in outcome.succeeded().stdout.expandtabs(16).splitlines():
        if line.strip():
            yield line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def draw(lines: list[str]) -> str:
    """Return an SVG of a terminal with these lines."""
    width, height = int(_WIDTH * _CHARACTER) + 2 * _MARGIN, _BAR + len(lines) * _LINE + 2 * _MARGIN
    rows = [
        f'<text class="{"prompt" if line.startswith(_PROMPT) else "output"}" x="{_MARGIN}" '
        f'y="{_BAR + _MARGIN + (number + 1) * _LINE - 5}" xml:space="preserve">{escape(line)}</text>'
        for number, line in enumerate(lines)
        if line
    ]
    buttons = [
        f'<circle cx="{_MARGIN + 4 + 18 * place}" cy="{_BAR // 2}" r="5" fill="{color}"/>'
        for place, color in enumerate(("#ff5f56", "#ffbd2e", "#27c93f"))
    ]
    style = (
        "text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace}"
        ".output{fill:#c9d1d9}.prompt{fill:#7ee787;font-weight:bold}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
            "<title>A terminal: make up, docker login, docker push, docker pull, and the operator's command</title>",
            f"<style>{style}</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
            *buttons,
            *rows,
            "</svg>\n",
        ]
    )


def main(target: str) -> None:
    work = Path(tempfile.mkdtemp(prefix="roadstead-picture-"))
    try:
        image = images.image(work / "hello-world", (KIB, 64 * KIB))
        Path(target).write_text(draw(list(session(work, Machine(work), image))))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main(sys.argv[1])
