"""explain: whose names a finding tells, how often it was seen, and what any form of text comes to."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from berth.doctor.explain import Explainer, Explanation
from berth.doctor.sift import BLOCK, sift
from berth.findings.finding import Finding, Subject
from berth.findings.versions import Version

ARTICLE = Path(__file__).parent / "transcripts" / "control-plane.txt"
SELFLINK = (
    'E0622 09:53:33.464213       1 controller.go:1004] provision "{}" class "nfs": '
    "unexpected error getting claim reference: selfLink was empty, can't make reference\n"
)
DENIED = "mount.nfs: access denied by server while mounting 10.0.0.1:/export"
NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
MOUNT = (
    '  Warning  FailedMount  6s (x3 over 4m)  kubelet, node1  MountVolume.SetUp failed for volume "nfs" : '
    "mount failed: exit status 32\nMounting command: mount\n"
    "Mounting arguments: -t nfs -o vers=4.1 10.0.0.1:/export /var/lib/kubelet/pods/1/volumes/kubernetes.io~nfs/nfs\n"
    "Output: mount.nfs: Connection timed out\n"
)


def explain(text: str, version: Version | None = None) -> Explanation:
    explainer = Explainer(version)
    explainer.read(io.BytesIO(text.encode()))
    return explainer.explain()


def only(text: str) -> Finding:
    (finding,) = explain(text).report.findings
    return finding


def test_the_article_s_log_names_its_claim_its_deployment_and_the_cure() -> None:
    found = only(ARTICLE.read_text().split("@@ ")[1])
    assert found.id == "selflink-empty"
    assert found.about == (Subject("claim", "ddddd/demo4nfs"), Subject("class", "managed-nfs-storage"))
    assert found.seen.zh.startswith("PVC ddddd/demo4nfs 一直 Pending")
    assert found.count == 3
    assert found.commands[0] == "berth takeover plan"
    assert found.commands[1].startswith("kubectl -n default set image deployment/nfs-client-provisioner '*=")


@pytest.mark.parametrize(("minor", "says"), [(20, "stop-gap"), (23, "stop-gap"), (24, "Do NOT"), (36, "Do NOT")])
def test_the_cure_is_that_of_the_version_given(minor: int, says: str) -> None:
    (found,) = explain(SELFLINK.format("a/b"), Version(1, minor)).report.findings
    assert says in found.do.en


@pytest.mark.parametrize(
    "line",
    [
        'Server Version: version.Info{Major:"1", Minor:"25", GitVersion:"v1.25.3"}',
        "Server Version: v1.25.3",
        '{"gitVersion": "v1.25.3"}',
        'I0101 10:00:00.000000 1 server.go:420] "Kubelet version" kubeletVersion="v1.25.3+k3s1"',
    ],
)
def test_the_version_is_taken_from_the_text(line: str) -> None:
    explanation = explain(f"{SELFLINK.format('a/b')}{line}\n")
    assert explanation.version == Version(1, 25)
    assert not explanation.needs_version
    assert "Do NOT" in explanation.report.findings[0].do.en


def test_the_version_given_wins_over_the_text_s() -> None:
    assert explain("Server Version: v1.25.3\n", Version(1, 21)).version == Version(1, 21)


def test_it_is_said_when_a_cure_hangs_on_a_version_that_nobody_knows() -> None:
    assert explain(SELFLINK.format("a/b")).needs_version
    assert not explain(MOUNT).needs_version


def test_the_names_of_a_mount_stand_in_the_lines_before_its_error() -> None:
    found = only(MOUNT)
    assert found.id == "mount-timed-out"
    assert found.seen.en == "node node1 gets no answer from 10.0.0.1"
    assert found.about == (Subject("node", "node1"), Subject("share", "10.0.0.1:/export"))


def test_names_of_far_away_lines_are_not_taken() -> None:
    found = only(
        "Mounting arguments: -t nfs 10.9.9.9:/x /mnt\n" + "nothing\n" * 20 + "Output: mount.nfs: Connection timed out\n"
    )
    assert found.about == ()


def test_every_claim_is_named_and_every_message_counted() -> None:
    found = only("".join(SELFLINK.format(f"ns/claim{number}") for number in range(3)) + SELFLINK.format("ns/claim0"))
    assert found.count == 4
    assert {subject.name for subject in found.about if subject.kind == "claim"} == {
        f"ns/claim{number}" for number in range(3)
    }


def test_every_share_is_named() -> None:
    found = only("".join(f"mount.nfs: access denied by server while mounting 10.0.0.{n}:/x\n" for n in (1, 2, 1)))
    assert [subject.name for subject in found.about] == ["10.0.0.1:/x", "10.0.0.2:/x"]
    assert found.count == 3


def test_a_directory_in_a_message_is_told_and_is_no_object_of_its_own() -> None:
    found = only("exportfs: Failed to stat /srv/nothing: No such file or directory\n")
    assert "/srv/nothing" in str(found.seen.en)
    assert found.about == ()


def test_very_many_claims_are_all_counted_and_some_named() -> None:
    found = only("".join(SELFLINK.format(f"ns/claim{number}") for number in range(1500)))
    assert found.count == 1500
    assert len(found.about) == 20


def test_a_message_that_repeats_counts_as_often_as_it_says() -> None:
    line = f"  Normal  FailedBinding  30s (x42 over 10m)  persistentvolume-controller  {NO_CLASS}\n"
    assert only(line).count == 42


def test_the_object_that_kubectl_describes_is_named() -> None:
    text = "Name:          demo4nfs\nNamespace:     ddddd\nStorageClass:  \nStatus:        Pending\n" + "Labels:\n" * 30
    event = f"  Normal  FailedBinding  3s  persistentvolume-controller  {NO_CLASS}\n"
    assert only(text + event).about == (Subject("claim", "ddddd/demo4nfs"),)


def test_the_last_object_described_is_the_one() -> None:
    pods = "".join(
        f"Name:         {name}\nNamespace:    web\nNode:         node1/10.0.0.5\n" for name in ("one", "two")
    )
    assert only(pods + MOUNT).about[0] == Subject("pod", "web/two")


def event(kind: str, name: str, message: str, count: int = 1) -> dict[str, object]:
    about = {"kind": kind, "name": name, "namespace": "ddddd"}
    return {
        "kind": "Event",
        "type": "Warning",
        "reason": "x",
        "involvedObject": about,
        "message": message,
        "count": count,
    }


@pytest.mark.parametrize("dump", [yaml.safe_dump, lambda content: json.dumps(content, indent=4)], ids=["yaml", "json"])
def test_events_as_documents_are_read_whole(dump: object) -> None:
    assert callable(dump)
    events = [
        event("Pod", "web-1", MOUNT.strip(), 7),
        event("PersistentVolumeClaim", "demo4nfs", 'storageclass.storage.k8s.io "nsf" not found'),
    ]
    text = dump({"apiVersion": "v1", "items": events, "kind": "List"})
    found = {finding.id: finding for finding in explain(text).report.findings}
    assert found.keys() == {"mount-timed-out", "class-not-found"}
    assert Subject("pod", "ddddd/web-1") in found["mount-timed-out"].about
    assert found["class-not-found"].about[0] == Subject("claim", "ddddd/demo4nfs")


def test_what_a_pod_s_status_says_is_read_with_its_name() -> None:
    status = {"containerStatuses": [{"state": {"waiting": {"message": DENIED, "reason": "x"}}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "a"}, "status": status}
    assert Subject("pod", "a/web") in only(yaml.safe_dump(pod)).about


def test_any_other_document_is_read_as_its_texts() -> None:
    assert only(json.dumps({"problem": {"detail": ["x", DENIED]}}, indent=2)).id == "mount-access-denied"


def test_a_document_that_is_broken_is_read_line_by_line() -> None:
    assert only(f"apiVersion: v1\n  - {{{DENIED}\n").id == "mount-access-denied"


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"level": "error", "msg": f"mount failed\nOutput: {DENIED}\n"}),
        json.dumps({"log": f"{DENIED}\n", "stream": "stderr"}),
        json.dumps({"outer": {"error": [DENIED]}}),
        f'E0101 controller.go:1] "failed" err="exit status 32\\nOutput: {DENIED}\\n"',
        f"\x1b[31m{DENIED}\x1b[0m",
        f"2026-01-01T10:00:00.000000000Z stderr F {DENIED}",
        f"{DENIED}\r",
    ],
    ids=["json", "docker", "nested", "klog", "coloured", "cri", "windows"],
)
def test_any_form_of_a_line_will_do(line: str) -> None:
    assert only(line).about == (Subject("share", "10.0.0.1:/export"),)


def test_an_echo_is_left_out_beside_its_cause() -> None:
    statd = "mount.nfs: rpc.statd is not running but is required for remote locking.\n"
    option = "mount.nfs: an incorrect mount option was specified\n"
    assert only(option).id == "mount-option-wrong"
    assert only(statd + option).id == "statd-missing"


EVENT = "ddddd  3s  Normal  {reason}  persistentvolumeclaim/{claim}  {message}\n"
WAITS = 'waiting for a volume to be created, either by external provisioner "nfs/x" or manually created by somebody'


def waits(claim: str) -> str:
    return EVENT.format(reason="ExternalProvisioning", claim=claim, message=WAITS)


def succeeds(claim: str) -> str:
    return EVENT.format(reason="ProvisioningSucceeded", claim=claim, message="Successfully provisioned volume pvc-1")


def test_what_came_to_a_good_end_is_no_finding() -> None:
    assert only(waits("a")).id == "claim-waits-for-provisioner"
    assert explain(waits("a") + succeeds("a")).report.findings == ()


def test_a_good_end_of_one_claim_does_not_hide_another() -> None:
    found = only(waits("a") + waits("b") + succeeds("a"))
    assert [subject.name for subject in found.about if subject.kind == "claim"] == ["ddddd/b"]
    assert found.seen.en == "claim ddddd/b waits for the provisioner nfs/x"
    assert found.count == 1
    assert "persistentvolumeclaim/b" in found.evidence[0]


def test_the_controller_manager_s_own_log_of_ordinary_events_is_no_finding() -> None:
    line = f'I1124 event.go:291] "Event occurred" object="ddddd/a" kind="PersistentVolumeClaim" message="{WAITS}"\n'
    assert explain(line).report.findings == ()


def test_the_worst_comes_first() -> None:
    text = f"{DENIED}\n{SELFLINK.format('a/b')}umount.nfs4: /mnt/a: device is busy\n"
    ids = [finding.id for finding in explain(text).report.findings]
    assert ids == ["selflink-empty", "mount-access-denied", "unmount-busy"]


def test_a_name_out_of_a_log_stays_one_word_of_the_command() -> None:
    found = only("mount.nfs: access denied by server while mounting 10.0.0.1;reboot:/x\n")
    assert found.commands[0] == "showmount -e '10.0.0.1;reboot'"


def test_addresses_of_ipv6_stay_whole() -> None:
    found = only("mount.nfs: access denied by server while mounting [fd00::1]:/export\n")
    assert found.about == (Subject("share", "[fd00::1]:/export"),)
    assert found.commands[0] == "showmount -e fd00::1"
    hung = only("Mounting arguments: -t nfs [fd00::1]:/export /mnt\nOutput: mount.nfs: Connection timed out\n")
    assert hung.about == (Subject("share", "[fd00::1]:/export"),)


def test_bytes_that_are_no_text_do_no_harm() -> None:
    explainer = Explainer()
    explainer.read(io.BytesIO(b"\xff\xfe\x00" + DENIED.encode() + b" \xff\n" + bytes(range(256))))
    assert [finding.id for finding in explainer.explain().report.findings] == ["mount-access-denied"]


class Trickle(io.RawIOBase):
    """A stream that gives what it has in pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read(self, _size: int = -1) -> bytes:
        return next(self._pieces, b"")


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_line_is_found_wherever_the_stream_is_cut(cut: int) -> None:
    text = b"one\nthe needle here\nthree\n"
    (hit,) = sift(Trickle([text[:cut], text[cut:]]), ["needle"])  # type: ignore[arg-type] # read is all that it takes
    assert hit.line == "the needle here"
    assert list(hit.before(5)) == ["one"]


