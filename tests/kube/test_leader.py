"""One leader at a time, whatever happens to it, to the network and to the lease."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from lightkube.resources.coordination_v1 import Lease
from structlog.testing import capture_logs

from berth.kube.client import Api
from berth.kube.config import load
from berth.kube.freshness import Moment, read_clocks
from berth.kube.leader import Election, LeadershipLost, lock_name
from berth.kube.leadership import Leadership
from berth.kube.lease import LEADERS, REMEMBERED, RULED_OUT
from berth.kube.outcome import Note
from devcluster.cluster import DevCluster
from tests.kube.support import config_of, eventually
from tests.kube.tcp_proxy import TcpProxy

LEASE, RENEW, RETRY = 3.0, 2.0, 0.2


class Candidate:
    """An election, and what it told."""

    def __init__(self, api: Api, namespace: str, identity: str) -> None:
        self.notes: list[Note] = []
        self.changes: list[bool] = []
        self.asleep = 0.0
        """Seconds by which the machine's boot-time clock seems to be ahead of what went by for this process."""
        self.election = Election(
            api,
            name="nfs.berth.io",
            namespace=namespace,
            identity=identity,
            post=self.notes.append,
            lease_seconds=LEASE,
            renew_deadline=RENEW,
            retry_period=RETRY,
            on_change=self.changes.append,
            clock=self._read_clocks,
        )
        self.leadership = Leadership(self.election)

    @property
    def leads(self) -> bool:
        return not self.election.doubt()

    def _read_clocks(self) -> Moment:
        now = read_clocks()
        return replace(now, boot=now.boot + self.asleep, wall=now.wall + self.asleep)


@asynccontextmanager
async def candidate(
    cluster: DevCluster, namespace: str, identity: str, *, server: str = ""
) -> AsyncIterator[Candidate]:
    async with Api(config_of(cluster, server=server), timeout=RENEW / 2.5) as api:
        yield Candidate(api, namespace, identity)


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def lease_of(cluster: DevCluster, namespace: str) -> dict[str, Any]:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/nfs.berth.io"
    return cluster.request("GET", path)


def test_a_lock_is_named_like_its_provisioner() -> None:
    assert lock_name("cluster.local/nfs-client") == "cluster.local-nfs-client"


