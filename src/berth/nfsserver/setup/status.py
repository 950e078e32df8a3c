"""Whether this host serves NFS, in one value: packages, daemons, kernel, exports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from berth.nfsserver.exports.exporting import list_exports
from berth.nfsserver.exports.table import ExportRow, brief
from berth.nfsserver.setup.machine import Machine, read_machine

Verdict = Literal["serving", "nothing exported", "not serving", "no kernel server", "not installed"]


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The truth about this host as an NFS server."""

    machine: Machine
    exports: tuple[ExportRow, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of it in two words. "serving": what is live is served."""
        if self.machine.is_serving:
            return "serving" if any(row.live for row in self.exports) else "nothing exported"
        if self.machine.missing:
            return "not installed"
        return "not serving" if self.machine.kernel.is_available else "no kernel server"

    @property
    def is_good(self) -> bool:
        """Is it serving, now and after a restart, all that the files say."""
        is_true = all(row.state == "live" for row in self.exports)
        return self.verdict == "serving" and self.machine.is_enabled and is_true

    def as_dict(self) -> dict[str, object]:
        """For `-o json`."""
        machine = self.machine
        return {
            "verdict": self.verdict,
            "good": self.is_good,
            "distribution": machine.distribution.name,
            "packageManager": machine.distribution.family,
            "missingPackages": list(machine.missing),
            "init": machine.init,
            "enabled": machine.is_enabled,
            "kernelServer": machine.kernel.is_available,
            "threads": machine.kernel.threads,
            "versions": list(machine.kernel.versions),
            "firewalls": list(machine.firewalls),
            "exports": [export_as_dict(row) for row in self.exports],
        }


async def read_status() -> ServerStatus:
    """The status now. UnreadableExports when an exports file can't be read."""
    return ServerStatus(await read_machine(), await list_exports())


def export_as_dict(row: ExportRow) -> dict[str, object]:
    """One row of the list of exports, for `-o json`."""
    return {
        "path": row.path,
        "client": row.client,
        "state": row.state,
        "options": brief(row.wanted) if row.wanted else "",
        "liveOptions": brief(row.live) if row.live else "",
        "source": row.source,
        "line": row.line,
    }