def test_a_block_s_border_hides_neither_a_line_nor_those_before_it() -> None:
    filler = b"x" * 99 + b"\n"
    for shift in range(0, 60, 7):
        text = filler * (BLOCK // 100) + b"y" * shift + b"\nclue\nthe needle here\n" + filler * 3
        (hit,) = sift(io.BytesIO(text), ["needle"])
        assert hit.line == "the needle here"
        assert hit.before(1) == ["clue"]


def test_a_line_without_end_is_cut_and_still_read() -> None:
    (hit,) = sift(io.BytesIO(b"z" * 3 * BLOCK + b"needle" + b"z" * 100), ["needle"])
    assert "needle" in hit.line
    assert len(hit.line) < BLOCK


READ_ONLY = "mkdir: cannot create directory '/data/a': Read-only file system\n"


def asked(text: str) -> list[str]:
    return [question.if_so.id for question in explain(text).report.questions]


@pytest.mark.parametrize(
    "listed",
    [
        "10.0.0.9:/export on /data type nfs4 (rw,relatime)",
        "nas:/export /data nfs defaults,vers=4.1 0 0",
        "[fd00::9]:/export\t/data\tnfs4\trw 0 0",
        "/data  nas.example.com:/export nfs4 rw,relatime",
        "10.0.0.9:/export  146G  5.3G  140G   4% /data",
        "Mounting arguments: -t nfs -o vers=4.1 10.0.0.9:/export /data",
    ],
    ids=["mount", "fstab", "proc", "findmnt", "df", "kubelet"],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_path_below_a_mount_that_the_text_lists_is_on_nfs(listed: str, is_first: bool) -> None:
    far = "nothing\n" * 50
    assert (
        only(f"{listed}\n{far}{READ_ONLY}" if is_first else f"{READ_ONLY}{far}{listed}\n").id == "provision-read-only"
    )
    assert asked(f"{listed}\n{far}{READ_ONLY.replace('/data/', '/database/')}") == ["provision-read-only"]


def test_another_record_beside_a_message_says_nothing_about_it() -> None:
    mounted = 'I1120 12:00:01 1 x.go:1] MountVolume.SetUp succeeded for volume "a" -t nfs x\n'
    assert asked(f"{mounted}2026-11-20 12:00:01 ERROR No space left on device\n{mounted}") == ["share-full"]


@pytest.mark.parametrize(
    "line",
    [
        "Mounting arguments: -t cifs -o x //10.0.0.9/share /mnt\nOutput: mount: /mnt: bad option; for several "
        "filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program.",
        "rpc error from smb.csi.k8s.io: failed to make subdirectory: mkdir /x: permission denied",
        'waiting for a volume to be created, either by external provisioner "ebs.csi.aws.com" or manually',
        "mkdir /var/lib/containerd/nfs/a: no space left on device",
    ],
)
def test_what_speaks_of_another_driver_or_of_images_is_neither_told_nor_asked(line: str) -> None:
    report = explain(f"{line}\n").report
    assert (report.findings, report.questions) == ((), ())


def test_a_record_is_whole_at_the_border_of_a_block() -> None:
    filler = "x" * 99 + "\n"
    for shift in range(0, 4000, 300):
        text = (
            filler * (BLOCK // 100 - shift // 100)
            + "2026-11-20 12:00:01 umount: /mnt/a: target is busy.\n  mount.nfs4 says so\n"
            + filler * 99
        )
        assert only(text).id == "unmount-busy"


def test_many_messages_of_any_program_are_one_question() -> None:
    text = "".join(f"2026-11-20 ERROR /data/{number}: No space left on device\n" for number in range(3000))
    (question,) = explain(text).report.questions
    assert question.if_so.count == 3000


WHY = 'storageclass.storage.k8s.io "nsf" not found'
MOUNTS = 'MountVolume.SetUp failed for volume "pv" : mount failed: exit status 32 -t nfs 10.0.0.1:/x /mnt'


@pytest.mark.parametrize(
    ("row", "about"),
    [
        (f"5m12s       Warning   ProvisioningFailed   persistentvolumeclaim/demo   {WHY}", ()),
        (f"3s (x4 over 5m)   Warning   ProvisioningFailed   persistentvolumeclaim/demo   {WHY}", ()),
        (f"ddddd   5m12s   Warning   ProvisioningFailed   persistentvolumeclaim/demo   {WHY}", ("ddddd/demo",)),
        (f"5m   5m12s   Warning   ProvisioningFailed   persistentvolumeclaim/demo   {WHY}", ()),
        (f"a   <unknown>   Warning   ProvisioningFailed   persistentvolumeclaim/demo  {WHY}", ("a/demo",)),
        (f"a   9s (x4 over 5m)   Warning   ProvisioningFailed   persistentvolumeclaim/demo  {WHY}", ("a/demo",)),
        (
            f"a   9s   Warning   ProvisioningFailed   persistentvolumeclaim/demo     volume-controller   {WHY}   "
            "9s   1   demo.17a3f4e5d6c7b8a9",
            ("a/demo",),
        ),
        (
            f"9s   Warning   ProvisioningFailed   persistentvolumeclaim/demo     volume-controller   {WHY}   "
            "9s   1   demo.17a3f4e5d6c7b8a9",
            (),
        ),
        (f"ddddd   PersistentVolumeClaim   demo   ProvisioningFailed   {WHY}", ("ddddd/demo",)),
        (f"ddddd   9s   PersistentVolumeClaim   demo   {WHY}", ("ddddd/demo",)),
        (
            f"3m   5m   12   demo.15a3f4e5d6c7b8a9   PersistentVolumeClaim      Warning   Failed   x   {WHY}",
            (),
        ),
        (f"5m 12s   Warning   ProvisioningFailed   persistentvolumeclaim/demo   {WHY}", ()),
        (f"ddddd   demo   ProvisioningFailed   {WHY}", ("ddddd/demo",)),
        (f"ddddd   ProvisioningFailed   demo   {WHY}", ("ddddd/demo",)),
        (f"ddddd   9s   Warning   ProvisioningFailed   demo   {WHY}", ("ddddd/demo",)),
        (f"2026-11-27T10:00:00Z   ddddd   PersistentVolumeClaim   demo   {WHY}", ("ddddd/demo",)),
        (f"9s   ddddd   demo   ProvisioningFailed   {WHY}", ("ddddd/demo",)),
        (f"ddddd   persistentvolumeclaim/demo   ProvisioningFailed   {WHY}", ("ddddd/demo",)),
        (f"9s   demo   ProvisioningFailed   {WHY}", ()),
        (f"9s   Warning   ProvisioningFailed   demo   {WHY}", ()),
    ],
    ids=[
        "default",
        "repeated",
        "all",
        "first and last seen",
        "unknown",
        "all repeated",
        "wide all",
        "wide",
        "custom",
        "custom age",
        "old",
        "age in two words",
        "custom, no kind",
        "custom, no kind, reason first",
        "custom, no kind, age",
        "custom, time first",
        "custom, no kind, age first",
        "custom, kind/name",
        "custom, no namespace",
        "custom, no namespace nor kind",
    ],
)
def test_each_form_of_an_event_names_its_object_and_no_age_is_a_namespace(row: str, about: tuple[str, ...]) -> None:
    found = only(f"{row}\n")
    assert found.id == "class-not-found"
    assert tuple(each.name for each in found.about if each.kind == "claim") == about


@pytest.mark.parametrize(
    "line",
    [
        "Nov 20 12:00:01 node1 kubelet[911]: {}",
        "2026-11-20T12:00:01+0000 node1 kubelet[911]: {}",
        "2026-11-20T12:00:01.123456+08:00 node1 mount[911]: {}",
        "    _HOSTNAME=node1\n    MESSAGE={}",
    ],
    ids=["short", "short-iso", "precise", "verbose"],
)
def test_journalctl_names_the_node(line: str) -> None:
    found = only(line.format(DENIED) + "\n")
    assert found.about == (Subject("node", "node1"), Subject("share", "10.0.0.1:/export"))


@pytest.mark.parametrize("spaces", [True, False])
@pytest.mark.parametrize(
    "message", [DENIED, [*DENIED.encode()], [*f"\x1b[31m{DENIED}\n".encode()]], ids=["text", "bytes", "escape"]
)
def test_journalctl_as_json(message: object, spaces: bool) -> None:
    record = {"_HOSTNAME": "node1", "MESSAGE": message, "_COMM": "kubelet", "__REALTIME_TIMESTAMP": "1"}
    found = only(json.dumps(record, separators=(" : ", ", ")[::-1] if spaces else (",", ":")) + "\n")
    assert found.about == (Subject("node", "node1"), Subject("share", "10.0.0.1:/export"))


HELPER = "bad option; for several filesystems (e.g. nfs, cifs) you might need a /sbin/mount.<type> helper program."
CLAIM = 'persistentvolumeclaim "data" not found'


@pytest.mark.parametrize("text", [HELPER, CLAIM, MOUNTS], ids=["brackets", "quotes", "volume"])
@pytest.mark.parametrize(
    "form",
    [
        lambda text: text,
        lambda text: (
            json.dumps({"log": f"{text}\n", "stream": "stderr"}).replace("<", "\\u003c").replace(">", "\\u003e")
        ),
        lambda text: f'time="2026-11-20T12:00:01Z" level=error msg={json.dumps(text)}',
        lambda text: json.dumps({"level": "error", "ts": 1.5, "caller": "a.go:1", "msg": "failed", "error": text}),
        lambda text: json.dumps({"msg": text, "time": "x"}).replace('"', "\\u0022", 0),
        lambda text: f"2026-11-20T12:00:01.000000001Z stderr F {text}",
        lambda text: f'E1120 12:00:01.000000       1 x.go:1] "failed" err={json.dumps(text)}',
        lambda text: f"Nov 20 12:00:01 node1 app[7]: {json.dumps({'error': text})}",
    ],
    ids=["plain", "docker", "logrus", "zap", "logrus json", "cri", "klog", "json in syslog"],
)
def test_a_message_is_known_in_whatever_it_is_wrapped(text: str, form: object) -> None:
    assert callable(form)
    report = explain(form(text) + "\n").report
    assert [each.id for each in report.findings], form(text)


def test_a_pv_of_the_same_text_says_that_its_messages_are_about_nfs() -> None:
    pv = {"kind": "PersistentVolume", "apiVersion": "v1", "metadata": {"name": "data"}}
    full = event(
        "Pod",
        "web",
        'MountVolume.SetUp failed for volume "data" : applyFSGroup failed for vol x: chown: permission denied',
    )
    nfs = {**pv, "spec": {"nfs": {"server": "10.0.0.9", "path": "/x"}}}
    assert asked(yaml.safe_dump({"apiVersion": "v1", "items": [pv, full]})) == ["volume-permission"]
    assert only(yaml.safe_dump({"apiVersion": "v1", "items": [full, nfs]})).id == "volume-permission"
