"""What pages of the documentation print can be typed and applied, in both languages alike, whether it is run or not."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.docs.page import CHINESE, DOCS, GUIDES, Block, Page, guides, pages, read
from tests.findings.accepted import berth_refusal, kubectl_refusal, unreadable
from tests.findings.printed import PROGRAMS, simple_commands

LATEST = kubernetes_validate.latest_version()
MORE_PROGRAMS = {
    "apk", "ctr", "curl", "docker", "drbdadm", "export", "ganesha-rados-grace", "install", "k3s", "kk",
    "ksbuilder", "make", "nerdctl", "nfs-cp", "nfs-ls", "pcs", "pipx", "podman", "promtool", "rpm", "sudo", "systemctl",
    "xfs_growfs", "yum", "zcat",
}  # fmt: skip
"""What pages call beyond what Berth prints."""
OTHERS_GROUPS = ("monitoring.coreos.com", "helm.cattle.io", "kubekey.kubesphere.io")
"""API groups whose kinds Kubernetes itself does not define."""
PLACES = ("cluster", "server", "share")

each_page = pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
each_guide = pytest.mark.parametrize("path", sorted(GUIDES.glob("*.md")), ids=lambda path: path.name)


def typed(page: Page) -> Iterator[str]:
    """The commands of its console blocks."""
    for block in page.blocks:
        if block.is_console:
            yield from (command.text for command in block.commands())


def called(page: Page) -> Iterator[list[str]]:
    """The words of each simple command; sudo is left out."""
    for text in typed(page):
        for words in simple_commands(text):
            yield words[1:] if words[0] == "sudo" else words


@each_page
def test_a_shell_reads_what_is_typed(path: Path) -> None:
    assert unreadable(list(typed(read(path)))) == ""


@each_page
def test_programs_berth_and_kubectl_take_it(path: Path) -> None:
    wrong = []
    for words in called(read(path)):
        if words[0] == "berth" and words[1:] != ["…"]:
            why = berth_refusal(words[1:])
        elif words[0] == "kubectl":
            why = berth_refusal(words[2:]) if words[1] == "berth" else kubectl_refusal(words[1:])
        else:
            known = words[0] in PROGRAMS or words[0] in MORE_PROGRAMS or words[0].startswith(("dist/", "./", ".venv/"))
            why = "" if known else "no such program"
        if why:
            wrong.append((shlex.join(words), why))
    assert wrong == []


@each_page
def test_objects_are_valid(path: Path) -> None:
    for block in read(path).blocks:
        if block.kind == "yaml":
            for manifest in objects(block):
                kubernetes_validate.validate(manifest, LATEST, strict=True)


def objects(block: Block) -> list[dict[str, Any]]:
    """Those of Kubernetes itself; what is no object (values, a part of a file) is YAML at least."""
    found = [each for each in yaml.safe_load_all("\n".join(block.lines)) if isinstance(each, dict)]
    return [
        each
        for each in found
        if {"apiVersion", "kind"} <= each.keys() and not each["apiVersion"].startswith(OTHERS_GROUPS)
    ]


@each_guide
def test_marks_make_sense(path: Path) -> None:
    """A block that is not run says why; a file is named in the sentence in front of it."""
    page = read(path)
    for block in page.blocks:
        assert block.place in PLACES, block.begin
        assert block.is_console or not {"runs", "until", "not run"} & block.marks.keys(), block.begin
        assert not ("not run" in block.marks and {"runs", "until"} & block.marks.keys()), block.begin
        if "file" in block.marks:
            before = "\n".join(page.lines[max(block.begin - 6, 0) : block.begin])
            assert f"`{block.marks['file']}`" in before, block.begin


@each_page
def test_both_languages_type_the_same(path: Path) -> None:
    """A console block is the same commands in the same order; what comes back may be in the reader's language."""
    if path.name.endswith(CHINESE):
        english, chinese = read(path.with_name(path.name.replace(CHINESE, ".md"))), read(path)
        assert list(called(chinese)) == list(called(english))
        if path.parent == GUIDES:
            assert [block.marks for block in chinese.blocks] == [block.marks for block in english.blocks]
            assert list(map(written, chinese.blocks)) == list(map(written, english.blocks))


def written(block: Block) -> list[Any]:
    """What a block of YAML says, comments left out."""
    return list(yaml.safe_load_all("\n".join(block.lines))) if block.kind == "yaml" else []


@each_guide
def test_a_guide_is_there_in_both_languages(path: Path) -> None:
    name = path.name.removesuffix(CHINESE) if path.name.endswith(CHINESE) else path.name.removesuffix(".md")
    assert (GUIDES / f"{name}.md").is_file()
    assert (GUIDES / f"{name}{CHINESE}").is_file()


def test_there_are_guides_that_are_run() -> None:
    assert {path.name for path in guides()} >= {"kubernetes.md", "kubernetes.zh-CN.md"}
    assert DOCS / "install.md" in pages()
