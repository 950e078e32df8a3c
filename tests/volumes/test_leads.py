"""Two clusters under one UID find out about each other, and nobody else is ever held up by that."""

from __future__ import annotations

import json

import pytest

from berth.volumes.errors import Unavailable
from berth.volumes.leads import Leads, lead_path
from berth.volumes.metadata_dir import clusters_on, open_metadata_dir
from berth.volumes.share import Share
from berth.volumes.standing import ALONE
from tests.volumes.bench import Bench
from tests.volumes.standings import Cluster, Leader

UID = "cluster-1"


class Process:
    """A leader at work on a share."""

    def __init__(self, share: Share, leader: Leader) -> None:
        self.share = share
        self.leader = leader
        self.leads = Leads(UID, leader)

    @property
    def identity(self) -> str:
        return self.leader.identity

    async def sweep(self) -> None:
        """What is done at the start and now and then, and goes on when it can't be done."""
        self.leader.renew()
        await self.leads.look(self.share)

    async def may_take_away(self) -> bool:
        try:
            await self.leads.require(self.share)
        except Unavailable:
            return False
        return True

    async def may_tidy(self) -> bool:
        try:
            await self.leads.require(self.share, alone=True)
        except Unavailable:
            return False
        return await self.may_take_away()


async def start(share: Bench, cluster: Cluster) -> Process:
    """A process takes the lock of its cluster, and looks at the share."""
    await open_metadata_dir(share, UID)
    process = Process(share, cluster.lead())
    await process.sweep()
    return process


async def entry(share: Bench) -> dict[str, object]:
    values: dict[str, object] = json.loads(await share.read_file(lead_path(UID, Leader.lock)))
    return values


async def test_a_leader_enters_itself_and_is_no_cluster_to_others(share: Bench) -> None:
    first = await start(share, Cluster())
    assert (await entry(share))["leader"] == first.identity
    assert await first.may_tidy()
    assert await clusters_on(share) == {UID}
    assert first.leads.rivals(share.address) == ""


async def test_nobody_in_one_cluster_s_own_history_is_held_up(share: Bench) -> None:
    cluster = Cluster()
    for number in range(30):
        if number % 5 == 2:
            cluster.holder = ""  # the one before gave it back
        process = Process(share, cluster.lead())
        if number % 3 == 1:
            continue  # it died before it had looked at the share
        await process.sweep()
        assert await process.may_tidy(), number
        cluster.work(1000)
        await process.sweep()
        assert await process.may_tidy(), number
        if number % 4 == 3:
            cluster.remove_lock()


async def test_a_lock_removed_while_its_holder_leads_changes_nothing(share: Bench) -> None:
    cluster = Cluster()
    first = await start(share, cluster)
    cluster.remove_lock()
    cluster.holder = first.identity  # it makes the lock again
    await first.sweep()
    assert await first.may_tidy()
    assert await (await start(share, cluster)).may_tidy()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 9}', b'{"format": 1, "leader": 4}', b'{"format": 1}']
)
async def test_an_entry_that_makes_no_sense_is_replaced(share: Bench, content: bytes) -> None:
    await open_metadata_dir(share, UID)
    await share.write_file(lead_path(UID, Leader.lock), content)
    first = await start(share, Cluster())
    assert await first.may_tidy()
    assert (await entry(share))["leader"] == first.identity


async def test_the_share_restored_from_an_old_backup_disturbs_nobody(share: Bench) -> None:
    cluster = Cluster()
    await start(share, cluster)
    old = await share.read_file(lead_path(UID, Leader.lock))
    for _ in range(12):  # more than a lock remembers
        last = await start(share, cluster)
    await share.write_file(lead_path(UID, Leader.lock), old)
    await last.sweep()
    assert await last.may_tidy()
    await share.remove_file(lead_path(UID, Leader.lock))
    await last.sweep()
    assert await last.may_tidy()
    assert (await entry(share))["leader"] == last.identity


async def test_without_an_election_nothing_is_asked_or_written(share: Bench) -> None:
    await open_metadata_dir(share, UID)
    leads = Leads(UID, ALONE)
    await leads.require(share, alone=True)
    assert await leads.look(share) is None
    with pytest.raises(Exception, match="exist"):
        await share.read_file(lead_path(UID, ALONE.lock))


async def test_a_former_leader_is_not_taken_for_a_rival_and_enters_nothing(share: Bench) -> None:
    cluster = Cluster()
    old = await start(share, cluster)
    late = Process(share, old.leader)  # a share that it had never used before
    new = await start(share, cluster)
    for process in (old, late):
        with pytest.raises(Unavailable, match=f"{new.identity} leads now"):
            await process.leads.look(share)
    assert (await entry(share))["leader"] == new.identity
    await new.sweep()
    assert await new.may_tidy()


