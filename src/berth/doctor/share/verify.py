"""All probes of one share, in the order in which a mount meets what they look at, side by side where they can be."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from berth.doctor.share import measure, mounts, reach, work
from berth.doctor.share.home import look_into_home
from berth.doctor.share.judge import Handed, judge_answers, judge_exports, judge_mounts, judge_source_port
from berth.doctor.share.mounts import Mounted
from berth.doctor.share.node import probe_node
from berth.doctor.share.probed import Probed, ShareReport, barred, passed, skipped, wrong
from berth.doctor.share.reach import Reached
from berth.doctor.share.scratch import Site
from berth.doctor.share.trash import look_into_trash
from berth.nfs import LOCKD, MOUNTD, NFS3, NFS4, PROGRAM_NAMES, STATD, Offered
from berth.volumes.share import ShareAddress

DEADLINE = 5.0
"""Seconds for each probe."""

ORDER = (
    "dns", "nfs-port", "answers", "portmapper-port", "programs", "exports", "mount-3", "mount-4.0", "mount-4.1",
    "mount-4.2", "source-port", "write", "squash", "lock", "left-behind", "space", "round-trip", "records", "trash",
    "node-helper", "node-kernel", "node-statd", "node-mount",
)  # fmt: skip
"""The ids of all probes, from the server's name to the data."""
_EVERYWHERE = tuple(
    probe for probe in ORDER if probe not in ("left-behind", "records") and not probe.startswith("node-")
)


@dataclass(slots=True)
class _Found:
    """Results so far."""

    probes: list[Probed] = field(default_factory=list)

    def report(self, target: ShareAddress, *, because: str) -> ShareReport:
        """In their order, those that were not tried because of another one among them."""
        known = {probe.id for probe in self.probes}
        blamed = next((probe for probe in self.probes if probe.id == because), None)
        for each in _EVERYWHERE:
            if each not in known and blamed is not None:
                self.probes.append(barred(each, blamed))
        self.probes.sort(key=lambda probe: ORDER.index(probe.id))
        return ShareReport(str(target), tuple(self.probes))


async def verify(target: ShareAddress, *, deadline: float = DEADLINE, from_node: bool = False) -> ShareReport:
    """What a client meets on its way into the share. Never raises for anything that is wrong with it.

    deadline: seconds for each probe. from_node: this host is a node; look at its own means to mount, too.
    """
    found = _Found()
    because = await _probe(target, deadline, found)
    if from_node:
        is_reachable = because not in ("dns", "nfs-port", "answers")
        found.probes += await probe_node(target, needs_statd=_speaks_only_3(found), is_reachable=is_reachable)
    return found.report(target, because=because)


async def _probe(target: ShareAddress, deadline: float, found: _Found) -> str:
    """Everything over the network. The id of the probe that made the rest impossible; empty when none did."""
    name = await reach.look_up(target, deadline)
    found.probes.append(name.probe)
    if not name.addresses:
        return "dns"
    ground = await reach.look_at_ports(target, name.addresses, deadline)
    nfs_port = reach.judge_nfs_port(ground, deadline)
    found.probes.append(nfs_port)
    if ground.best.state != "open":
        found.probes.append(reach.judge_portmapper(ground, speaks_3=False, speaks_4=False, deadline=deadline))
        return "nfs-port"
    door = ground.best
    port_3 = door.port if target.port else ground.port_of(NFS3) or door.port
    answers = await asyncio.gather(
        mounts.ask_version(door.address, port_3, NFS3, deadline),
        mounts.ask_version(door.address, door.port, NFS4, deadline),
    )
    speaks_3, speaks_4 = (answer == "spoken" for answer in answers)
    portmapper = reach.judge_portmapper(ground, speaks_3=speaks_3, speaks_4=speaks_4, deadline=deadline)
    found.probes += [judge_answers(door, *answers, deadline=deadline), portmapper]
    if not (speaks_3 or speaks_4):
        return "answers"
    found.probes.append(_judge_programs(ground, speaks_3=speaks_3, speaks_4=speaks_4))
    handed = await _hand_out(target, ground, port_3, speaks_3, speaks_4, deadline)
    try:
        found.probes += [judge_exports(target, handed), *judge_mounts(target, handed)]
        return await _use(target, ground, handed, deadline, found)
    finally:
        for mounted in (handed.over_3, handed.over_4):
            if mounted is not None and mounted.session is not None:
                mounted.session.close()
        await asyncio.sleep(0)  # the event loop closes a socket in its next turn


