"""From a bare host to an exported directory: what is left to do, decided before anything is touched. Pure.

The directory: root's, 0755, where the provisioner comes as root (no_root_squash for its own addresses); otherwise the
user's as whom it comes (65534, or anonuid), 0755. So the provisioner and nobody else makes and removes directories of
volumes, while any user of a pod can pass through to the one that is his. Nothing needs 0777.

A second plan is empty. Order: packages, directory, exports, services, as Debian's init script does not start a server
that exports nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports.client_order import ClientList, clients_in_order, is_lined_up
from berth.nfsserver.exports.clients import classify
from berth.nfsserver.exports.export_files import OWN_NAME
from berth.nfsserver.exports.facts import HostFacts, PathFacts
from berth.nfsserver.exports.flags import Flag
from berth.nfsserver.exports.options import Options, parse
from berth.nfsserver.exports.parse import ExportsFile
from berth.nfsserver.exports.table import compare
from berth.nfsserver.exports.wanted import WantedExport, acting_user, check_clients, check_path, listed
from berth.nfsserver.setup.machine import Machine
from berth.nfsserver.setup.packages import INSTALL_DEADLINE, INSTALL_GRACE, install_commands
from berth.nfsserver.setup.plan import InitPlan, InitStep, PrepareDirectory, RunCommands, WriteExports
from berth.nfsserver.setup.services import DEADLINE, start_commands
from berth.nfsserver.texts import say
from berth.texts.command import Shell, command, word
from berth.texts.text import Text

MODE = 0o755


def plan_init(wanted: WantedExport, machine: Machine, facts: HostFacts, files: Sequence[ExportsFile]) -> InitPlan:
    """What is left to do until the path is exported as wanted. RequestRefused, naming the argument, when it can't be.

    facts: about the wanted path and clients as well, and with the live table; files: all exports files of the host.
    """
    place = check_path(wanted.path, facts)
    check_clients(wanted, facts)
    clients = listed(wanted, place, facts)
    acting = parse(clients[0][1])
    own = next((file for file in files if posixpath.basename(file.source) == OWN_NAME), None)
    steps = (
        *_packages(machine),
        *_directory(place, acting),
        *_exports(place, clients, own, facts, files),
        *_services(machine),
    )
    notes = (*_notes_on_host(machine), *_notes_on_path(wanted, place, acting), *_notes_on_others(clients, own, place))
    return InitPlan(wanted.path, steps, notes, tuple(_warnings(wanted)), _hindrance(machine))


def _packages(machine: Machine) -> Iterator[InitStep]:
    family = machine.distribution.family
    if not machine.missing or family is None:
        return
    run = install_commands(family, machine.missing)
    yield RunCommands(
        kind="packages",
        summary=say("step.packages", packages=", ".join(machine.missing)),
        reasons=(say("why.packages", distribution=machine.distribution.name),),
        commands=tuple(each.line for each in run),
        run=run,
        deadline=INSTALL_DEADLINE,
        grace=INSTALL_GRACE,
    )


def _directory(place: PathFacts, acting: Options) -> Iterator[InitStep]:
    uid, gid = acting_user(acting)
    is_new = place.kind == "missing"
    mode, owner = place.mode, (place.uid, place.gid)
    if is_new:
        mode, owner = MODE, (uid, gid)
    elif not place.lets_write(uid, gid):
        mode, owner = mode | 0o700, (uid, gid)
    if place.is_empty and mode & 0o1002 == 0o002:
        mode &= ~0o022
        owner = (uid, gid)
    mode |= 0o011
    if not is_new and (mode, owner) == (place.mode, (place.uid, place.gid)):
        return
    facts = {"path": place.path, "mode": f"{mode:04o}", "owner": f"{owner[0]}:{owner[1]}"}
    yield PrepareDirectory(
        kind="directory",
        summary=say("step.make" if is_new else "step.adjust", **facts),
        reasons=(say("why.directory", uid=uid), say("why.directory-mode")),
        commands=(
            *([command("mkdir -p {path}", **facts)] if is_new else []),
            command("chown {owner} {path}", **facts),
            command("chmod {mode} {path}", **facts),
        ),
        path=place.path,
        mode=mode,
        uid=owner[0],
        gid=owner[1],
        found=place.identity,
    )


def _exports(
    place: PathFacts, clients: ClientList, own: ExportsFile | None, facts: HostFacts, files: Sequence[ExportsFile]
) -> Iterator[InitStep]:
    path = place.path
    kept = _exported_elsewhere(path, clients, [file for file in files if file is not own], facts)
    missing = tuple((client, options) for client, options in clients if client not in kept)
    if not missing or (is_lined_up(own, path, missing) and _is_live(path, missing, facts, files)):
        return
    line = f"{path} " + " ".join(f"{client}({','.join(options)})" for client, options in missing)
    yield WriteExports(
        kind="exports",
        summary=say("step.exports", path=path, file=f"/etc/exports.d/{OWN_NAME}"),
        reasons=_why_these_options(missing, place),
        commands=(
            command("echo {line} >> /etc/exports.d/{own}", line=Shell(word(line)), own=OWN_NAME),
            command("exportfs -a"),
        ),
        path=path,
        clients=missing,
    )


def _exported_elsewhere(path: str, clients: ClientList, others: Sequence[ExportsFile], facts: HostFacts) -> set[str]:
    """The clients to whom another file exports the path just so. RequestRefused when it does so otherwise."""
    kept = set()
    there = {export.client.lower(): export for export in facts.spelled(others) if export.path == path}
    for client, options in clients:
        export = there.get(_spelled(client, facts))
        if export is None:
            continue
        if export.options.canonical() != parse(options).canonical():
            facts_said = {"source": export.source, "line": export.line, "client": client}
            raise RequestRefused(path, say("refused.exported-otherwise", **facts_said))
        kept.add(client)
    return kept


def _is_live(path: str, clients: ClientList, facts: HostFacts, files: Sequence[ExportsFile]) -> bool:
    rows = compare(facts.spelled(files), facts.live or (), facts.varying)
    live = {row.client.lower() for row in rows if row.path == path and row.state == "live"}
    return {_spelled(client, facts) for client, _ in clients} <= live


def _spelled(client: str, facts: HostFacts) -> str:
    host = facts.hosts.get(client)
    return (host.name if host else client).lower()


def _why_these_options(clients: ClientList, place: PathFacts) -> tuple[Text, ...]:
    words = {option.partition("=")[0] for _, options in clients for option in options}
    explained = ("sync", "no_subtree_check", "no_root_squash", "root_squash", "insecure", "fsid")
    return tuple(say(f"why.{word}", kind=place.mount.kind) for word in explained if word in words)


def _services(machine: Machine) -> Iterator[InitStep]:
    is_possible = machine.kernel.is_available and machine.init != "none"
    if not is_possible or (machine.is_serving and machine.is_enabled):
        return
    run = start_commands(machine.init, machine.distribution.family)
    yield RunCommands(
        kind="services",
        summary=say("step.services"),
        reasons=(say("why.not-enabled" if machine.is_serving else "why.not-serving"),),
        commands=tuple(each.line for each in run),
        run=run,
        deadline=DEADLINE,
    )


def _notes_on_host(machine: Machine) -> Iterator[Text]:
    if machine.distribution.family is None:
        yield say("note.no-package-manager")
    for name in machine.firewalls:
        yield say("note.firewall", name=name)


def _hindrance(machine: Machine) -> Text | None:
    if not machine.kernel.is_available:
        return say("note.no-kernel-server")
    return say("note.no-init") if machine.init == "none" and not machine.is_serving else None


def _warnings(wanted: WantedExport) -> Iterator[Text]:
    yield from (say("note.everybody", client=each) for each in wanted.clients if classify(each).is_everybody)


def _notes_on_path(wanted: WantedExport, place: PathFacts, acting: Options) -> Iterator[Text]:
    uid, _ = acting_user(acting)
    if uid:
        yield say("note.squashed", uid=uid)
    if acting.lacks(Flag.INSECURE):
        yield say("note.secure")
    if place.kind == "directory" and not place.is_empty and place.mode & 0o1002 == 0o002:
        yield say("note.world-writable", path=place.path, mode=place.mode_text)
    if place.changeable:
        facts = {"parent": place.changeable, "mode": f"{place.changeable_mode:04o}", "uid": place.changeable_uid}
        yield say("note.parent-of-others", **facts)
    if place.parent:
        yield say("note.parent", parent=place.parent, mode=f"{place.parent_mode:04o}")


def _notes_on_others(clients: ClientList, own: ExportsFile | None, place: PathFacts) -> Iterator[Text]:
    wanted = {client.lower() for client, _ in clients}
    others = [client for client, _ in clients_in_order(own, place.path) if client.lower() not in wanted]
    if others:
        yield say("note.others-kept", path=place.path, clients=", ".join(others))