async def test_a_copy_beside_its_original_takes_nothing_away(share: Bench) -> None:
    original = Cluster()
    first = await start(share, original)
    copied = original.back_up()
    original.work(500)
    await first.sweep()
    copy = await start(share, copied)
    assert not await copy.may_take_away()
    with pytest.raises(Unavailable) as caught:
        await copy.leads.require(share)
    assert caught.value.stage == "lease"
    why = copy.leads.rivals(share.address)
    assert why == caught.value.why
    assert "another controller uses this share under the same cluster UID" in why
    assert first.identity in why
    assert f"rule out {first.identity}" in why
    assert await first.may_take_away()
    await first.sweep()
    assert await first.may_take_away()
    assert copy.identity in first.leads.rivals(share.address)
    assert not await first.may_tidy()  # an empty directory may be the copy's
    # Whoever comes next inherits that, however old the copy's history becomes.
    copied.work(10**6)
    assert not await (await start(share, copied)).may_take_away()
    assert await (await start(share, original)).may_take_away()


async def test_a_copy_of_a_moment_ago_is_found_out_by_both(share: Bench) -> None:
    original = Cluster()
    first = await start(share, original)
    copy = await start(share, original.back_up())
    assert await copy.may_take_away()  # to all appearance the original's next leader
    original.work()
    await first.sweep()
    assert not await first.may_take_away()
    await copy.sweep()
    assert not await copy.may_take_away()
    for cluster in (original, copy.leader.cluster):
        assert not await (await start(share, cluster)).may_take_away()


@pytest.mark.parametrize("gap", [0, 500], ids=["a copy of a moment ago", "an older copy"])
@pytest.mark.parametrize("keeps", ["original", "copy"])
async def test_an_administrator_says_which_cluster_keeps_the_share(share: Bench, gap: int, keeps: str) -> None:
    original = Cluster()
    first = await start(share, original)
    copied = original.back_up()
    original.work(gap)
    if gap:
        await first.sweep()
    second = await start(share, copied)
    await first.sweep()
    await second.sweep()
    winner, loser = (first, second) if keeps == "original" else (second, first)
    winner.leader.cluster.ruled_out.add(loser.identity)
    await winner.sweep()
    for _ in range(3):  # also while the other one goes on
        assert await winner.may_tidy()
        assert not await loser.may_take_away()
        await loser.leads.look(share)
        await winner.sweep()
    assert winner.leads.rivals(share.address) == ""
    winner = await start(share, winner.leader.cluster)
    assert await winner.may_tidy()
    assert not await (await start(share, loser.leader.cluster)).may_take_away()
    await winner.sweep()
    assert await winner.may_take_away()


async def test_a_cluster_put_back_in_its_own_place_takes_nothing_away_until_it_is_told_to(share: Bench) -> None:
    cluster = Cluster()
    last = await start(share, cluster)
    backup = cluster.back_up()
    cluster.work(500)
    await last.sweep()
    restored = await start(share, backup)
    assert not await restored.may_take_away()
    backup.ruled_out.add(last.identity)
    assert await restored.may_tidy()
    assert await (await start(share, backup)).may_tidy()


async def test_what_can_not_be_entered_on_a_full_disk_holds_nothing_up(
    share: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(path: str, content: bytes, *, exclusive: bool = False) -> None:
        raise Unavailable(str(share.address), "io", "no space is left on the server", status="ENOSPC")

    await open_metadata_dir(share, UID)
    monkeypatch.setattr(share, "write_file", full)
    process = Process(share, Cluster().lead())
    await process.sweep()
    assert await process.may_tidy()


async def test_a_leader_that_is_sure_of_a_share_asks_nobody(share: Bench) -> None:
    first = await start(share, Cluster())
    asked = first.leader.confirmed
    await share.remove_file(lead_path(UID, Leader.lock))
    for _ in range(5):
        assert await first.may_tidy()
    assert first.leader.confirmed == asked


async def test_who_came_between_two_sweeps_is_noticed_soon(share: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Cluster()
    first = await start(share, original)
    copy = await start(share, original.back_up())
    assert await first.may_take_away()  # it looked a moment ago
    monkeypatch.setattr("berth.volumes.leads.LASTS", -1.0)
    assert not await first.may_take_away()
    assert not await copy.may_take_away()
