"""Sentences of ours are told as they are: only names have stand-ins."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import berth
from berth.doctor.redaction.stand_ins import StandIns
from berth.doctor.redaction.words import PROVISIONERS, known_words

SOURCE = Path(berth.__file__).parent
SAID = ("doctor", "findings", "kube", "objects", "shares", "texts", "volumes")
"""Folders whose sentences the doctor may say."""
TOO_MUCH = re.compile(r"[{\n]|such as|例如")
"""What something is put into, pages, and examples of names."""
ORDINARY = SOURCE / "doctor" / "redaction" / "words.txt"


def sentences() -> Iterator[str]:
    """Those that our code holds as texts in two languages, without what is put into them."""
    cli = SOURCE / "cli"
    commands = [*(cli / "doctor").glob("*.py"), *(cli / f"{name}.py" for name in ("explain", "diagnosis", "ending"))]
    for path in sorted([*commands, *(path for folder in SAID for path in (SOURCE / folder).rglob("*.py"))]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text":
                for each in node.args:
                    if (
                        isinstance(each, ast.Constant)
                        and isinstance(each.value, str)
                        and not TOO_MUCH.search(each.value)
                    ):
                        yield each.value


def test_sentences_of_our_code_have_no_stand_ins() -> None:
    changed = [(text, said) for text in sentences() if (said := StandIns().text(text)) != text]
    assert changed == [], f"add the word to {ORDINARY.name}"


@pytest.mark.parametrize(
    "text",
    [
        "mount.nfs: access denied by server while mounting",
        "mount: bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.nfs helper program.",
        "/var/lib/kubelet/pods", "/etc/exports.d/berth.exports", "/proc/self/mountinfo", "127.0.0.1", "::1",
        "kube-system",
        "vers=4.1,hard,timeo=600", "10Gi", "v1.28.4+k3s1", "6.1.0-18-amd64", "NFS4ERR_STALE", "ENOSPC", "2m30s",
        "volume.kubernetes.io/storage-provisioner", "storage.k8s.io/v1", "spec.nfs.path", "FailedMount",
        "controller.go:1004", "--feature-gates=RemoveSelfLink=false",
        *sorted(PROVISIONERS),
    ],
)  # fmt: skip
def test_what_everybody_has_stays(text: str) -> None:
    assert StandIns().text(text, is_foreign=True) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.1.2.3 and 10.1.2.3:2049, 10.1.2.4", "192.0.2.1 and 192.0.2.1:2049, 192.0.2.2"),
        ("fd00:a::7 [fd00:a::7]:/srv", "2001:db8::1 [2001:db8::1]:/dir-1"),
        ("nas.acme.cn:/srv/acme", "host-1.example:/dir-1/dir-2"),
        ("nas:/srv/acme, /srv", "host-1.example:/dir-1/dir-2, /dir-1"),
        ("https://k8s.acme.cn:6443/api", "https://host-1.example:6443/api"),
        ("nfs.shop7.svc.cluster.local", "service-1.namespace-1.svc.cluster.local"),
        ("pvc-0b1e7f6a-3c52-4d8e-9a41-5f0c6d2e8b97", "pvc-00000000-0000-4000-8000-000000000001"),
        ("/srv/客户/数据", "/dir-1/dir-2/dir-3"),
        ("acme.kubernetes.io/x and acme.storage.k8s.io", "host-1.example/x and host-2.example"),
        ("data.backup.io mysql.data.svc", "host-1.example service-1.namespace-1.svc"),
        ("acme_sync.go:12 --acme-token=t0p", "host-1.example:12 --name-1=name-2"),
        ("用户张三无权访问", "name-1"),
        ("acme-prod_Acme@acme", "user-1@host-1.example"),
        ("root@nas7 is nas7", "root@host-1.example is host-1.example"),
        ("/var/lib/kubelet/pods/0b1e7f6a-3c52-4d8e-9a41-5f0c6d2e8b97/volumes/kubernetes.io~nfs/acme",
         "/var/lib/kubelet/pods/00000000-0000-4000-8000-000000000001/volumes/kubernetes.io~nfs/dir-1"),
    ],
)  # fmt: skip
def test_a_stand_in_has_the_form_of_what_it_stands_for(text: str, told: str) -> None:
    assert StandIns().text(text, is_foreign=True) == told


def test_a_directory_is_called_as_its_claim_is() -> None:
    names = StandIns()
    names.learn("namespace", "shop7")
    names.learn("claim", "photos-9")
    path = "/srv/x/archived-shop7-photos-9-pvc-0b1e7f6a-3c52-4d8e-9a41-5f0c6d2e8b97"
    told = names.text(path)
    assert told == "/dir-1/dir-2/archived-namespace-1-claim-1-pvc-00000000-0000-4000-8000-000000000001"
    assert names.text(f"{path}.json") == f"{told}.json"


def test_what_stands_in_quotes_is_a_name_in_any_language() -> None:
    assert (
        StandIns().text("没有名为 '生产' 的 context（已知：'测试'）")
        == "没有名为 'name-1' 的 context（已知：'name-2'）"
    )


def test_no_stand_in_is_somebodys_real_name() -> None:
    names = StandIns()
    for raw in ("node-1", "node-2", "node-7"):
        names.learn("node", raw)
    said = [names.name("node", raw) for raw in ("node-1", "node-2", "node-7")]
    assert said == ["node-3", "node-4", "node-5"]


def test_the_list_has_words_only_and_each_once() -> None:
    listed = ORDINARY.read_text().split()
    assert listed == sorted(set(listed))
    assert len(known_words()) > 3000
