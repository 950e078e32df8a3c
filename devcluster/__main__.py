"""`python3 -m devcluster up|down|status`: the dev cluster by hand."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from devcluster import binaries, build, packages, state
from devcluster.cluster import DevCluster
from devcluster.errors import DevClusterError
from devcluster.ganesha import Export, Squash
from devcluster.state import State


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 done, 1 not done after one sentence why, 130 interrupted."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    # However the command is ended, it cleans up what it has begun.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return command(options)
    except DevClusterError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndevcluster: interrupted, nothing was left behind", file=sys.stderr)
        return 130


def up(options: argparse.Namespace) -> int:
    """Starts a cluster and leaves it running."""
    with state.locked(options.state):
        state.refuse_second(options.state)
        if options.node:
            packages.install(packages.needed_for_node())
        build.control_plane(binaries.CONTROL_PLANE + (binaries.NODE if options.node else ()))
        start = time.monotonic()
        squash: Squash = "root_squash" if options.root_squash else "no_root_squash"
        exports = [Export(path, squash=squash) for path in options.export or ["/export"]]
        print("Starting etcd, kube-apiserver, kube-controller-manager and NFS-Ganesha ...", flush=True)
        with DevCluster(exports=exports, record=options.state) as cluster:
            if options.node:
                print("Starting a node: kube-scheduler, containerd and kubelet ...", flush=True)
                cluster.start_node()
            cluster.leave_running()
        print(f"The dev cluster is up after {time.monotonic() - start:.1f} s.\n")
        _explain(options.state, cluster.state())
    return 0


def down(options: argparse.Namespace) -> int:
    """Stops the cluster; that there is none is fine."""
    with state.locked(options.state):
        known = state.load(options.state)
        if known is None:
            state.forget(options.state)
            if not options.quiet:
                print("No dev cluster is running.")
            return 0
        state.end(options.state, known)
    print("The dev cluster is stopped; its processes and its directory are gone.")
    return 0


def status(options: argparse.Namespace) -> int:
    """Says what runs; 1 when the cluster is not up, or not whole."""
    known = state.load(options.state)
    if options.output == "json":
        print(json.dumps(_as_json(known), indent=2))
    elif known is None:
        print("No dev cluster is running; `python3 -m devcluster up` starts one.")
    else:
        rows = [(process.name, str(process.pid), _condition(process), process.log) for process in known.processes]
        _table([("PROCESS", "PID", "STATE", "LOG"), *rows])
        print()
        _explain(options.state, known)
    return 0 if known is not None and known.is_whole else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m devcluster", description="A real Kubernetes control plane and NFS server on this machine."
    )
    parser.add_argument("--state", type=Path, default=state.DIRECTORY, help="folder that says what runs (%(default)s)")
    commands = parser.add_subparsers(required=True, metavar="up|down|status")
    starting = commands.add_parser("up", help="start a cluster and leave it running")
    starting.add_argument(
        "--export", action="append", metavar="PATH", help="a path to export (/export); may be repeated"
    )
    starting.add_argument("--root-squash", action="store_true", help="clients' root is nobody on the share")
    starting.add_argument("--node", action="store_true", help="with a node, where pods run (kube-scheduler, kubelet)")
    starting.set_defaults(command=up)
    stopping = commands.add_parser("down", help="stop it; nothing is left behind")
    stopping.add_argument("--quiet", action="store_true", help="say nothing when nothing runs")
    stopping.set_defaults(command=down)
    telling = commands.add_parser("status", help="say what runs")
    telling.add_argument("-o", "--output", choices=["table", "json"], default="table")
    telling.set_defaults(command=status)
    return parser


def _explain(directory: Path, known: State) -> None:
    """How to use the cluster, and how to stop it."""
    rows = [("kubeconfig", f"{directory}/kubeconfig"), ("API server", known.server_url)]
    for share in known.shares:
        rows += [("share", _describe(share)), ("", f"is {share.directory}")]
    if known.node:
        rows += [("node", f"{known.node.name}, {known.node.address}; localhost/busybox:dev is an image that it has")]
        rows += [("pods' share", _describe(known.node.share)), ("", f"is {known.node.share.directory}")]
        rows += [("", "takes calls from reserved ports only; the share above is out of pods' reach")]
    for name, value in rows:
        print(f"  {name:<12}{value}")
    print(f"\n  export KUBECONFIG={directory}/kubeconfig")
    print("\nStop it with `python3 -m devcluster down`.")


def _describe(share: state.RunningShare) -> str:
    ways = f"mount options {','.join(share.mount_options)}" if share.mount_options else "NFSv3 and v4, standard ports"
    return f"{share.server}:{share.export}  ({ways})"


def _condition(process: state.RunningProcess) -> str:
    return "running" if process.is_alive else "ended"


def _as_json(known: State | None) -> dict[str, object]:
    if known is None:
        return {"running": False}
    told = asdict(known)
    told["processes"] = [{**asdict(process), "state": _condition(process)} for process in known.processes]
    return {"running": known.is_whole, **told}


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