def test_a_free_lock_is_taken_and_written_as_client_go_does(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with candidate(cluster, namespace, "one") as one:
            await one.election.acquire()
            assert one.leads
            assert one.changes == [True]
            note = one.notes[0]
            assert (note.reason, note.message, note.about.kind) == ("LeaderElection", "one became leader", "Lease")
            spec = lease_of(cluster, namespace)["spec"]
            assert spec["holderIdentity"] == "one"
            assert spec["leaseDurationSeconds"] == LEASE
            assert spec["acquireTime"] == spec["renewTime"]

    asyncio.run(main())


def test_the_next_one_takes_over_at_once_after_a_release(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        async with candidate(cluster, namespace, "one") as one, candidate(cluster, namespace, "two") as two:
            await one.election.acquire()
            holding = asyncio.create_task(one.election.hold())
            waiting = asyncio.create_task(two.election.acquire())
            await eventually(lambda: two.election.holder == "one")
            assert not two.leads
            await one.election.release()
            assert not one.leads
            released = clock()
            await waiting
            assert clock() - released < LEASE / 2
            await holding  # ends without an error
            assert (one.changes, two.changes) == ([True, False], [True])
            spec = lease_of(cluster, namespace)["spec"]
            assert spec["holderIdentity"] == "two"

    asyncio.run(main())


def test_a_leader_that_dies_is_followed_when_its_lease_has_run_out_and_not_before(
    cluster: DevCluster, namespace: str
) -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        async with candidate(cluster, namespace, "one") as one, candidate(cluster, namespace, "two") as two:
            await one.election.acquire()
            holding = asyncio.create_task(one.election.hold())
            waiting = asyncio.create_task(two.election.acquire())
            await asyncio.sleep(LEASE * 1.5)
            assert not waiting.done()  # it is renewed, so it does not run out
            await cancel(holding)
            died = clock()
            await waiting
            assert LEASE - 3 * RETRY <= clock() - died <= LEASE + 10
            assert lease_of(cluster, namespace)["spec"]["leaseTransitions"] == 1

    asyncio.run(main())


@pytest.mark.parametrize("fault", ["refused", "silent"])
def test_a_leader_that_can_not_renew_stops_before_anybody_else_can_lead(
    cluster: DevCluster, namespace: str, fault: str
) -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        async with (
            TcpProxy(cluster.server_url) as proxy,
            candidate(cluster, namespace, "one", server=proxy.url) as one,
            candidate(cluster, namespace, "two") as two,
        ):
            await one.election.acquire()
            holding = asyncio.create_task(one.election.hold())
            waiting = asyncio.create_task(two.election.acquire())
            await eventually(lambda: two.election.holder == "one")
            begin = clock()
            if fault == "refused":
                await proxy.refuse()
            else:
                proxy.stall()
            with pytest.raises(LeadershipLost, match="not renewed for 2 s: "):
                await holding
            assert clock() - begin <= RENEW + 0.5
            assert not one.leads
            assert not two.leads
            assert one.changes == [True, False]
            await waiting

    asyncio.run(main())


def test_a_short_outage_costs_no_leadership(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with (
            TcpProxy(cluster.server_url) as proxy,
            candidate(cluster, namespace, "one", server=proxy.url) as one,
        ):
            await one.election.acquire()
            holding = asyncio.create_task(one.election.hold())
            for _ in range(3):
                await proxy.refuse()
                await asyncio.sleep(RENEW / 3)
                await proxy.accept()
                await asyncio.sleep(RENEW)
            assert not holding.done()
            assert one.leads
            await cancel(holding)

    asyncio.run(main())


def test_another_name_in_the_lease_ends_the_leadership_at_once(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with candidate(cluster, namespace, "one") as one, Api(config_of(cluster)) as api:
            await one.election.acquire()
            holding = asyncio.create_task(one.election.hold())
            theft = {"spec": {"holderIdentity": "thief"}}
            await api.patch(Lease, "nfs.berth.io", theft, namespace=namespace)
            with pytest.raises(LeadershipLost, match="thief leads now"):
                async with asyncio.timeout(RENEW / 2):
                    await holding
            await one.election.release()
            assert lease_of(cluster, namespace)["spec"]["holderIdentity"] == "thief"

    asyncio.run(main())


def test_a_lease_that_somebody_removes_or_labels_stays_ours(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with candidate(cluster, namespace, "one") as one, Api(config_of(cluster)) as api:
            await one.election.acquire()
            holding = asyncio.create_task(one.election.hold())
            await api.delete(Lease, "nfs.berth.io", namespace=namespace)
            await asyncio.sleep(RENEW)
            await api.patch(Lease, "nfs.berth.io", {"metadata": {"labels": {"a": "b"}}}, namespace=namespace)
            await asyncio.sleep(RENEW)
            assert not holding.done()
            lease = lease_of(cluster, namespace)
            assert lease["spec"]["holderIdentity"] == "one"
            assert lease["metadata"]["labels"] == {"a": "b"}
            await cancel(holding)

    asyncio.run(main())


def test_a_leader_that_slept_is_in_doubt_until_it_has_renewed_its_lease(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with (
            TcpProxy(cluster.server_url) as proxy,
            candidate(cluster, namespace, "one", server=proxy.url) as one,
        ):
            await one.election.acquire()
            assert one.leads
            assert one.leadership.doubt() == ""
            await proxy.refuse()
            one.asleep += LEASE
            assert one.election.doubt().startswith("the lease was last renewed 3.")
            why = await one.leadership.confirm()  # which needs an answer of the API server, now
            assert why.startswith("the lease was last renewed 3.")
            await proxy.accept()
            assert await one.leadership.confirm() == ""
            assert one.leads
            before = lease_of(cluster, namespace)["metadata"]["resourceVersion"]
            assert await one.leadership.confirm() == ""  # asked anew, it is renewed anew
            assert lease_of(cluster, namespace)["metadata"]["resourceVersion"] != before

    asyncio.run(main())


@pytest.mark.parametrize("ended", ["gave it back", "removed it", "has it"])
def test_who_slept_while_another_led_never_leads_again(cluster: DevCluster, namespace: str, ended: str) -> None:
    async def main() -> None:
        async with (
            candidate(cluster, namespace, "one") as one,
            candidate(cluster, namespace, "two") as two,
            Api(config_of(cluster)) as api,
        ):
            await one.election.acquire()
            one.asleep += LEASE  # from here on it is stopped: nobody renews
            await two.election.acquire()
            if ended == "gave it back":
                await two.election.release()
            elif ended == "removed it":
                await api.delete(Lease, "nfs.berth.io", namespace=namespace)
            assert not one.leads
            assert await one.election.confirm() != ""
            with pytest.raises(LeadershipLost):
                await one.election.hold()
            assert await one.election.confirm() == "this process does not lead"
            assert one.changes == [True, False]
            await one.election.release()
            if ended != "removed it":
                assert lease_of(cluster, namespace)["spec"]["holderIdentity"] == ("two" if ended == "has it" else "")

    asyncio.run(main())


def test_the_lease_tells_its_leaders_and_what_administrators_ruled_out(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        names = [f"leader-{number}" for number in range(REMEMBERED + 2)]
        versions = [0]
        for number, name in enumerate(names):
            async with candidate(cluster, namespace, name) as one:
                await one.election.acquire()
                standing = one.leadership
                assert standing.predecessors == frozenset(names[max(0, number - REMEMBERED) : number])
                assert standing.found_version >= versions[-1]
                assert standing.term == number
                await standing.confirm()
                assert standing.version > standing.found_version
                versions.append(standing.version)
                await one.election.release()
        assert lease_of(cluster, namespace)["metadata"]["annotations"][LEADERS] == ",".join(names[-REMEMBERED:])
        async with candidate(cluster, namespace, "last") as last:
            await last.election.acquire()
            for other in ("copy_1", "copy 2; $(reboot)"):
                command = shlex.split(last.leadership.how_to_rule_out(other))
                await asyncio.to_thread(cluster.kubectl, *command[1:])
                assert await last.leadership.confirm() == ""
            assert last.leadership.ruled_out == {"copy_1", "copy 2; $(reboot)"}
            assert await last.leadership.confirm() == ""
            annotations = lease_of(cluster, namespace)["metadata"]["annotations"]
            assert annotations[RULED_OUT] == "copy 2; $(reboot),copy_1"
            assert annotations[LEADERS].endswith(",last")

    asyncio.run(main())


@pytest.mark.parametrize("year", [2001, 2099], ids=["its clock is slow", "its clock is fast"])
def test_no_clock_of_others_is_trusted(cluster: DevCluster, namespace: str, year: int) -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        odd = f"{year}-01-01T00:00:00.000000Z"
        body = {
            "metadata": {"name": "nfs.berth.io"},
            "spec": {"holderIdentity": "odd", "leaseDurationSeconds": 2, "acquireTime": odd, "renewTime": odd},
        }
        await asyncio.to_thread(
            cluster.request, "POST", f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", body
        )
        async with candidate(cluster, namespace, "one") as one, Api(config_of(cluster)) as api:
            waiting = asyncio.create_task(one.election.acquire())
            for transitions in range(8):  # it is renewed, if with a strange clock
                await api.patch(Lease, "nfs.berth.io", {"spec": {"leaseTransitions": transitions}}, namespace=namespace)
                await asyncio.sleep(0.5)
            assert not waiting.done()
            begin = clock()
            await waiting
            assert 1 <= clock() - begin <= 10
            # The odd holder's acquireTime had six decimals, all zero; ours is written anew.
            assert lease_of(cluster, namespace)["spec"]["holderIdentity"] == "one"

    asyncio.run(main())


def test_an_api_server_that_is_away_is_waited_for(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with (
            TcpProxy(cluster.server_url) as proxy,
            candidate(cluster, namespace, "one", server=proxy.url) as one,
        ):
            await proxy.refuse()
            with capture_logs() as logs:
                waiting = asyncio.create_task(one.election.acquire())
                await eventually(lambda: logs)
                await asyncio.sleep(RETRY * 4)
                assert {line["event"] for line in logs} == {"the API server does not answer yet, trying again"}
                whys = [line["why"] for line in logs]
                assert len(set(whys)) == len(whys)  # each reason once, however often it was tried
                await proxy.accept()
                await waiting
            assert one.leads

    asyncio.run(main())


def test_without_a_right_to_any_lock_nobody_leads_and_the_right_to_give_is_named(
    cluster: DevCluster, namespace: str
) -> None:
    async def main() -> None:
        account: dict[str, Any] = {"metadata": {"name": "nobody"}}
        await asyncio.to_thread(cluster.request, "POST", f"/api/v1/namespaces/{namespace}/serviceaccounts", account)
        config = load(str(await asyncio.to_thread(cluster.service_account_kubeconfig, namespace, "nobody")))
        async with Api(config, timeout=RENEW / 2.5) as api:
            one = Candidate(api, namespace, "one")
            with capture_logs() as logs:
                trying = asyncio.create_task(one.election.acquire())
                await eventually(lambda: any("trying again" in line["event"] for line in logs))
                await asyncio.sleep(3 * RETRY)  # further tries, which tell nothing new
                await cancel(trying)
            (line,) = [line for line in logs if line["event"] == "can't reach the lock, trying again"]
            assert 'cannot get resource "leases"' in line["why"]
            assert not one.leads

    asyncio.run(main())


def test_there_is_never_a_second_leader(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        leaders: list[str] = []

        async def life(number: int, end: asyncio.Event) -> None:
            async with candidate(cluster, namespace, f"c{number}") as one:
                await one.election.acquire()
                leaders.append(f"c{number}")
                assert len(leaders) == 1, leaders
                holding = asyncio.create_task(one.election.hold())
                await asyncio.wait({holding, asyncio.create_task(end.wait())}, return_when=asyncio.FIRST_COMPLETED)
                leaders.remove(f"c{number}")
                if number % 2:
                    await one.election.release()
                await cancel(holding)

        async def gone(name: str) -> None:
            await eventually(lambda: name not in leaders)

        ends = [asyncio.Event() for _ in range(6)]
        lives = {asyncio.create_task(life(number, end), name=f"c{number}") for number, end in enumerate(ends)}
        served = set()
        for _ in ends:
            await eventually(lambda: leaders)
            leader = leaders[0]
            served.add(leader)
            ends[int(leader[1:])].set()
            await gone(leader)
        await asyncio.gather(*lives)
        assert len(served) == 6

    asyncio.run(main())


def test_times_that_can_not_work_are_refused(cluster: DevCluster) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api:
            with pytest.raises(ValueError, match="wanted: retry period < renew deadline < lease, got 2, 20, 15 s"):
                Election(api, name="a", namespace="b", identity="c", post=lambda note: None, renew_deadline=20)

    asyncio.run(main())
