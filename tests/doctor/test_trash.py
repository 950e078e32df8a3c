"""What lies in a share's trash and does not go, told from the share itself, with the cure for each reason."""

from __future__ import annotations

import json

import pytest

from berth.doctor.trash import judge_trash, read_trash
from berth.volumes.errors import LeftBehind
from berth.volumes.naming import record_path, trash_path
from berth.volumes.share import ShareAddress
from tests.volumes.builders import EXPORT, SERVER, Life, born, release_plan
from tests.volumes.memory import MemoryShare

SHARE = f"{SERVER}:{EXPORT}"


@pytest.mark.parametrize(
    ("status", "first", "failure", "command"),
    [
        ("NFS4ERR_PERM", ".snapshot/f", "trash-stuck-immutable", "chattr -R -i"),
        ("EPERM", "", "trash-stuck-immutable", "chattr -R -i"),
        ("NFS3ERR_ROFS", "d/f", "trash-stuck-read-only", "findmnt -T"),
        ("EROFS", ".snapshot/hourly.0/f", "trash-stuck-snapshot", "find "),
        ("NFS4ERR_ACCESS", ".zfs/snapshot/x", "trash-stuck-snapshot", "find "),
        ("NFS3ERR_ACCES", "of-root/f", "trash-stuck-denied", "rm -rf --one-file-system"),
        ("EXDEV", "m", "trash-stuck-mounted", "umount"),
        ("NFS4ERR_XDEV", "m", "trash-stuck-mounted", "umount"),
        ("NFS4ERR_NOTEMPTY", "d", "trash-stuck-busy", "fuser"),
        ("EBUSY", "d", "trash-stuck-busy", "/proc/mounts"),
        ("NFS3ERR_IO", 'it\'s "so"', "trash-stuck", "dmesg"),
    ],
)
async def test_what_stays_is_told_with_its_place_its_reason_and_its_cure(
    status: str, first: str, failure: str, command: str
) -> None:
    share, life = MemoryShare(ShareAddress(SERVER, EXPORT)), Life("cluster-1")
    made = await born(share, content=b"x")
    await life.release(release_plan(made, on_delete="delete"), share)
    assert [*judge_trash(share.address, await read_trash(share))] == []  # it waits for its turn
    left = LeftBehind(SHARE, trash_path(made.pv), count=3, first=first, status=status)
    await life.mark_stuck(made.pv, share, left)
    (found,) = judge_trash(share.address, await read_trash(share))
    assert found.id == failure
    assert {(each.kind, each.name) for each in found.about} >= {
        ("volume", made.pv), ("share", SHARE), ("claim", "team/data"),
    }  # fmt: skip
    for said in (found.seen.en, found.seen.zh):
        assert made.pv in said
        assert SHARE in said
        assert "3" in said
        assert status in said
    assert any(command in each and f"{EXPORT}/.berth/trash/{made.pv}" in each for each in found.commands) or (
        command == "dmesg"
    )


async def test_what_nobody_will_purge_is_told_and_volumes_that_wait_are_not() -> None:
    share, life = MemoryShare(ShareAddress(SERVER, EXPORT)), Life("cluster-1")
    made = await born(share)
    await life.release(release_plan(made, on_delete="delete"), share)
    await share.make_directory(trash_path("by-hand"), mode=0o755)
    await share.make_directory(trash_path(".try-pvc-1"), mode=0o755)  # of a birth that is under way
    await share.make_directory(trash_path("mixed-up"), mode=0o755)
    record = json.loads(await share.read_file(record_path(made.pv)))
    await share.write_file(record_path("mixed-up"), json.dumps(record).encode())
    (found,) = judge_trash(share.address, await read_trash(share))
    assert found.id == "trash-unowned"
    assert "'by-hand' (it has no record), 'mixed-up' (its record is another PV's)" in found.seen.en
    assert made.pv not in found.seen.en
