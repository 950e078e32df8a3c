"""What came of speaking to the server, taken together: the versions shed light on each other. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from berth.doctor.share.mounts import Mounted, MountEnding, VersionAnswer, above, meant_paths
from berth.doctor.share.probed import Probed, echoed, passed, skipped, wrong
from berth.doctor.share.reach import Door
from berth.findings.finding import Severity
from berth.nfs import RESERVED_PORTS, Offered
from berth.texts.text import Text
from berth.texts.visible import fact
from berth.volumes.share import ShareAddress

MOST_LISTED = 8
"""Exports that are listed in a sentence."""

_CASES: dict[MountEnding, str] = {
    "no mountd": "no-mountd", "mountd shut": "mountd-shut",
    "silent": "silent", "not a directory": "no-directory", "stale": "stale",
    "kerberos": "kerberos", "refused": "refused", "broken": "refused",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Handed:
    """Whether the export is handed out, over each version."""

    offered: tuple[Offered, ...] | str | None
    """What the server exports; why it does not tell; None where nobody can be asked."""
    minors: tuple[int, ...] | None
    """The versions of NFSv4 that are spoken; None: not known."""
    over_3: Mounted | None
    """None: NFSv3 is not spoken."""
    over_4: Mounted | None

    @property
    def best(self) -> Mounted | None:
        """What to work with: NFSv4 first, as Berth does."""
        mounted = [each for each in (self.over_4, self.over_3) if each is not None and each.ending == "mounted"]
        return mounted[0] if mounted else None

    @property
    def source(self) -> tuple[str, int]:
        """From which address and port of ours the server was asked."""
        asked = [each.source for each in (self.over_4, self.over_3) if each is not None and each.source[1]]
        return asked[0] if asked else ("", 0)

    @property
    def paths(self) -> tuple[str, ...]:
        """The exported paths, as far as they are known."""
        return tuple(each.path for each in self.offered) if isinstance(self.offered, tuple) else ()


def judge_answers(door: Door, over_3: VersionAnswer, over_4: VersionAnswer, *, deadline: float) -> Probed:
    """Which versions of NFS are spoken, if any."""
    facts: dict[str, str | int] = {"address": door.address, "port": door.port, "deadline": f"{deadline:g}"}
    match over_3, over_4:
        case "spoken", "spoken":
            return passed("answers", "both", **facts, versions="3, 4")
        case "spoken", _:
            return wrong("answers", "only-3", **facts, versions="3")
        case _, "spoken":
            return passed("answers", "only-4", **facts, versions="4")
        case ("silent", _) | (_, "silent"):
            return wrong("answers", "silent", **facts)
        case _:
            return wrong("answers", "no-nfs", **facts)


def judge_exports(target: ShareAddress, handed: Handed) -> Probed:
    """Is the path among what is exported, as far as it is told."""
    if handed.offered is None:
        return skipped("exports", "no-list")
    if isinstance(handed.offered, str):
        return skipped("exports", "untold", why=handed.offered)
    listed, source = _list(handed), handed.source[0]
    known = {"path": target.export, "listed": listed, "source": source}
    facts: dict[str, str | list[str]] = {**known, "exports": [str(each) for each in handed.offered]}
    if not handed.offered:
        return wrong("exports", "none", None if handed.best is None else "warning", **facts)
    if target.export in handed.paths:
        clients = ", ".join(_clients(target, handed)) or "*"
        return passed("exports", "there", **facts, clients=clients)
    if handed.best is not None:
        upper = above(target.export, handed.paths)
        return passed("exports", "below", **facts, above=upper) if upper else passed("exports", "tree", **facts)
    if handed.over_4 is not None and handed.over_4.ending == "denied":
        return skipped("exports", "unlisted", **facts)
    meant = meant_paths(target.export, handed.paths)
    if not meant:
        return wrong("exports", "missing", **facts)
    shown = [fact(each) for each in meant]
    return wrong("exports", "near", **facts, nearest=Text(" or ".join(shown), " 或 ".join(shown)))


def judge_mounts(target: ShareAddress, handed: Handed) -> Iterator[Probed]:
    """One result for each version. What one version can't do is no failure where another one can."""
    severity: Severity = "failure" if handed.best is None else "warning"
    over_3 = _judge_mount("mount-3", target, handed, handed.over_3, severity)
    # Nodes take NFSv4 where they can: then nobody misses NFSv3.
    yield over_3.as_harmless() if over_3.outcome == "warning" else over_3
    over_4 = handed.over_4
    if over_4 is not None and handed.minors is not None and 0 not in handed.minors:
        over_4 = Mounted("not offered", over_4.status)
    is_only_later = bool(handed.minors) and 0 not in (handed.minors or (0,))
    if is_only_later:
        yield wrong("mount-4.0", "later-only", share=str(target), version="4.0")
    else:
        yield _judge_mount("mount-4.0", target, handed, over_4, severity)
    for minor in (1, 2):
        probe = f"mount-4.{minor}"
        facts = {"version": f"4.{minor}"}
        if over_4 is None and handed.over_4 is None:
            yield skipped(probe, "not-offered", **facts)
        elif handed.minors is None:
            yield skipped(probe, "untold", **facts)
        elif minor in handed.minors:
            yield passed(probe, "spoken", **facts)
        else:
            yield skipped(probe, "not-offered", **facts)


