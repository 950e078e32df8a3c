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
from berth.nfsserver.lint.lint_context import LintContext, about


def rights(context: LintContext) -> Iterator[Finding]:
    """Who may do more than is wise."""
    for entry in context.entries:
        export = entry.export
        options = export.options
        # Where no client is written, that is a finding of its own, and says so.
        is_everybody = classify(export.client).is_everybody and entry.name != ""
        is_root = any(not each.flags & (Flag.ROOT_SQUASH | Flag.ALL_SQUASH) for each in options.flavours)
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
    loose = [each for each in options.flavours if not each.flavour.startswith("krb5")]
    return any(not each.flags & Flag.READ_ONLY for each in loose)


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
    """Identities that are given twice, or two to one path."""
    by_path: dict[str, list[Export]] = defaultdict(list)
    by_identity: dict[str, Export] = {}
    for export in context.exports:
        path = context.facts.real(export.path)
        identity = _identity(export.options)
        if all(_identity(other.options) != identity for other in by_path[path]) and by_path[path]:
            yield about("fsid-differs", export)
        is_first = not by_path[path]
        by_path[path].append(export)
        if not identity or not is_first:
            continue
        other = by_identity.setdefault(identity, export)
        if other is not export:
            key = "fsid-zero-twice" if export.options.is_root else "fsid-duplicate"
            yield about(key, export, other=other.path, fsid=identity)
        elif export.options.is_root:
            yield about("fsid-zero", export)


def tree(context: LintContext) -> Iterator[Finding]:
    """Can NFSv4 clients walk down to the exports."""
    exports = context.exports
    if exports and not context.facts.root.bears_tree and not any(export.options.is_root for export in exports):
        yield about("no-nfsv4-tree", exports[0], kind=context.facts.root.kind)


def _identity(options: Options) -> str:
    if options.uuid is not None:
        return "".join(char for char in options.uuid.lower() if char in "0123456789abcdef")
    return "" if options.fsid is None else str(options.fsid)


RULES = (rights, safety, missing_fsid, fsids, tree)
