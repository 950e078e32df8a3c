"""Findings about how a file is written: where exportfs stops reading, and where it reads something else than people."""

from __future__ import annotations

from collections.abc import Iterator

from berth.findings.finding import Finding
from berth.nfsserver.exports.clients import BadClient, check, classify, covers, host_bits
from berth.nfsserver.exports.flags import NEWER, OBSOLETE, OF_MOUNT, SWITCHES, VALUED
from berth.nfsserver.exports.lexer import decode
from berth.nfsserver.exports.parse import Export, ExportEntry, Problem, Statement
from berth.nfsserver.lint.finding import find
from berth.nfsserver.lint.lint_context import LintContext, about


def unreadable(context: LintContext) -> Iterator[Finding]:
    """Mistakes at which exportfs gives up on a file, and how much it never sees because of the first."""
    for file in context.files:
        for problem in file.problems:
            path = problem.detail.get("path", "")
            facts = {name: value for name, value in problem.detail.items() if name != "path"}
            if problem.code == "unknown-option":
                facts["release"] = context.release
            variant = _variant(problem, context)
            yield find(problem.code, variant=variant, source=file.source, line=problem.line, path=path, **facts)
        lost = sum(not each.is_read and not context.is_anew(file.source, each.export.line) for each in file.entries)
        if lost:
            yield find("rest-unread", source=file.source, line=file.problems[0].line, lost=lost)


def _variant(problem: Problem, context: LintContext) -> str:
    match problem.code:
        case "unknown-option" if problem.detail["since"]:
            return "newer" if context.release else "newer-than-here"
        case "unknown-option" if problem.detail["option"].partition("=")[0] in OF_MOUNT:
            return "of-mount"
        case "unknown-option" if ";" in problem.detail["option"]:
            return "semicolon"
        case "unknown-option":
            return "nearest" if problem.detail["nearest"] else "unknown"
        case "bad-option-list":
            _, parenthesis, rest = problem.detail["word"].partition(")")
            return "comment" if rest.startswith("#") else "open" if parenthesis else "blank"
        case _:
            return ""


def clients_that_are_none(context: LintContext) -> Iterator[Finding]:
    """Lines where everybody is a client, or options are one, because of a blank too many or a word too few."""
    for file in context.files:
        for statement in file.statements:
            for at, entry in enumerate(statement.entries):
                yield from _client(statement, entry, statement.entries[at - 1] if at else None)


def _client(statement: Statement, entry: ExportEntry, before: ExportEntry | None) -> Iterator[Finding]:
    export = entry.export
    options = ",".join(entry.own or ())
    if entry.word is None:
        last = statement.defaults[-1] if statement.defaults else None
        variant = "defaults" if last else "bare"
        yield about("no-client", export, variant=variant, word=decode(last.value) if last else "")
    elif not entry.name and before and before.own is None and before.name:
        yield about("blank-before-options", export, client=before.name, options=options)
    elif not entry.name:
        yield about("no-client-name", export, options=options)
    elif entry.own is None and _is_option_list(entry.name):
        yield about("options-as-client", export, options=entry.name.lstrip("-"))


def _is_option_list(name: str) -> bool:
    words = name.lstrip("-").split(",")
    named = [word.partition("=")[0] for word in words]
    return all(word in SWITCHES for word in words) or ("=" in name and all(n in (*SWITCHES, *VALUED) for n in named))


def nothing_said(context: LintContext) -> Iterator[Finding]:
    """Clients without any options, where it is no part of another mistake."""
    for file in context.files:
        for statement in file.statements:
            for at, entry in enumerate(statement.entries):
                is_trap = any(not after.name for after in statement.entries[at + 1 : at + 2])
                is_bare = entry.word is not None and entry.own is None and not entry.defaults
                if is_bare and not is_trap and not _is_option_list(entry.name) and _can_be_meant(entry.name):
                    yield about("no-options", entry.export)


def _can_be_meant(client: str) -> bool:
    try:
        check(client)
    except BadClient:
        return False
    return True


def wrong_clients(context: LintContext) -> Iterator[Finding]:
    """Clients that match nobody, or others than it seems."""
    for entry in context.entries:
        export = entry.export
        if not entry.name or (entry.own is None and _is_option_list(entry.name)):
            continue
        try:
            client = check(entry.name)
        except BadClient as bad:
            facts = {"plain": bad.plain} if bad.plain else {}
            yield about(bad.fault, export, **facts)
            continue
        host = context.facts.hosts.get(entry.name)
        if network := host_bits(entry.name):
            yield about("network-host-bits", export, network=str(network), address=entry.name.partition("/")[0])
        elif client.kind == "gss":
            yield about("gss-client", export, flavour=entry.name.removeprefix("gss/"))
        elif host is not None and not host.addresses:
            yield about("unknown-host", export)


def wrong_options(context: LintContext) -> Iterator[Finding]:
    """Options that contradict each other, that do nothing, or that older servers may not know: where it is known which
    nfs-utils reads them, they are known to it or a mistake at which it stops.
    """
    for entry in context.entries:
        said: dict[object, str] = {}
        for option in entry.own or ():
            name = option.partition("=")[0]
            if name == "sec":
                said.clear()  # each sec= starts anew
            elif option in SWITCHES:
                flag, is_set = SWITCHES[option]
                other = said.setdefault(flag, option)
                if SWITCHES[other][1] != is_set:
                    yield about("contradiction", entry.export, first=other, second=option)
            elif name in OBSOLETE:
                yield about("obsolete-option", entry.export, option=option)
            elif name in NEWER and not context.facts.nfs_utils:
                yield about("newer-option", entry.export, option=option, release=NEWER[name])


def duplicates(context: LintContext) -> Iterator[Finding]:
    """One client twice for one path, perhaps under two names, perhaps in two files: only the first counts."""
    first: dict[tuple[str, str], Export] = {}
    for export in context.spelled:
        if classify(export.client).kind == "network" and classify(export.client).network is None:
            continue
        other = first.setdefault((export.path, export.client.lower()), export)
        if other is not export:
            same = other.options.canonical() == export.options.canonical()
            where = f"{other.source}:{other.line}"
            yield about("duplicate-client", export, variant="same" if same else "other", other=where)


def shadowed(context: LintContext) -> Iterator[Finding]:
    """A network behind a wider one, for the same path and with other options: of the two, the first counts."""
    before: dict[str, list[Export]] = {}
    for export in context.spelled:
        network = classify(export.client).network
        if classify(export.client).kind != "network" or network is None:
            continue
        candidates = (
            other
            for other in before.setdefault(export.path, [])
            if covers(classify(other.client), export.client)
            and classify(other.client).network != network
            and other.options.canonical() != export.options.canonical()
        )
        if wider := next(candidates, None):
            yield about("shadowed-client", export, wider=wider.client, other=f"{wider.source}:{wider.line}")
        before[export.path].append(export)


def ignored_files(context: LintContext) -> Iterator[Finding]:
    """Files that lie where exports files lie, and are not read."""
    for source in context.facts.ignored:
        yield find("ignored-file", source=source, name=source.rpartition("/")[2])


RULES = (
    unreadable,
    clients_that_are_none,
    nothing_said,
    wrong_clients,
    wrong_options,
    duplicates,
    shadowed,
    ignored_files,
)
