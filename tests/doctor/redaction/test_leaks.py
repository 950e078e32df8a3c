"""No name of a cluster is in what is told with stand-ins: of whatever finding, in whatever form, in whatever text."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from berth.doctor.explain import Explainer
from berth.doctor.known import entries, find
from berth.doctor.redaction.reports import Redaction
from berth.doctor.redaction.words import known_words
from berth.doctor.share.probed import Probed, ShareReport
from berth.findings.entry import PARTS, CatalogueEntry, names
from berth.findings.finding import KINDS, Finding, Subject, report
from berth.findings.render import say
from berth.texts.command import Shell
from berth.texts.data import as_data
from berth.texts.text import Language, Text

NOTHING = Text("nothing", "无")
LANGUAGES: tuple[Language, ...] = ("en", "zh")
NAMES = st.from_regex(r"[a-z]{3}[0-9][a-z0-9]{2,6}(?:-[a-z0-9]{2,6})?", fullmatch=True).filter(
    lambda name: name not in known_words()
)
NAMESPACED = ("claim", "pod", "lease", "workload", "role", "owner", "account", "endpoint")
PATHS = ("path", "directory", "export", "mountpoint", "file", "mount", "to", "origin", "trash", "archive", "record")


def needed(entry: CatalogueEntry) -> set[str]:
    """The facts that an entry names, in all that it says."""
    found: set[str] = set()
    for part in PARTS:
        for said in entry.every(part):
            found |= names(said.text.en).union(*(names(each) for command in said.commands for each in command))
    return found


def value(fact: str, own: Iterator[str]) -> str | Shell:
    """A fact as a cluster may have it, made of names."""
    if fact in NAMESPACED:
        return f"{next(own)}/{next(own)}"
    if fact == "share":
        return f"{next(own)}:/{next(own)}/{next(own)}"
    if fact in PATHS:
        return f"/{next(own)}/{next(own)}"
    if fact in ("log", "grant", "watch", "retry", "install", "remove", "keep"):
        return Shell(f"kubectl -n {next(own)} get pods {next(own)}")
    if fact in ("reason", "failed", "warning"):
        return f'pods "{next(own)}" is forbidden: User "system:serviceaccount:{next(own)}:{next(own)}" at 10.9.8.7'
    return next(own)


def every_finding(own: Iterator[str]) -> Iterator[Finding]:
    """Each entry of the catalogue in each of its variants, about objects of these names."""
    for entry in entries().values():
        for variant in entry.variants or ("",):
            facts = {fact: value(fact, own) for fact in sorted(needed(entry))}
            about = [Subject(kind, str(facts[kind])) for kind in KINDS if kind in facts]
            told = {fact: each for fact, each in facts.items() if fact not in KINDS}
            line = (
                f"E0101 1 x.go:1] '{next(own)}' of {next(own)}/{next(own)} on {next(own)}.{next(own)}.cn:/{next(own)}"
            )
            yield entry.variant(variant).finding(about, told, evidence=[line], where=None)


def told(findings: Sequence[Finding]) -> str:
    """All that is printed of them: for people in both languages, for programs."""
    said = Redaction().report(report(findings))
    lines = [line for language in LANGUAGES for line in say(said, language, NOTHING)]
    return "\n".join([json.dumps(as_data(said), ensure_ascii=False), *(f"{line.label} {line.text}" for line in lines)])


def endless(own: Sequence[str], used: set[str]) -> Iterator[str]:
    """These names, over and over, each noted."""
    while True:
        for name in own:
            used.add(name)
            yield name


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(st.lists(NAMES, min_size=40, max_size=60, unique=True))
def test_no_finding_of_the_catalogue_tells_a_name(own: list[str]) -> None:
    used: set[str] = set()
    said = told(list(every_finding(endless(own, used))))
    assert len(used) == len(own)
    assert [name for name in own if re.search(rf"(?<![a-z0-9]){name}(?![a-z0-9])", said)] == []
    assert "10.9.8.7" not in said


def explained(text: str) -> str:
    """What is told of a text."""
    explainer = Explainer(None)
    for line in text.splitlines():
        explainer.read(io.BytesIO(f"{line}\n".encode()))
    return told(list(explainer.explain().report.findings))


LINES = (
    'E1 controller.go:1004] provision "{0}/{1}" class "{2}": unexpected error getting claim reference: '
    "selfLink was empty",
    'Warning  FailedMount  pod/{0}  MountVolume.SetUp failed for volume "{1}" : mount failed: exit status 32 '
    "mount.nfs: access denied by server while mounting {2}.{3}.cn:/{4}/{5}",
    'Warning ProvisioningFailed persistentvolumeclaim/{0} failed to provision volume with StorageClass "{1}": '
    "rpc error: code = DeadlineExceeded desc = context deadline exceeded, asked by {2}@{3}.com",
    'storageclass.storage.k8s.io "{0}" not found',
    "Nov 27 10:00:01 {0} kernel: nfs: server {1} not responding, still trying",
    "mount.nfs: mounting 10.9.8.7:/{0}/{1} failed, reason given by server: No such file or directory",
    'leases.coordination.k8s.io "{0}" is forbidden: User "system:serviceaccount:{1}:{2}" cannot update leases',
    "FATAL: could not open lock file /{0}/{1}/postmaster.pid: Permission denied in /{2} by {3}_{4}",
    "dd: closing output file '/{0}/{1} and {2}/x': No space left on device",
)


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(st.lists(NAMES, min_size=6, max_size=6, unique=True))
def test_no_line_of_a_log_tells_a_name(own: list[str]) -> None:
    said = explained("\n".join(line.format(*own) for line in LINES))
    assert len(re.findall(r"\[[a-z-]+\]", said)) > 5
    assert [name for name in own if name in said] == []
    assert "10.9.8.7" not in said


COMMON = ("nfs", "data", "server", "storage", "default", "volume")
"""Names that many have, and that are words of ours."""


def test_names_that_are_words_of_ours_are_replaced_where_they_are_names() -> None:
    about = (Subject("claim", "data/server"), Subject("class", "nfs"))
    found = find("class-not-found", *about, variant="near", nearest="storage", edit="s|nfs|storage|")
    redaction = Redaction()
    redaction.names.learn("class", "storage")
    (said,) = redaction.report(report([found])).findings
    assert said.seen == Text(
        "claim namespace-1/claim-1 asks for class class-1, which does not exist; class-2 does",
        "PVC namespace-1/claim-1 要求的 StorageClass class-1 不存在；存在的是 class-2",
    )
    assert said.about == (Subject("claim", "namespace-1/claim-1"), Subject("class", "class-1"))
    assert "a Pending claim holds no data" in said.do.en
    assert said.commands[0].startswith("kubectl -n namespace-1 get pvc claim-1 -o yaml | sed ")


@dataclass(frozen=True)
class Place:
    """A fact of several parts, as probes of a share have them."""

    server_name: str
    mount_options: tuple[str, ...] = ("hard",)


def test_facts_of_several_parts_keep_their_form() -> None:
    facts = {"place": Place("nas7.acme.cn"), "labels": {"team9": "acme9"}, "count": 3, "sure": True, "none": None}
    probed = Probed("dns", "passed", Text("nas7.acme.cn is there", "nas7.acme.cn 在"), None, facts)
    said = Redaction().share_report(ShareReport("nas7.acme.cn:/srv/acme9", (probed,)))
    assert said.share == "host-1.example:/dir-1/dir-2"
    assert said.probes[0].seen.en == "host-1.example is there"
    told = as_data(said.probes[0].facts)
    assert told["place"] == {"serverName": "host-1.example", "mountOptions": ["hard"]}
    assert (told["count"], told["sure"], told["none"]) == (3, True, None)
    assert "acme" not in str(told)
    assert "team9" not in str(told)
