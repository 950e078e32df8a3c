"""Findings about options: rights that go too far, data at risk, and file systems without an identity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from berth.findings.finding import Finding
from berth.nfsserver.exports.clients import classify
from berth.nfsserver.exports.facts import stable_fsid
from berth.nfsserver.exports.flags import NOBODY, Flag
from berth.nfsserver.exports.options import Options
from berth.nfsserver.exports.parse import Export, ExportEntry
from berth.nfsserver.lint.lint_context import LintContext, Overlaps, about


def rights(context: LintContext) -> Iterator[Finding]:
    """Who may do more than is wise."""
    for entry in context.entries:
        export = entry.export
        options = export.options
        # Where no client is written, that is a finding of its own, and says so.
        is_everybody = classify(export.client).is_everybody and entry.name != ""
        is_root = any(not each.flags & (Flag.ROOT_SQUASH | Flag.ALL_SQUASH) for each in options.untold)
        if is_everybody and is_root:
            yield about("everybody-root", export)
        elif is_everybody and _is_writable_by_all(options):
            yield about("everybody-writes", export, options=",".join(entry.own or entry.defaults))
        if "insecure" in (*(entry.own or ()), *entry.defaults) and options.has(Flag.INSECURE):
            yield about("insecure", export)
        if (
            options.has(Flag.ALL_SQUASH)
            and options.lacks(Flag.READ_ONLY)
            and NOBODY in (options.anonuid, options.anongid)
        ):
            yield about("all-squash-anon", export)


def _is_writable_by_all(options: Options) -> bool:
    """May a client write that does not prove who its users are."""
    return any(not each.flags & Flag.READ_ONLY for each in options.untold)


def kerberos(context: LintContext) -> Iterator[Finding]:
    """Paths that nobody mounts without a ticket, told once: nodes need more for that than nfs-common."""
    for path in dict.fromkeys(export.path for export in context.exports):
        exports = [export for export in context.exports if export.path == path]
        is_asked_about = any(context.facts.real(need.path) == context.facts.real(path) for need in context.needs)
        is_told = any(classify(export.client).kind == "gss" for export in exports)
        if not is_asked_about and not is_told and not any(map(takes_untold, exports)):
            yield about("kerberos-only", exports[0], flavours=flavours_of(exports[0]))


def takes_sys(export: Export) -> bool:
    """Whether it takes AUTH_SYS, with which Berth comes."""
    return classify(export.client).kind != "gss" and bool(export.options.of_sys)


def takes_untold(export: Export) -> bool:
    """Whether it takes who does not prove who they are: AUTH_SYS, or AUTH_NONE, with which everybody is nobody."""
    return classify(export.client).kind != "gss" and bool(export.options.untold)


def flavours_of(export: Export) -> str:
    """The security flavours of an export, as they are written: `sec=krb5:krb5p`."""
    if classify(export.client).kind == "gss":
        return export.client
    return "sec=" + ":".join(each.flavour for each in export.options.flavours)


def safety(context: LintContext) -> Iterator[Finding]:
    """What may lose data or handles."""
    for entry in context.entries:
        export = entry.export
        if export.options.has(Flag.ASYNC) and export.options.lacks(Flag.READ_ONLY):
            yield about("async", export)
        if export.options.lacks(Flag.NO_SUBTREE_CHECK) and export.options.lacks(Flag.READ_ONLY):
            yield about("subtree-check", export)
        elif not _names_subtree(entry) and entry.own:
            yield about("subtree-unset", export)


def _names_subtree(entry: ExportEntry) -> bool:
    return any(option.endswith("subtree_check") for option in (*entry.defaults, *(entry.own or ())))


def missing_fsid(context: LintContext) -> Iterator[Finding]:
    """File systems that need an fsid= and have none."""
    seen: set[str] = set()
    for export in context.exports:
        place = context.facts.paths.get(export.path)
        if export.options.has_fsid or not place or place.kind != "directory" or export.path in seen:
            continue
        if place.mount.needs_fsid and place.mount.is_exportable:
            seen.add(export.path)
            variant = "overlay" if place.mount.kind == "overlay" else "any"
            suggestion = stable_fsid(context.facts.machine_id, place.real)
            yield about("fsid-needed", export, variant=variant, kind=place.mount.kind, suggestion=suggestion)


def fsids(context: LintContext) -> Iterator[Finding]:
    """Identities that one client sees twice, or two of one path: mountd compares them for each client by itself
    (match_fsid in nfs-utils' support/export/cache.c), so what others get is nothing to it.
    """
    by_path: dict[str, list[Export]] = defaultdict(list)
    by_identity: dict[str, list[Export]] = defaultdict(list)
    told: set[tuple[str, ...]] = set()
    overlaps = Overlaps(context.facts)
    for export in context.exports:
        path, identity = context.facts.real(export.path), _identity(export.options)
        others = [other for other in by_path[path] if _identity(other.options) != identity]
        if (found := _beside(overlaps, export, others)) and ("differs", path) not in told:
            told.add(("differs", path))
            other, variant = found
            yield about("fsid-differs", export, variant=variant, other=other.client)
        by_path[path].append(export)
        if not identity:
            continue
        others = [other for other in by_identity[identity] if context.facts.real(other.path) != path]
        by_identity[identity].append(export)
        if found := _beside(overlaps, export, others):
            other, variant = found
            if ("twice", path, other.path) not in told:
                told.add(("twice", path, other.path))
                key = "fsid-zero-twice" if export.options.is_root else "fsid-duplicate"
                yield about(key, export, variant=variant, other=other.path, fsid=identity)
        elif export.options.is_root and ("root", path) not in told:
            told.add(("root", path))
            below = _below(context, export)
            yield about("fsid-zero", export, variant="others" if below else "alone", below=", ".join(below))


def _beside(overlaps: Overlaps, export: Export, others: list[Export]) -> tuple[Export, str] | None:
    """The one of others that a client of export gets, too, and whether that is sure; None where none does."""
    perhaps = None
    for other in others:
        can_meet = overlaps.can_meet(export.client, other.client)
        if can_meet:
            return other, "sure"
        if can_meet is None:
            perhaps = perhaps or other
    return (perhaps, "perhaps") if perhaps else None


_TOLD_BELOW = 3


def _below(context: LintContext, root: Export) -> list[str]:
    """What lies below the root of the NFSv4 tree, as its clients mount it."""
    start = root.path.rstrip("/") + "/"
    paths = dict.fromkeys(each.path for each in context.exports if each.path.startswith(start))
    told = [f"server:/{path.removeprefix(start)}" for path in paths if path.removeprefix(start)]
    return told[:_TOLD_BELOW] + (["…"] if len(told) > _TOLD_BELOW else [])


def tree(context: LintContext) -> Iterator[Finding]:
    """Can NFSv4 clients walk down to the exports."""
    exports = context.exports
    if exports and not context.facts.root.bears_tree and not any(export.options.is_root for export in exports):
        yield about("no-nfsv4-tree", exports[0], kind=context.facts.root.kind)


def _identity(options: Options) -> str:
    if options.uuid is not None:
        return "".join(char for char in options.uuid.lower() if char in "0123456789abcdef")
    return "" if options.fsid is None else str(options.fsid)


RULES = (rights, kerberos, safety, missing_fsid, fsids, tree)
