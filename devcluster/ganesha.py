"""A real NFS server (NFS-Ganesha, v3 and v4) that disturbs nothing on the machine.

Each server has an address of its own, a loopback one unless it is told another, with the standard ports there: 2049,
and a portmapper on 111, so that a PV with nothing but `server` and `path` works as it would anywhere. Where the machine
itself holds these ports on every address (its own rpcbind or nfsd runs), free ones are used, and clients need
`mount_options`.

Two processes: rpcbind, in its own mount and network namespaces, with a private /run (so Ganesha registers with it, and
the machine's rpcbind, if any, hears nothing) and sockets that we opened for it outside; Ganesha, in rpcbind's mount
namespace.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from devcluster import configuration, directories, ports
from devcluster.configuration import Export, Squash
from devcluster.errors import DevClusterError, ProcessFailed
from devcluster.process import Process

__all__ = ["Export", "GaneshaServer", "Squash"]

# "$1": the server's address; further arguments: rpcbind's sockets, handed over as systemd does (from 3 on, LISTEN_PID
# its own pid). It answers with addresses of interfaces that it sees, so the server's must be one of them. It changes to
# a user of its own, and thereby forgets to die with us: that is left to this script.
_RPCBIND = """\
set -e
mount -t tmpfs tmpfs /run
ip link set lo up
ip addr del 127.0.0.1/8 dev lo
ip addr add "$1/8" dev lo
shift
trap 'kill $!' TERM
(
    if [ $# = 2 ]; then
        exec 3<&"$1" 4<&"$2"
        export LISTEN_FDS=2 LISTEN_PID=$BASHPID
    fi
    exec rpcbind -f -w
) &
wait || wait
"""


class GaneshaServer:
    """One NFS server with any number of exports; use it with `with`, or start and close it.

    `stop`, `kill`, `pause` and friends are about the NFS server itself: its address and what is on it stay for the next
    start. `close` ends it for good and removes its directory, when it made that itself.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        exports: Sequence[Export] = (Export(),),
        host: str = "",
        detached: bool = False,
    ) -> None:
        """directory: where configuration, logs and exported directories go; default: a temporary one.

        host: an address of this machine that nothing else serves at; default: a loopback address of its own.
        detached: the processes outlive us.
        """
        if not exports:
            raise DevClusterError("an NFS server without exports has nothing to serve")
        self._owns_directory = directory is None
        self.directory = directory or directories.make("nfs")
        self.exports = tuple(exports)
        self.host = host or ports.free_loopback_address()
        """The server's address; its own, so several servers run side by side."""
        self.port, self.mountport = _choose_ports(self.host)
        self.has_portmapper = False
        """True when port 111 of the address tells clients the other ports, as on any NFS server."""
        self.log = self.directory / "log" / "nfs-ganesha.log"
        self._detached = detached
        self._rpcbind: Process | None = None
        self._ganesha: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def export(self) -> str:
        """The first export's path, as clients mount it."""
        return self.exports[0].path

    @property
    def root(self) -> Path:
        """The directory behind the first export."""
        return self.directory_of(self.export)

    def directory_of(self, export: str) -> Path:
        """The directory behind an export."""
        if export not in {known.path for known in self.exports}:
            raise DevClusterError(f"the NFS server at {self.host} does not export {export!r}")
        return self.directory / "share" / (export.strip("/").replace("/", "-") or "root")

    def mount_options(self, version: str = "") -> list[str]:
        """What a client or a class's `mountOptions` must say about ports; empty when the standard ways lead here.

        version: the NFS version that will be asked for, empty for any; v4 needs no portmapper.
        """
        if version.startswith("4"):
            return [] if self.port == 2049 else [f"port={self.port}"]
        return [] if self.has_portmapper else [f"port={self.port}", f"mountport={self.mountport}"]

    @property
    def process(self) -> Process:
        """NFS-Ganesha itself; an error before the first start."""
        if self._ganesha is None:
            raise DevClusterError("this NFS server was not started yet")
        return self._ganesha

    @property
    def processes(self) -> list[Process]:
        """All processes of this server, in the order of their start."""
        return [process for process in (self._rpcbind, self._ganesha) if process is not None]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self._ganesha is not None and self._ganesha.is_running

    def start(self, *, wait: bool = True) -> None:
        """Serves when this returns (unless wait is False), at the same address and with the same content as before."""
        if self._ganesha is None:
            self._prepare()
            self._ganesha = self._start_rpcbind()
        self._ganesha.start(wait=wait)

    def wait_ready(self, deadline: float | None = None) -> None:
        self.process.wait_ready(deadline)

    def stop(self) -> None:
        """Ends the NFS server as its administrator would."""
        self.process.stop()

    def kill(self) -> None:
        """Ends the NFS server as a power cut would."""
        self.process.kill()

    def pause(self) -> None:
        """The server takes connections and requests, and answers nothing, until resume."""
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def restart(self) -> None:
        self.process.restart()

    def reload(self) -> None:
        """Reads the exports again, as `exportfs -r` does for the kernel's server (SIGHUP)."""
        self.process.signal(signal.SIGHUP)

    def close(self) -> None:
        """Ends all processes of this server; nothing is left when it made its directory itself."""
        for process in reversed(self.processes):
            process.stop()
        if self._owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _prepare(self) -> None:
        recovery = self.directory / "nfs-recovery"
        recovery.mkdir(parents=True, exist_ok=True)
        for export in self.exports:
            directory = self.directory_of(export.path)
            if not directory.exists():
                directory.mkdir(parents=True)
                directory.chmod(0o777)  # as the guide says: squashed clients must be able to create directories
        behind = {export: self.directory_of(export.path) for export in self.exports}
        text = configuration.ganesha(self.host, self.port, self.mountport, recovery, behind)
        (self.directory / "ganesha.conf").write_text(text)

    def _start_rpcbind(self) -> Process:
        """Starts rpcbind and answers NFS-Ganesha, which lives in rpcbind's mount namespace, ready to be started."""
        with ExitStack() as held:
            handed = []
            if sockets := ports.portmapper_sockets(self.host):
                for opened in map(held.enter_context, sockets):
                    # Numbers far from the 3 and 4 that they get in the end.
                    handed.append(fcntl.fcntl(opened.fileno(), fcntl.F_DUPFD_CLOEXEC, 20))
                    held.callback(os.close, handed[-1])
            self.has_portmapper = bool(handed)
            # SIGTERM rather than SIGKILL: see the script.
            die_with_us = [] if self._detached else ["setpriv", "--pdeathsig", "TERM", "--"]
            namespaces = [*die_with_us, "unshare", "--net", "--mount", "--propagation", "slave"]
            rpcbind = self._rpcbind = Process(
                "rpcbind",
                [*namespaces, "bash", "-c", _RPCBIND, "rpcbind", self.host, *map(str, handed)],
                log=self.directory / "log" / "rpcbind.log",
                ready=lambda: _answers_privately(rpcbind.pid),
                detached=self._detached,
                deadline=20,
            )
            rpcbind.start(pass_fds=handed)
        files = ["-f", f"{self.directory}/ganesha.conf", "-L", f"{self.log}", "-p", f"{self.directory}/ganesha.pid"]
        return Process(
            "nfs-ganesha",
            [*_inside(rpcbind.pid), "ganesha.nfsd", "-F", *files],
            log=self.log,
            ready=self._serves,
            detached=self._detached,
        )

    def _serves(self) -> bool:
        """True once everything is served. Ganesha loads its exports first, and goes on without those that it can't."""
        where = ((self.port, ports.NFS3), (self.port, ports.NFS4), (self.mountport, ports.MOUNTD3))
        if not all(ports.answers_rpc(self.host, port, program) for port, program in where):
            return False
        # mountd tells a client of nothing that it may not mount over NFSv3.
        told = {export.path for export in self.exports if not export.client and "3" in export.protocols}
        lost = told - ports.exports_of(self.host, self.mountport)
        if lost:
            complaints = "\n".join(line for line in self.process.log_tail(1000).splitlines() if ":CRIT :" in line)
            raise ProcessFailed("nfs-ganesha", f"does not export {', '.join(sorted(lost))}", self.log, complaints)
        return True


def _choose_ports(host: str) -> tuple[int, int]:
    """Ports for NFS and mountd at host: the usual ones, unless a server of the machine holds them on every address."""
    port, mountport = ports.free_ports(2, host)
    return (2049 if ports.can_listen(host, 2049) else port), (20048 if ports.can_listen(host, 20048) else mountport)


def _inside(pid: int) -> list[str]:
    """Runs a program in the mount namespace of another one. Its root too: entering alone would leave a chroot."""
    return ["nsenter", f"--mount=/proc/{pid}/ns/mnt", f"--root=/proc/{pid}/root"]


def _answers_privately(pid: int) -> bool:
    """True once rpcbind takes registrations in a /run of its own: at first it still sees the machine's."""
    run = Path(f"/proc/{pid}/root/run")
    return run.stat().st_dev != Path("/run").stat().st_dev and (run / "rpcbind.sock").exists()
