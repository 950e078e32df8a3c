"""A cluster that is made ill, looked at by the doctor, and cured with exactly what it printed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from berth.doctor.cluster.examine import examine
from berth.findings.finding import Finding, Report, Subject
from berth.kube.config import load
from devcluster.binaries import find as find_binaries
from devcluster.cluster import DevCluster

Object = dict[str, Any]


class Patient:
    """One namespace of a cluster, and objects outside of it whose names begin with its own."""

    def __init__(self, cluster: DevCluster, name: str, directory: Path) -> None:
        self.cluster = cluster
        self.name = name
        self.made: list[Object] = []
        programs = directory / "bin"
        programs.mkdir()
        (programs / "kubectl").symlink_to(find_binaries().kubectl)
        self._environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
        self._environment["PATH"] = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._directory = directory

    def apply(self, text: str) -> None:
        """Makes the objects of a YAML text, in which $NAME is the namespace."""
        objects = [each for each in yaml.safe_load_all(text.replace("$NAME", self.name)) if each]
        self.made += objects
        self.cluster.kubectl("apply", "-f", "-", input=json.dumps(_list(objects)))

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Object:
        return self.cluster.request(method, path.replace("$NAME", self.name), body)

    def set_status(self, path: str, change: Callable[[Object], None]) -> None:
        """Changes an object's status, as a controller would."""
        target = path.replace("$NAME", self.name)
        current = self.cluster.request("GET", target)
        change(current)
        self.cluster.request("PUT", f"{target}/status", current)

    def examine(self, about: str = "", kubeconfig: Path | None = None) -> Report:
        """What the doctor says. about: `claim ns/name` and the like; empty: the whole cluster."""
        kind, _, name = about.replace("$NAME", self.name).partition(" ")
        config = load(str(kubeconfig or self.cluster.kubeconfig))
        return asyncio.run(examine(Subject(kind, name) if about else None, config))

    def cure(self, finding: Finding, *, without: Iterable[str] = (), within: Path | None = None) -> None:
        """Types what the finding printed. without: parts of commands that are not typed. within: on the server."""
        for command in finding.commands:
            if any(part in command for part in without):
                continue
            argv = ["bash", "-euo", "pipefail", "-c", command]
            there = within or self._directory
            done = subprocess.run(argv, env=self._environment, cwd=there, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{command}\n{done.stderr}"

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 30) -> None:
        """Returns once the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds} s: {what}"
            time.sleep(0.05)

    def forget(self) -> None:
        """Removes what is not in the namespace, which goes by itself."""
        for each in reversed(self.made):
            if "namespace" not in each["metadata"] or each["metadata"]["namespace"] != self.name:
                kind, name = each["kind"], each["metadata"]["name"]
                self.cluster.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")


def find(report: Report, failure: str, name: str) -> Finding | None:
    """The finding of that failure about an object whose name holds name."""
    found = (each for each in report.findings if each.id == failure)
    return next((each for each in found if any(name in subject.name for subject in each.about)), None)


def _list(objects: list[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": objects}
