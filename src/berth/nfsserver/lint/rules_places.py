"""Findings about the exported directories: whether they are there, who can reach them, and what lies across what."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping

from berth.findings.finding import Finding
from berth.nfsserver.exports.clients import classify, overlap
from berth.nfsserver.exports.facts import SYSTEM, PathFacts
from berth.nfsserver.exports.flags import Flag
from berth.nfsserver.exports.options import Options
from berth.nfsserver.exports.parse import Export
from berth.nfsserver.lint.lint_context import LintContext, about


def there(context: LintContext) -> Iterator[Finding]:
    """Is there a directory at all, under that name."""
    for export, place in context.exported_paths():
        if not export.path.startswith("/"):
            yield about("relative-path", export)
        elif place.kind == "missing":
            if place.lookalikes:
                names, first = ", ".join(place.lookalikes), place.lookalikes[0]
                yield about("missing-directory", export, variant="lookalike", lookalikes=names, lookalike=first)
            else:
                yield about("missing-directory", export, variant="nothing")
        elif place.kind == "other":
            yield about("not-a-directory", export)
        elif place.real != export.path:
            is_link = place.real != posixpath.normpath(export.path).replace("//", "/")
            yield about("path-is-link" if is_link else "path-not-normal", export, real=place.real)


def reachable(context: LintContext) -> Iterator[Finding]:
    """Can users get there, and not everywhere."""
    for export, place in context.exported_paths():
        if place.kind != "directory":
            continue
        if place.parent:
            yield about("parent-not-searchable", export, parent=place.parent, mode=f"{place.parent_mode:04o}")
        if place.changeable:
            mode, uid = f"{place.changeable_mode:04o}", place.changeable_uid
            yield about("world-writable", export, variant="above", parent=place.changeable, mode=mode, uid=uid)
        if place.mode & 0o1002 == 0o002:
            yield about("world-writable", export, variant="itself", mode=place.mode_text, uid=export.options.anonuid)
        if not place.mount.is_exportable:
            yield about("not-exportable", export, kind=place.mount.kind)
        elif place.real == "/" or place.real in SYSTEM:
            yield about("system-exported", export)
        mountpoint = export.options.mountpoint
        if mountpoint is not None and not _is_mounted(context, mountpoint or place.real, place):
            yield about("not-mounted", export, mountpoint=mountpoint or export.path)


def _is_mounted(context: LintContext, point: str, place: PathFacts) -> bool:
    here = context.facts.paths.get(point, place)
    known = {place.mount.point, here.mount.point, *(each.point for each in place.below)}
    return point.rstrip("/") in {each.rstrip("/") for each in known}


def hidden(context: LintContext) -> Iterator[Finding]:
    """File systems mounted below an export, which clients don't see."""
    exported = {context.facts.real(export.path) for export in context.exports}
    crossing = [context.facts.real(export.path) for export in context.exports if export.options.has(Flag.CROSSMNT)]
    for export, place in context.exported_paths():
        if any(_is_in(place.real, parent) or place.real == parent for parent in crossing):
            continue
        unseen = [each.point for each in place.below if each.point not in exported]
        if unseen:
            more = f" (+{len(unseen) - 3})" if len(unseen) > 3 else ""
            yield about("hidden-mounts", export, mounts=", ".join(unseen[:3]) + more)


def nested(context: LintContext) -> Iterator[Finding]:
    """Exports that lie in one another on one file system, with other rights for the same clients."""
    by_path: dict[str, list[Export]] = defaultdict(list)
    for export in context.exports:
        by_path[context.facts.real(export.path)].append(export)
    seen: set[tuple[str, str]] = set()
    for inner in context.exports:
        for outer in _around(context, inner, by_path):
            pair = (inner.path, outer.path)
            difference = _difference(inner.options, outer.options)
            if pair not in seen and difference:
                seen.add(pair)
                beside = f"{outer.source}:{outer.line}"
                yield about("overlapping-options", inner, other=outer.path, beside=beside, difference=difference)


def _around(context: LintContext, inner: Export, by_path: Mapping[str, list[Export]]) -> Iterator[Export]:
    """The exports of directories above, on the same file system, that the clients of inner get."""
    place = context.facts.paths.get(inner.path)
    if not place or place.kind == "missing":
        return
    path = place.real
    while path not in ("/", "", place.mount.point):
        path = posixpath.dirname(path)
        yield from _of_the_same_clients(inner, by_path.get(path, []))


def _of_the_same_clients(inner: Export, outers: list[Export]) -> list[Export]:
    """Those listed under the same name, or all that overlap where none is."""
    client = inner.client.lower()
    same = [outer for outer in outers if outer.client.lower() == client]
    return same or [outer for outer in outers if overlap(classify(inner.client), classify(outer.client))]


def _is_in(path: str, parent: str) -> bool:
    return path != parent and path.startswith(parent.rstrip("/") + "/")


def _difference(one: Options, other: Options) -> str:
    """What one allows otherwise than other, in the words of options; empty when nothing that matters."""
    pairs = [
        (Flag.READ_ONLY, "ro", "rw"),
        (Flag.ROOT_SQUASH, "root_squash", "no_root_squash"),
        (Flag.ALL_SQUASH, "all_squash", "no_all_squash"),
    ]
    words = [on if one.has(flag) else off for flag, on, off in pairs if one.has(flag) != other.has(flag)]
    flavours = [":".join(each.flavour for each in options.flavours) for options in (one, other)]
    if flavours[0] != flavours[1]:
        words.append(f"sec={flavours[0]}")
    return ", ".join(words)


RULES = (there, reachable, hidden, nested)
