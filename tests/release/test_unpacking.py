"""Where the command unpacks itself: whole or not at all, once, and never where somebody else could change it."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from berth import __version__
from berth.cli.ending import EXIT_FAILED
from devcluster import systems
from tests.release import places
from tests.release.places import run

pytestmark = pytest.mark.slow

EVE = 1000
SAID = f"berth {__version__}\n"


@pytest.fixture
def bare(tmp_path: Path, berth_command: Path) -> Path:
    """A system of busybox alone, and the command in it."""
    system = places.bare(tmp_path / "system")
    shutil.copy(berth_command, system / "berth")
    return system


def unpacked(folder: Path) -> list[str]:
    """The names of what is in it."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_without_a_home_it_finds_a_place_or_says_that_there_is_none(bare: Path) -> None:
    assert run(bare, "/berth --version").returncode == 0
    assert unpacked(bare / "var/cache/berth")
    shutil.rmtree(bare / "var")
    (bare / "var").write_text("no folder")
    told = run(bare, "mount -t tmpfs -o noexec none /tmp && XDG_CACHE_HOME=/proc /berth --version")
    assert (told.returncode, told.stdout) == (EXIT_FAILED, "")
    (sentence,) = told.stderr.splitlines()
    assert sentence == (
        "berth: there is no folder to unpack into: /proc/berth can't be made; /var/cache/berth can't be made; "
        "programs in /tmp/berth-0 can't be run (is it mounted noexec?). Name one: BERTH_UNPACK=/DIR /berth"
    )


def test_a_full_disk_is_told_and_left_as_it_was(bare: Path) -> None:
    (bare / "var").write_text("no folder")
    full = "mount -t tmpfs -o size=20m none /root && mount -t tmpfs -o size=20m none /tmp"
    told = run(bare, f"{full} && /berth --version; ls -A /root/.cache/berth /tmp/berth-0 && exit 7", HOME="/root")
    assert (told.returncode, told.stdout) == (7, "/root/.cache/berth:\n\n/tmp/berth-0:\n")
    (sentence,) = told.stderr.splitlines()
    assert sentence.count("No space left on device") == 2
    # With room, the next start goes on.
    assert run(bare, f"{full}; mount -o remount,size=200m /root; /berth --version", HOME="/root").stdout == SAID


def test_a_part_of_it_is_told_as_damaged(bare: Path) -> None:
    with (bare / "berth").open("r+b") as file:
        file.truncate(5_000_000)
    told = run(bare, "/berth --version", HOME="/root")
    assert told.returncode == EXIT_FAILED
    assert "unpacking into /root/.cache/berth failed" in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert unpacked(bare / "root/.cache/berth") == []


def test_a_home_that_is_only_read_is_done_without(bare: Path) -> None:
    told = run(bare, "/berth --version", user=EVE, HOME="/root")
    assert (told.returncode, told.stdout, told.stderr) == (0, SAID, "")
    assert unpacked(bare / f"tmp/berth-{EVE}")


def test_a_home_where_nothing_may_be_run_costs_no_unpacking(berth_command: Path) -> None:
    script = """
    mkdir /tmp/bin && printf '#!/bin/sh\necho >>/tmp/asked; exec /bin/tar "$@"\n' >/tmp/bin/tar && chmod +x /tmp/bin/tar
    mount -o remount,noexec /root
    PATH=/tmp/bin:/bin
    /tmp/berth --version && /tmp/berth --version && wc -l </tmp/asked && ls -A /root/.cache/berth /var/cache/berth
    """
    told = run(systems.root("bookworm"), script, command=berth_command, HOME="/root")
    assert told.stderr == ""
    first, second, unpackings, *folders = told.stdout.splitlines()
    assert [f"{first}\n", f"{second}\n", unpackings] == [SAID, SAID, "1"]
    assert folders[:3] == ["/root/.cache/berth:", "", "/var/cache/berth:"]
    assert folders[3].startswith(__version__)


def test_what_was_unpacked_runs_from_where_nothing_can_be_written(bare: Path) -> None:
    run(bare, "/berth --version", BERTH_UNPACK="/opt/berth")
    told = run(
        bare, "mount -o bind /opt /opt && mount -o remount,ro,bind /opt && /berth --version", BERTH_UNPACK="/opt/berth"
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, SAID, "")
    assert unpacked(bare / "var/cache/berth") == []


def test_two_starts_at_once_are_one_unpacking(bare: Path) -> None:
    told = run(bare, "/berth --version & /berth --version & /berth --version & wait", HOME="/root")
    assert (told.stdout, told.stderr) == (SAID * 3, "")
    (only,) = unpacked(bare / "root/.cache/berth")
    assert not [name for name in unpacked(bare / "root/.cache/berth" / only) if name.startswith(".")]


