"""The room that a node lives in: see room.sh for what it has of its own."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from pathlib import Path

from devcluster.controlplane import NODE_NAME, SERVICE_ADDRESS
from devcluster.errors import DevClusterError
from devcluster.process import Process

_SCRIPT = Path(__file__).with_name("room.sh")

# "$1": the pid of somebody in the room, "$2": the room's control group, further: a program. It becomes this process.
_ENTER = """\
pid=$1 group=$2
shift 2
while read -r _ place kind _; do
    case $kind in cgroup | cgroup2) echo $$ > "$place/$group/cgroup.procs" ;; esac
done < /proc/self/mounts
exec nsenter --target "$pid" --mount --net --uts --cgroup --root=/proc/$pid/root "$@"
"""


class Room:
    """Mounts, a network and control groups of one node. When its process ends, all in it is ended and gone."""

    def __init__(self, directory: Path, *, log: Path, detached: bool) -> None:
        """directory: where its /run, /var/lib and /var/log are on this machine."""
        self.directory = directory
        self.subnet = _free_subnet()
        """The first three numbers of its addresses."""
        self.group = f"berth-node-{secrets.token_hex(4)}"
        """The name of its control groups."""
        self.link = f"berth{secrets.token_hex(4)}"
        """This machine's network device to it."""
        settings = {
            "directory": str(directory),
            "group": self.group,
            "hostname": NODE_NAME,
            "subnet": self.subnet,
            "link": self.link,
            "service": SERVICE_ADDRESS,
        }
        # SIGTERM rather than SIGKILL when we die: the script has to clear away.
        die_with_us = [] if detached else ["setpriv", "--pdeathsig", "TERM", "--"]
        self.process = Process(
            "room",
            [*die_with_us, "bash", str(_SCRIPT)],
            log=log,
            env=settings,
            ready=lambda: bool(self._pid()),
            detached=detached,
            deadline=20,
        )

    @property
    def machine_address(self) -> str:
        """This machine's address, as the node and its pods see it."""
        return f"{self.subnet}.1"

    @property
    def node_address(self) -> str:
        return f"{self.subnet}.2"

    @property
    def network_namespace(self) -> Path:
        return Path(f"/proc/{self._pid()}/ns/net")

    def enter(self, argv: Sequence[str]) -> list[str]:
        """The command that runs argv in here, and whose process is argv's own. The room must stand."""
        return ["bash", "-c", _ENTER, "enter", self._pid(), self.group, *argv]

    def outside(self, path: str) -> Path:
        """Where something below the room's /run, /var/lib or /var/log is on this machine."""
        return self.directory / path.lstrip("/")

    def _pid(self) -> str:
        """Somebody who lives here as long as the room stands; empty before it is furnished."""
        try:
            return self.outside("/run/room.pid").read_text().strip()
        except FileNotFoundError:
            return ""


def _free_subnet() -> str:
    """The first three numbers of a network that this machine has no route to but its default one."""
    # 198.18.0.0/15 is for measuring network gear (RFC 2544): nobody's machines live there.
    taken = {line.split()[1] for line in Path("/proc/net/route").read_text().splitlines()[1:]}
    free = [
        (second, third)
        for second in (18, 19)
        for third in range(256)
        if f"00{third:02X}{second:02X}C6" not in taken  # the kernel tells addresses back to front
    ]
    if not free:
        raise DevClusterError("512 nodes have their networks on this machine already: 198.18.0.0/15 is full")
    second, third = random.SystemRandom().choice(free)
    return f"198.{second}.{third}"
