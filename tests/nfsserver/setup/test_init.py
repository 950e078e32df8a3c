"""What init decides: pure, so every kind of host can be tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from berth.nfsserver.errors import RequestRefused
from berth.nfsserver.exports.facts import FileSystem, HostFacts, PathFacts, stable_fsid
from berth.nfsserver.exports.parse import parse_exports
from berth.nfsserver.exports.spelling import ResolvedHost
from berth.nfsserver.exports.table import parse_table
from berth.nfsserver.exports.wanted import WantedExport
from berth.nfsserver.setup.init import plan_init
from berth.nfsserver.setup.machine import Machine
from berth.nfsserver.setup.packages import PACKAGES, Distribution, Family, detect
from berth.nfsserver.setup.plan import InitPlan, PrepareDirectory, WriteExports
from berth.nfsserver.setup.services import Init, Kernel

PATH = "/srv/nfs/k8s"
OWN = "/etc/exports.d/berth.exports"
DEBIAN = Distribution("Debian GNU/Linux 12 (bookworm)", "apt")
RUNNING = Machine(DEBIAN, (), "systemd", True, Kernel(True, 8, ("3", "4.2")))
NEW = PathFacts(PATH, PATH, "missing", mount=FileSystem("/", "ext4"))
MADE = replace(NEW, kind="directory", mode=0o755, uid=65534, gid=65534)
WANTED = WantedExport(PATH, ["10.0.0.0/8"])


def plan(
    wanted: WantedExport = WANTED,
    place: PathFacts = MADE,
    machine: Machine = RUNNING,
    files: dict[str, str] | None = None,
    live: str = "",
) -> InitPlan:
    hosts = {
        "node1": ResolvedHost("node1.lan", frozenset({"192.0.2.1"})),
        "nosuch": ResolvedHost("nosuch", frozenset()),
    }
    facts = HostFacts({PATH: place}, hosts, live=parse_table(live.encode()), machine_id="machine")
    return plan_init(wanted, machine, facts, [parse_exports(t.encode(), name) for name, t in (files or {}).items()])


def kinds(found: InitPlan) -> list[str]:
    return [step.kind for step in found.steps]


def clients(found: InitPlan) -> dict[str, str]:
    (step,) = [step for step in found.steps if isinstance(step, WriteExports)]
    return {client: ",".join(options) for client, options in step.clients}


def directory(found: InitPlan) -> tuple[int, int, int] | None:
    steps = [step for step in found.steps if isinstance(step, PrepareDirectory)]
    return (steps[0].mode, steps[0].uid, steps[0].gid) if steps else None


def notes(found: InitPlan) -> str:
    return "\n".join(note.en for note in found.notes)


def test_a_bare_host_takes_four_steps() -> None:
    bare = Machine(DEBIAN, ("nfs-kernel-server", "nfs-common"), "systemd", False, Kernel(True, 0, ()))
    found = plan(place=NEW, machine=bare)
    assert [command for step in found.steps for command in step.commands] == [
        "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update",
        "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "
        "nfs-kernel-server nfs-common",
        "mkdir -p /srv/nfs/k8s",
        "chown 65534:65534 /srv/nfs/k8s",
        "chmod 0755 /srv/nfs/k8s",
        "echo '/srv/nfs/k8s 10.0.0.0/8(rw,sync,no_subtree_check,root_squash)' >> /etc/exports.d/berth.exports",
        "exportfs -a",
        "systemctl enable --now nfs-server.service",
    ]
    assert all(step.reasons and step.as_dict()["commands"] for step in found.steps)


def test_the_second_plan_is_empty() -> None:
    line = f"{PATH} 10.0.0.0/8(rw,sync,no_subtree_check,root_squash)\n"
    assert plan(files={OWN: line}, live=line).is_empty


@pytest.mark.parametrize(
    ("file", "live"),
    [
        ("", f"{PATH} 10.0.0.0/8(rw)"),
        (f"{PATH} 10.0.0.0/8(rw)", ""),
        (f"{PATH} 10.0.0.0/8(rw)", f"{PATH} 10.0.0.0/8(ro)"),
        (f"{PATH} 10.0.0.0/8(rw,async)", f"{PATH} 10.0.0.0/8(rw,async)"),
        (f"{PATH} 10.0.0.0/8(oops)", f"{PATH} 10.0.0.0/8(rw)"),
    ],
)
def test_what_is_not_in_the_file_or_not_live_is_done_again(file: str, live: str) -> None:
    assert kinds(plan(files={OWN: file}, live=live)) == ["exports"]


def test_root_is_root_for_the_provisioner_only() -> None:
    found = plan(WantedExport(PATH, ["10.0.0.0/8", "10.0.0.9"], ["10.0.0.9"]), NEW)
    assert clients(found) == {
        "10.0.0.9": "rw,sync,no_subtree_check,no_root_squash",
        "10.0.0.0/8": "rw,sync,no_subtree_check,root_squash",
    }
    assert directory(found) == (0o755, 0, 0)
    assert "runAsUser" not in notes(found)


def test_without_addresses_of_the_provisioner_nobody_owns_the_directory() -> None:
    found = plan(place=NEW)
    assert directory(found) == (0o755, 65534, 65534)
    assert "uid 65534" in notes(found)
    assert "runAsUser" in notes(found)


def test_given_options_replace_the_defaults_that_they_contradict() -> None:
    found = plan(
        WantedExport(PATH, ["@g"], options=["async", "all_squash", "anonuid=1000", "anongid=1001", "insecure"]), NEW
    )
    assert clients(found) == {
        "@g": "rw,no_subtree_check,root_squash,async,all_squash,anonuid=1000,anongid=1001,insecure"
    }
    assert directory(found) == (0o755, 1000, 1001)


@pytest.mark.parametrize("kind", ["tmpfs", "overlay", "fuse.mergerfs"])
def test_fsid_where_the_file_system_needs_it(kind: str) -> None:
    found = plan(place=replace(MADE, mount=FileSystem("/srv", kind)))
    assert clients(found)["10.0.0.0/8"].endswith(f",fsid={stable_fsid('machine', PATH)}")
    own = plan(WantedExport(PATH, ["@g"], options=["fsid=7"]), replace(MADE, mount=FileSystem("/srv", kind)))
    assert clients(own)["@g"].count("fsid") == 1


def test_an_fsid_is_the_same_here_and_another_anywhere_else() -> None:
    assert stable_fsid("machine", PATH) == stable_fsid("machine", PATH)
    assert len({stable_fsid(machine, path) for machine in ("a", "b") for path in ("/a", "/b")}) == 4
    # All digits would be read as a number.
    assert "-" in stable_fsid("machine", PATH)


@pytest.mark.parametrize(
    ("place", "provisioner", "expected"),
    [
        pytest.param({}, (), None, id="fine as it is"),
        pytest.param({"uid": 0, "gid": 0}, ["10.0.0.9"], None, id="root's, for root"),
        pytest.param({"uid": 0, "gid": 0, "is_empty": False}, (), (0o755, 65534, 65534), id="root's, for nobody"),
        pytest.param({"mode": 0o777}, (), (0o755, 65534, 65534), id="0777 and empty"),
        pytest.param({"mode": 0o777, "uid": 0, "gid": 0}, (), (0o755, 65534, 65534), id="0777, empty, root's"),
        pytest.param({"mode": 0o777, "is_empty": False}, (), None, id="0777 and in use"),
        pytest.param({"mode": 0o1777, "uid": 0, "gid": 0}, (), None, id="sticky"),
        pytest.param({"mode": 0o700}, (), (0o711, 65534, 65534), id="closed"),
        pytest.param({"mode": 0o2775, "uid": 5, "gid": 65534, "is_empty": False}, (), None, id="the group may write"),
        pytest.param({"mode": 0o500}, (), (0o711, 65534, 65534), id="the owner may not write"),
    ],
)
def test_a_directory_that_is_there(
    place: dict[str, int], provisioner: list[str], expected: tuple[int, int, int] | None
) -> None:
    found = plan(WantedExport(PATH, ["10.0.0.0/8"], provisioner), replace(MADE, **place))  # type: ignore[arg-type]
    assert directory(found) == expected


def test_a_directory_in_use_is_not_closed_but_talked_about() -> None:
    assert "chmod o-w" in notes(plan(place=replace(MADE, mode=0o777, is_empty=False)))


def test_a_parent_in_the_way_is_talked_about() -> None:
    assert "`chmod o+x /home/me`" in notes(plan(place=replace(MADE, parent="/home/me", parent_mode=0o700)))


def test_clients_that_berth_exports_to_besides_are_kept() -> None:
    found = plan(files={OWN: f"{PATH} @others(ro)\n"})
    assert kinds(found) == ["exports"]
    assert "@others" in notes(found)


def test_the_order_that_counts_is_part_of_the_plan() -> None:
    line = (
        f"{PATH} 10.0.0.0/8(rw,sync,no_subtree_check,root_squash) "
        "10.1.0.0/16(rw,sync,no_subtree_check,no_root_squash)\n"
    )
    found = plan(
        WantedExport(PATH, ["10.0.0.0/8"], ["10.1.0.0/16"]), replace(MADE, uid=0, gid=0), files={OWN: line}, live=line
    )
    assert list(clients(found)) == ["10.1.0.0/16", "10.0.0.0/8"]


def test_what_another_file_exports_just_so_is_left_there() -> None:
    line = f"{PATH} 10.0.0.0/8(rw,root_squash)\n"
    assert plan(files={"/etc/exports": line}, live=line).is_empty


def test_what_another_file_exports_otherwise_is_refused() -> None:
    with pytest.raises(RequestRefused, match="/etc/exports line 2 exports it to node1 with other options"):
        plan(WantedExport(PATH, ["node1"]), files={"/etc/exports": f"# one\n{PATH} node1.lan(ro)\n"})


@pytest.mark.parametrize(
    ("wanted", "place", "said"),
    [
        (WantedExport("srv", ["@g"]), NEW, "absolute"),
        (WantedExport("/srv/../etc", ["@g"]), NEW, "absolute"),
        (WantedExport("//srv", ["@g"]), NEW, "absolute"),
        (WantedExport("/", ["@g"]), NEW, "system"),
        (WantedExport("/etc/nfs", ["@g"]), NEW, "system"),
        (WantedExport("/var", ["@g"]), NEW, "system"),
        (WantedExport("/srv/a b", ["@g"]), NEW, "blanks"),
        (WantedExport("/srv/hung", ["@g"]), NEW, "did not answer"),
        (WANTED, replace(MADE, kind="other"), "something else"),
        (WANTED, replace(MADE, real="/data/k8s"), "export /data/k8s instead"),
        (WANTED, replace(MADE, mount=FileSystem("/", "9p")), "9p, which NFS can't export"),
        (WantedExport(PATH, []), MADE, "name who may mount"),
        (WantedExport(PATH, ["10.0.0.*"]), MADE, "write 10.0.0.0/24"),
        (WantedExport(PATH, ["nosuch"]), MADE, "can't be resolved"),
        (WantedExport(PATH, ["@g"], ["*"]), MADE, "root of every host"),
        (WantedExport(PATH, ["@g"], options=["no_rootsquash"]), MADE, "did you mean 'no_root_squash'"),
        (WantedExport(PATH, ["@g"], options=["anonuid=me"]), MADE, "not a number"),
    ],
)
def test_what_can_not_be_had_is_refused(wanted: WantedExport, place: PathFacts, said: str) -> None:
    with pytest.raises(RequestRefused, match=said):
        plan(wanted, place)


def test_a_kernel_without_a_server_gets_no_service_and_is_told() -> None:
    found = plan(machine=replace(RUNNING, kernel=Kernel(False, 0, ()), is_enabled=False))
    assert "services" not in kinds(found)
    assert found.hindrance is not None
    assert "berth server manifest" in found.hindrance.en


def test_without_an_init_system_daemons_are_left_to_people() -> None:
    found = plan(machine=replace(RUNNING, init="none", is_enabled=False, kernel=Kernel(True, 0, ())))
    assert "services" not in kinds(found)
    assert found.hindrance is not None
    assert "rpc.mountd" in found.hindrance.en


def test_without_a_package_manager_packages_are_left_to_people() -> None:
    found = plan(machine=replace(RUNNING, distribution=Distribution("Linux", None)))
    assert "packages" not in kinds(found)
    assert "nfs-utils" in notes(found)


def test_ports_are_talked_about_unless_any_port_will_do() -> None:
    assert "port below 1024" in notes(plan())
    assert "port below 1024" not in notes(plan(WantedExport(PATH, ["@g"], options=["insecure"])))


def test_firewalls_are_talked_about() -> None:
    assert "firewalld is on" in notes(plan(machine=replace(RUNNING, firewalls=("firewalld",))))


@pytest.mark.parametrize(
    ("family", "init", "expected"),
    [
        ("dnf", "systemd", ["dnf install -y nfs-utils", "systemctl enable --now nfs-server.service"]),
        ("yum", "systemd", ["yum install -y nfs-utils", "systemctl enable --now nfs-server.service"]),
        (
            "zypper",
            "systemd",
            [
                "zypper --non-interactive install --no-recommends nfs-kernel-server nfs-client",
                "systemctl enable --now nfs-server.service",
            ],
        ),
        (
            "apk",
            "openrc",
            ["apk add --update-cache nfs-utils", "rc-update add nfs default", "rc-service --ifstopped nfs start"],
        ),
        (
            "apt",
            "sysv",
            [
                "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update",
                "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "
                "nfs-kernel-server nfs-common",
                "update-rc.d rpcbind defaults",
                "update-rc.d nfs-common defaults",
                "update-rc.d nfs-kernel-server defaults",
                "service rpcbind start",
                "service nfs-common start",
                "service nfs-kernel-server start",
            ],
        ),
    ],
)
def test_packages_and_services_per_distribution(family: Family, init: Init, expected: list[str]) -> None:
    machine = Machine(Distribution("Some Linux", family), PACKAGES[family], init, False, Kernel(True, 0, ()))
    steps = [step for step in plan(machine=machine).steps if step.kind in ("packages", "services")]
    assert [command for step in steps for command in step.commands] == expected


OS_RELEASES: list[tuple[str, set[str], Family | None]] = [
    ('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', {"apt-get"}, "apt"),
    ("ID=ubuntu\nID_LIKE=debian", {"apt-get", "snap"}, "apt"),
    ("ID=linuxmint\nID_LIKE='ubuntu debian'", {"apt-get"}, "apt"),
    ('ID="rocky"\nID_LIKE="rhel centos fedora"', {"dnf", "yum"}, "dnf"),
    ('ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"', {"yum"}, "yum"),
    ('ID="openEuler"', {"dnf", "yum"}, "dnf"),
    ('ID="kylin"', {"yum"}, "yum"),
    ('ID="opensuse-leap"\nID_LIKE="suse opensuse"', {"zypper"}, "zypper"),
    ('ID="sles"', {"zypper"}, "zypper"),
    ("ID=alpine", {"apk"}, "apk"),
    ("ID=somethingelse", {"apk"}, "apk"),
    ("ID=debian", {"dnf"}, "dnf"),
    ("ID=nixos\n# comment\nbroken 'line", set(), None),
    ("", set(), None),
]


@pytest.mark.parametrize(("text", "programs", "family"), OS_RELEASES)
def test_distributions(text: str, programs: set[str], family: Family | None) -> None:
    assert detect(text, programs.__contains__).family == family


def test_the_name_of_a_distribution_is_what_people_read() -> None:
    assert detect('NAME="X"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', lambda _: False).name == DEBIAN.name