def test_killed_while_it_unpacks_it_goes_on_the_next_time(berth_command: Path) -> None:
    """tar unpacks, and then everything is killed: in there the line of shell alone survives, being process 1."""
    script = """
    mkdir /tmp/killing && printf '#!/bin/sh\n/bin/tar "$@"; kill -9 -1\n' >/tmp/killing/tar && chmod +x /tmp/killing/tar
    PATH=/tmp/killing:/bin /tmp/berth --version
    ls -A /root/.cache/berth
    /tmp/berth --version
    ls -A /root/.cache/berth
    """
    told = run(systems.root("bookworm"), script, command=berth_command, HOME="/root")
    left, said, whole = told.stdout.splitlines()
    assert left.startswith(f".{__version__}-")
    assert said == f"berth {__version__}"
    assert whole.startswith(f"{__version__}-")


def test_what_lost_a_part_is_unpacked_again(bare: Path) -> None:
    run(bare, "/berth --version", HOME="/root")
    (lost,) = (bare / "root/.cache/berth").glob("*/usr/lib/python3.11/json/__init__.py")
    lost.unlink()
    assert run(bare, "/berth --version", HOME="/root").stdout == SAID
    assert lost.exists()


def test_versions_lie_side_by_side_until_one_is_not_used_any_more(bare: Path) -> None:
    run(bare, "/berth --version", HOME="/root")
    cache = bare / "root/.cache/berth"
    (first,) = unpacked(cache)
    month = time.time() - 40 * 86400
    for name in ("0.0.7-0123456789abcdef", "0.0.8-0123456789abcdef", "image"):
        (cache / name / "usr/lib/berth").mkdir(parents=True)
        (cache / name / "usr/lib/berth/command.py").touch()
    for name in (first, "0.0.8-0123456789abcdef", "image"):
        os.utime(cache / name, (month, month))
    other = (bare / "berth").read_bytes().replace(first.encode(), f"{first[:-16]}{'0' * 16}".encode())
    (bare / "other").write_bytes(other)
    (bare / "other").chmod(0o755)
    # The first was not started for long, but runs now, until its input ends: it is not taken away from under it.
    runs = "until ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q ld-linux; do :; done"
    line = f"{runs}; touch -d 2020-01-01 /root/.cache/berth/{first}; /other --version >/said"
    run(bare, f"{{ {line}; }} | /berth doctor explain", HOME="/root")
    assert (bare / "said").read_text() == SAID
    assert unpacked(cache) == ["0.0.7-0123456789abcdef", f"{first[:-16]}{'0' * 16}", first, "image"]


@pytest.mark.parametrize("whose", [EVE, 0], ids=["somebody else's", "anybody may write"])
def test_a_folder_that_others_could_change_is_not_used(bare: Path, whose: int) -> None:
    theirs = bare / "srv/theirs/berth"
    theirs.mkdir(parents=True)
    os.chown(theirs.parent, whose, whose)
    theirs.parent.chmod(0o777 if whose == 0 else 0o755)
    told = run(bare, "/berth --version", HOME="/nowhere", BERTH_UNPACK="/srv/theirs/berth")
    assert (told.returncode, told.stdout) == (0, SAID)
    assert unpacked(theirs) == []
    assert unpacked(bare / "var/cache/berth")


def test_what_others_have_put_there_is_never_run(bare: Path) -> None:
    """In a folder like /tmp anybody may have been first, and have guessed the name."""
    run(bare, "/berth --version", HOME="/root")
    (name,) = unpacked(bare / "root/.cache/berth")
    planted = bare / "shared" / name
    shutil.copytree(bare / "root/.cache/berth" / name, planted, symlinks=True)
    (planted / "usr/lib/berth/command.py").write_text("print('theirs')\n")
    for path in (planted, *planted.rglob("*")):
        os.chown(path, EVE, EVE, follow_symlinks=False)
    (bare / "shared").chmod(0o1777)
    shutil.rmtree(bare / "root/.cache")
    assert run(bare, "/berth --version", HOME="/root", BERTH_UNPACK="/shared").stdout == SAID
    (bare / "tmp/berth-0").symlink_to("/shared")
    (bare / "var").mkdir(exist_ok=True)
    shutil.rmtree(bare / "var")
    (bare / "var").write_text("no folder")
    told = run(bare, "/berth --version", BERTH_UNPACK="/shared")
    assert (told.returncode, told.stdout) == (EXIT_FAILED, "")
    assert f"/shared/{name} is somebody else's" in told.stderr
    assert "/tmp/berth-0 is a symbolic link" in told.stderr


def test_roots_files_are_not_put_into_the_home_of_who_called_sudo(bare: Path) -> None:
    home = bare / "home/eve"
    home.mkdir(parents=True)
    os.chown(home, EVE, EVE)
    assert run(bare, "/berth --version", HOME="/home/eve").stdout == SAID
    assert unpacked(home) == []
