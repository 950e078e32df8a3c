"""Programs that are known to break on NFS, by their images and commands, with the NFS claims that they use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from berth.doctor.cluster.provisioners import Provisioners
from berth.doctor.cluster.snapshot import Snapshot
from berth.doctor.known import find
from berth.findings.finding import Finding, Subject
from berth.objects import containers
from berth.objects.translation import location_of
from berth.texts.text import Text
from berth.texts.yaml_in import read_yaml


@dataclass(frozen=True, slots=True)
class App:
    """A program, as apps.yaml has it."""

    name: str
    images: re.Pattern[str]
    command: re.Pattern[str] | None
    why: Text
    failure: str
    """The entry about it alone, where it has one."""


@cache
def apps() -> tuple[App, ...]:
    """All programs that are known."""
    content = files("berth.doctor.cluster").joinpath("apps.yaml").read_text("utf-8")
    return tuple(
        App(
            name=each["name"],
            images=re.compile(each["images"]),
            command=re.compile(each["command"]) if "command" in each else None,
            why=Text(each.get("en", ""), each.get("zh", "")),
            failure=each.get("failure", ""),
        )
        for each in read_yaml(content)
    )


def app_of(container: containers.Container) -> App | None:
    """The program that a container runs, as far as its image and its command tell."""
    path = re.split(r"[:@](?!.*/)", container.image)[0]
    base = path.rpartition("/")[2]
    word = (container.command or [""])[0]
    for app in apps():
        if app.images.fullmatch(base) or (word and app.command is not None and app.command.search(word)):
            return app
    return None


def judge_apps(snapshot: Snapshot, provisioners: Provisioners) -> Iterator[Finding]:
    """Pods that run such a program and have an NFS claim."""
    told: set[tuple[str, str]] = set()
    for pod in snapshot.pods:
        if pod.status.phase in ("Succeeded", "Failed") or not pod.claims:
            continue
        claim = next((each for each in pod.claims if _is_on_nfs(snapshot, each)), None)
        app = next((found for each in pod.spec.containers if (found := app_of(each)) is not None), None)
        if claim is None or app is None:
            continue
        behind = (app.name, f"{pod.namespace}/{snapshot.workload_behind(pod)[1]}")
        if behind not in told:
            told.add(behind)
            about = (Subject("pod", pod.key), Subject("claim", claim))
            if app.failure:
                yield find(app.failure, *about, variant="pod")
            else:
                yield find("app-on-nfs", *about, app=app.name, explained=app.why)


def _is_on_nfs(snapshot: Snapshot, key: str) -> bool:
    claim = snapshot.claim_of.get(key)
    volume = snapshot.volume_of.get(claim.spec.volumeName) if claim is not None else None
    return volume is not None and location_of(volume) is not None