async def _hand_out(
    target: ShareAddress, ground: Reached, port_3: int, speaks_3: bool, speaks_4: bool, deadline: float
) -> Handed:
    """Asks for the export over all versions at once."""
    address, port = ground.best.address, ground.best.port
    mountport = target.mountport or ground.port_of(MOUNTD)

    async def nothing() -> None:
        return None

    minors, offered, over_3, over_4 = await asyncio.gather(
        mounts.ask_minors(address, port, deadline) if speaks_4 else nothing(),
        mounts.ask_exports(address, mountport, deadline) if mountport else nothing(),
        mounts.mount_3(address, port_3, mountport, target.export, deadline) if speaks_3 else nothing(),
        mounts.mount_4(address, port, target.export, deadline) if speaks_4 else nothing(),
    )
    handed = Handed(offered, minors, over_3, over_4)
    if over_4 is not None and over_4.ending == "missing" and not isinstance(offered, tuple):
        beside = await mounts.list_4(address, port, target.export, deadline)
        return Handed(tuple(Offered(path, ()) for path in beside) or offered, minors, over_3, over_4)
    return handed


async def _use(target: ShareAddress, ground: Reached, handed: Handed, deadline: float, found: _Found) -> str:
    """Works in the share, if it was handed out."""
    best = handed.best
    if best is None or best.session is None:
        return "mount-4.0" if handed.over_4 is not None else "mount-3"
    door = ground.best
    found.probes.append(judge_source_port(best, await _from_any_port(target, ground, best, deadline)))
    lockd, has_statd = ground.port_of(LOCKD), bool(ground.port_of(STATD))
    site = Site(best.session, str(target), door.address, door.port, lockd, has_statd, deadline)
    tried = await work.try_out(site)
    if tried.probes[0].facts.get("status") == "NFS4ERR_GRACE" and handed.over_3 is not None and handed.over_3.session:
        # Files can't be opened over NFSv4 for up to 90 s after a server's start; NFSv3 has no such time.
        site = replace(site, session=handed.over_3.session)
        tried = await work.try_out(site)
    found.probes += tried.probes
    if tried.is_alive:
        found.probes += [await measure.space(site), await measure.round_trip(site)]
        found.probes += await look_into_home(target, deadline)
        found.probes += await look_into_trash(target, deadline)
    return "write"


async def _from_any_port(target: ShareAddress, ground: Reached, best: Mounted, deadline: float) -> Mounted | None:
    """The same mount from a port above 1023; None where the first one came from there already."""
    if best.source[1] > 1023 or best.session is None:
        return None
    door = ground.best
    if best.session.version == "3":
        port = door.port if target.port else ground.port_of(NFS3) or door.port
        mountport = target.mountport or ground.port_of(MOUNTD)
        again = await mounts.mount_3(door.address, port, mountport, target.export, deadline, reserved=False)
    else:
        again = await mounts.mount_4(door.address, door.port, target.export, deadline, reserved=False)
    if again.session is not None:
        again.session.close()
    return again


def _judge_programs(ground: Reached, *, speaks_3: bool, speaks_4: bool) -> Probed:
    """What is registered with the portmapper, as far as NFSv3 needs it."""
    if ground.registered is None:
        if ground.portmapper is None or ground.portmapper.state != "open":
            return skipped("programs", "no-portmapper")
        return wrong("programs", "silent", "note" if speaks_4 else "failure", why=ground.trouble)
    known = sorted(
        {(PROGRAM_NAMES[each.program], each.version) for each in ground.registered if each.program in PROGRAM_NAMES}
    )
    listed = ", ".join(
        f"{name} {'/'.join(str(version) for of, version in known if of == name)}"
        for name in dict.fromkeys(name for name, _ in known)
    )
    missing = [name for name in ("mountd", "nlockmgr") if name not in {of for of, _ in known}]
    if speaks_3 and missing:
        facts = {"listed": listed, "missing": ", ".join(missing)}
        if speaks_4:
            return passed("programs", "incomplete-for-3", **facts)
        return wrong("programs", "incomplete", "warning" if missing == ["nlockmgr"] else "failure", **facts)
    return passed("programs", "listed", listed=listed)


def _speaks_only_3(found: _Found) -> bool:
    return any(probe.id == "answers" and probe.facts.get("versions") == "3" for probe in found.probes)
