"""`berth image load` as people meet it; the runtime is a script (tests/images/test_runtimes.py has them all)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from berth.cli.ending import EXIT_FAILED
from release.machines import MACHINES, native
from tests.cli.command import berth
from tests.images.archives import image_archive
from tests.images.test_runtimes import DOCKER


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """A machine with docker."""
    program = tmp_path / "bin/docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    (tmp_path / "kept").mkdir()
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "KEPT": str(tmp_path / "kept")}


def test_what_was_done_and_what_comes_next_is_said_once_and_again(tmp_path: Path, settings: dict[str, str]) -> None:
    arguments = ["image", "load", "--with", "docker", "--archive", str(image_archive(tmp_path / "image.tar"))]
    done, again = berth(*arguments, **settings), berth(*arguments, "--lang", "zh", **settings)
    assert (done.returncode, done.stderr, again.returncode, again.stderr) == (0, "", 0, "")
    digest = done.stdout.splitlines()[0].rpartition(" ")[2]
    assert digest.startswith("sha256:")
    assert done.stdout.splitlines() == [
        f"berth:0.1.0 ({native().name}) is on this node, in docker: {digest}",
        "",
        "Next: the same command on every other node; and a minute later, when the nodes have told of it",
        "  berth install --image berth:0.1.0 --server SERVER --path /EXPORT --apply",
    ]
    assert again.stdout.startswith(f"berth:0.1.0（{native().name}）此前已在本节点的 docker 中：{digest}\n")
    told = json.loads(berth(*arguments, "-o", "json", **settings).stdout)
    assert told == {
        "image": "docker.io/library/berth:0.1.0", "digest": digest, "machine": native().name, "runtime": "docker",
        "wasThere": True,
    }  # fmt: skip


def test_another_machines_archive_is_one_sentence(tmp_path: Path, settings: dict[str, str]) -> None:
    other = next(machine for machine in MACHINES if machine != native())
    archive = image_archive(tmp_path / "image.tar", [other])
    done = berth("image", "load", "--with", "docker", "--archive", str(archive), **settings)
    assert (done.returncode, done.stdout) == (EXIT_FAILED, "")
    assert done.stderr == (
        f"berth: image.tar is for {other.name}, and this machine is {native().name}: take "
        f"berth-VERSION-image-{native().name}.tar of the release\n"
    )
