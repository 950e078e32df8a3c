"""Findings about what a provisioner needs of an export: to be let in, to write, and that pods can pass."""

from __future__ import annotations

from collections.abc import Iterator

from berth.findings.finding import Finding
from berth.nfsserver.exports.clients import ClientKind, classify, covers
from berth.nfsserver.exports.facts import PathFacts
from berth.nfsserver.exports.flags import Flag
from berth.nfsserver.exports.parse import Export
from berth.nfsserver.lint.finding import find
from berth.nfsserver.lint.lint_context import LintContext, Need, about
from berth.nfsserver.lint.rules_options import flavours_of, takes_sys

_PRECEDENCE: tuple[ClientKind, ...] = ("host", "network", "wildcard", "netgroup", "everybody", "gss")
"""Which of several matching clients counts: exports(5), whatever the order in the file."""


def needs(context: LintContext) -> Iterator[Finding]:
    """Each need against the export that would serve it."""
    for need in context.needs:
        here = [
            export for export in context.exports if context.facts.real(export.path) == context.facts.real(need.path)
        ]
        serving = serving_export(here, need.address)
        place = context.facts.paths.get(need.path)
        if serving is None:
            if not any(classify(export.client).kind in ("wildcard", "netgroup", "gss") for export in here):
                variant = "address" if need.address else "anybody"
                yield find("not-exported", variant=variant, path=need.path, who=need.address)
        else:
            yield from _check(need, serving, place)


def serving_export(exports: list[Export], address: str) -> Export | None:
    """The export that counts for a client at address; without an address, the one that lets in most."""
    if not address:
        order = sorted(
            exports,
            key=lambda each: (
                not takes_sys(each),
                each.options.has(Flag.READ_ONLY),
                each.options.has(Flag.ROOT_SQUASH),
            ),
        )
        return order[0] if order else None
    matching = [export for export in exports if covers(classify(export.client), address)]
    return min(matching, key=lambda each: _PRECEDENCE.index(classify(each.client).kind), default=None)


def _check(need: Need, export: Export, place: PathFacts | None) -> Iterator[Finding]:
    options = export.options
    if not takes_sys(export):
        variant = "address" if need.address else "anybody"
        yield about("provisioner-kerberos", export, variant=variant, flavours=flavours_of(export), who=need.address)
        return
    if all(each.flags & Flag.READ_ONLY for each in options.of_sys):
        yield about("read-only", export, who=need.address or export.client)
    if not place or place.kind != "directory":
        return
    is_squashed = any(each.flags & (Flag.ROOT_SQUASH | Flag.ALL_SQUASH) for each in options.of_sys)
    if is_squashed and not place.lets_write(options.anonuid, options.anongid):
        owner, mode = f"{place.uid}:{place.gid}", place.mode_text
        yield about("provisioner-squashed", export, uid=options.anonuid, gid=options.anongid, owner=owner, mode=mode)
    if not place.mode & 0o001:
        yield about("closed-to-pods", export, mode=place.mode_text)


RULES = (needs,)