def judge_source_port(first: Mounted, again: Mounted | None) -> Probed:
    """May clients come from any port. again: the same mount from a port above 1023; None: the first one was that."""
    facts = {"port": first.source[1]}
    if again is None or again.ending == "mounted":
        return passed("source-port", "any", **facts)
    if again.ending in ("silent", "broken", "mountd shut"):
        return skipped("source-port", "unknown", **facts)
    return passed("source-port", "reserved", **facts, status=again.status)


def _judge_mount(
    probe: str, target: ShareAddress, handed: Handed, mounted: Mounted | None, severity: Severity
) -> Probed:
    version = probe.removeprefix("mount-")
    facts = {"share": str(target), "path": target.export, "version": version}
    if mounted is None:
        return skipped(probe, "not-offered", **facts)
    facts |= {"status": mounted.status, "source": mounted.source[0] or handed.source[0]}
    facts |= {"port": str(mounted.source[1]), "listed": _list(handed)}
    match mounted.ending:
        case "mounted":
            return passed(probe, "mounted", **facts)
        case "not offered":
            return echoed(probe, "not-offered", "note" if handed.best else severity, **facts)
        case "denied":
            return _denied(probe, target, handed, mounted, severity, facts)
        case "missing" if version == "4.0" and _is_exported(target, handed):
            if handed.over_3 is not None and handed.over_3.ending == "mounted":
                return wrong(probe, "no-tree", severity, **facts)
            return _denied(probe, target, handed, mounted, severity, facts)
        case "missing":
            return _missing(probe, handed, severity, facts)
        case ending:
            return wrong(probe, _CASES[ending], severity, **facts)


def _denied(
    probe: str, target: ShareAddress, handed: Handed, mounted: Mounted, severity: Severity, facts: dict[str, str]
) -> Probed:
    """Not handed out to us: is it our port, our address, or the path (servers answer alike for paths they lack)."""
    if probe == "mount-3" and handed.paths and not _is_exported(target, handed):
        return _missing(probe, handed, severity, facts)
    clients = ", ".join(_clients(target, handed)) or "?"
    is_reserved = 0 < mounted.source[1] <= RESERVED_PORTS[-1]
    return wrong(probe, "denied" if is_reserved else "denied-port", severity, **facts, clients=clients)


def _missing(probe: str, handed: Handed, severity: Severity, facts: dict[str, str]) -> Probed:
    """The path is not there. Where the exports are known, judge_exports has said what to do."""
    if handed.paths:
        return echoed(probe, "missing", severity, **facts)
    return wrong(probe, "missing-alone", severity, **facts)


def _is_exported(target: ShareAddress, handed: Handed) -> bool:
    return target.export in handed.paths or bool(above(target.export, [path for path in handed.paths if path != "/"]))


def _clients(target: ShareAddress, handed: Handed) -> tuple[str, ...]:
    """Who may mount the path, as far as it is told."""
    if not isinstance(handed.offered, tuple):
        return ()
    path = target.export if target.export in handed.paths else above(target.export, handed.paths)
    return next((each.clients for each in handed.offered if each.path == path), ())


def _list(handed: Handed) -> str:
    """What is exported, as one phrase."""
    if not isinstance(handed.offered, tuple):
        return ""
    told_of = [str(each) for each in handed.offered[:MOST_LISTED]]
    return ", ".join([*told_of, "…"] if len(handed.offered) > MOST_LISTED else told_of)
