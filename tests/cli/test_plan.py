"""What a claim would get is told from its file alone, in the words of the refusal that the controller would write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from berth.cli.main import cli

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: demo4nfs, namespace: ddddd}
spec:
  storageClassName: nfs
  accessModes: [ReadWriteMany]
  resources: {requests: {storage: 10Gi}}
"""
CLASS = """\
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: nfs}
provisioner: nfs.berth.io
parameters: {server: 10.0.0.5, share: /srv/nfs, onDelete: archive, directoryMode: "0770", uid: "1000"}
mountOptions: [hard, nfsvers=4.1]
"""


def plan(*arguments: str, written: str = "", **settings: str) -> Result:
    nothing = dict.fromkeys(("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "NFS_SERVER", "NFS_PATH", "LC_MESSAGES", "LANG"))
    environment = {**nothing, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **settings}
    return CliRunner().invoke(cli, ["plan", *arguments], input=written, env=environment)


def test_what_it_gets_is_said_without_a_cluster(tmp_path: Path) -> None:
    files = [tmp_path / "claim.yaml", tmp_path / "class.yaml"]
    for path, text in zip(files, (CLAIM, CLASS), strict=True):
        path.write_text(text)
    done = plan("-f", str(files[0]), "-f", str(files[1]))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "claim ddddd/demo4nfs of class nfs would get a directory",
        "  share: 10.0.0.5:/srv/nfs",
        "  path: ddddd-demo4nfs-pvc-UID (UID: what the cluster calls the claim when it is filed)",
        "  mode: 0770, owner 1000:the server's choice",
        "  size: 10Gi, written down; NFS enforces none",
        "  when the claim is deleted: the directory is archived",
        "  mount options: hard,nfsvers=4.1",
    ]
    (told,) = json.loads(plan("-f", "-", "-o", "json", written=f"{CLAIM}---\n{CLASS}").stdout)["claims"]
    assert (told["share"], told["path"], told["onDelete"]) == ("10.0.0.5:/srv/nfs", "ddddd-demo4nfs-pvc-UID", "archive")
    assert (told["mode"], told["size"], told["isServed"]) == ("0770", "10Gi", True)


@pytest.mark.parametrize(
    ("before", "after", "en", "zh"),
    [
        ("onDelete: archive", "onDelet: archive", "did you mean onDelete?", "你是想用 onDelete 吗？"),
        ("server: 10.0.0.5, share: /srv/nfs, ", "", "names no NFS server", "没有指定 NFS 服务器"),
        ("storageClassName: nfs", 'storageClassName: ""', "asks for no class at all", "不要任何 StorageClass"),
        ("storageClassName: nfs", "volumeMode: Block\n  storageClassName: nfs", "not possible on NFS", "NFS 不支持"),
        ("[ReadWriteMany]", "[ReadWriteMeny]", "'ReadWriteMeny' is not one of ReadWriteMany", "不是 ReadWriteMany"),
        ("storage: 10Gi", "storage: -1Gi", "must be more than nothing", "必须大于零"),
        ("storage: 10Gi", "storage: 0", "must be more than nothing", "必须大于零"),
        ("[ReadWriteMany]", "[]", "name at least one", "请至少写一个"),
        ("[ReadWriteMany]", "[ReadWriteMany, ReadWriteOncePod]", "never beside another one", "只能单独使用"),
        ("onDelete: archive", 'pathPattern: "${.PVC.labels.app}"', "needs the label 'app'", "需要标签 'app'"),
        ("storage: 10Gi", "storage: much", "'much' is not a quantity", "不是容量"),
    ],
)
def test_a_refusal_is_said_as_the_controller_says_it(before: str, after: str, en: str, zh: str) -> None:
    written = f"{CLAIM}---\n{CLASS}".replace(before, after)
    done = plan("-f", "-", written=written)
    assert done.exit_code == 2
    assert done.stdout.startswith("claim ddddd/demo4nfs would be refused: ")
    assert en in done.stdout
    assert zh in plan("-f", "-", "--lang", "zh", written=written).stdout
    (told,) = json.loads(plan("-f", "-", "-o", "json", written=written).stdout)["claims"]
    assert not told["isServed"]
    assert en in told["refusal"]["why"]["en"]
    assert zh in told["refusal"]["why"]["zh"]


def test_a_policy_that_retains_keeps_the_directory() -> None:
    assert "the directory is kept" in plan("-f", "-", written=f"{CLAIM}---\n{CLASS}reclaimPolicy: Retain\n").stdout


def test_the_default_class_is_taken_where_the_claim_names_none() -> None:
    default = CLASS.replace(
        "{name: nfs}", '{name: nfs, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}'
    )
    claim = CLAIM.replace("  storageClassName: nfs\n", "")
    assert "of class nfs would get" in plan("-f", "-", written=f"{claim}---\n{default}").stdout


def test_the_share_of_classes_that_name_none_is_the_controllers() -> None:
    bare = CLASS.replace("server: 10.0.0.5, share: /srv/nfs, ", "")
    written = f"{CLAIM}---\n{bare}"
    assert "share: nas:/srv" in plan("-f", "-", written=written, NFS_SERVER="nas", NFS_PATH="/srv").stdout
    assert "share: nas:/x" in plan("-f", "-", "--server", "nas", "--path", "/x/", written=written).stdout


@pytest.mark.parametrize(
    ("written", "code", "says"),
    [
        (CLASS, 64, "there is no PersistentVolumeClaim in it"),
        ("a: [", 64, "is not YAML"),
        ("just text", 64, "is not an object of Kubernetes"),
        (CLAIM.replace("{requests: {storage: 10Gi}}", "much"), 64, "PersistentVolumeClaim 'demo4nfs': Expected"),
        (CLAIM, 3, "needs a class that no file has, and no cluster could be asked"),
    ],
)
def test_what_can_not_be_judged_is_one_sentence(written: str, code: int, says: str) -> None:
    done = plan("-f", "-", written=written)
    assert (done.exit_code, done.stdout) == (code, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert json.loads(plan("-f", "-", "-o", "json", written=written).stdout)["exitCode"] == code


def test_a_name_that_kubernetes_takes_for_no_object_is_refused() -> None:
    said = plan("-f", "-", written=f"{CLAIM}---\n{CLASS}".replace("demo4nfs", "Demo_4"))
    assert said.exit_code == 2
    assert "metadata.name: 'Demo_4' is not a name of small letters" in said.stdout


def test_a_size_may_be_written_as_a_number() -> None:
    done = plan("-f", "-", written=f"{CLAIM}---\n{CLASS}".replace("10Gi", "1073741824"))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "size: 1073741824," in done.stdout
