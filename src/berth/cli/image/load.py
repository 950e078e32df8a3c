"""`berth image load`."""

from __future__ import annotations

from pathlib import Path

import click

from berth.cli.commands import BerthCommand
from berth.cli.ending import ending, run
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, Styled, output_option, print_data, say
from berth.cli.tables import progress
from berth.images.archive import Archive
from berth.images.files import this_machine, to_load
from berth.images.load import Loaded, load_image, may_speak
from berth.images.runtimes import KINDS, find_runtime
from berth.texts.command import command
from berth.texts.text import Language, Text

_LOADING = Text("importing {file} into {runtime}", "正在把 {file} 导入 {runtime}")
_IS_HERE = Text("{image} ({machine}) is on this node, in {runtime}: {digest}",
                "{image}（{machine}）已在本节点的 {runtime} 中：{digest}")  # fmt: skip
_WAS_HERE = Text("{image} ({machine}) was on this node already, in {runtime}: {digest}",
                 "{image}（{machine}）此前已在本节点的 {runtime} 中：{digest}")  # fmt: skip
_NEXT = Text(
    "Next: the same command on every other node; and a minute later, when the nodes have told of it",
    "接下来：在其他每个节点上执行同一命令；一分钟后，等节点报告了该镜像，再执行",
)


def load_command() -> click.Command:
    """The command with its options."""
    return BerthCommand(
        "load",
        params=[
            click.Option(["--archive"], type=click.Path(path_type=Path), metavar="FILE",
                         help="The image's archive. [default: that of this version, beside this command or here]"),
            click.Option(["--with", "runtime"], type=click.Choice([kind.name for kind in KINDS]),
                         help="What runs containers here. [default: what the kubelet uses]"),
            click.Option(["--timeout"], type=click.FloatRange(1, 3600), default=600.0, metavar="SECONDS",
                         help="How long the import may take. [default: 600]"),
            output_option(),
            LANGUAGE,
        ],
        callback=_load,
        short_help="Put the image onto this node, for clusters without a registry.",
        help="Put the image onto this node, for clusters without a registry.\n\n"
        "Imports this machine's image into what the kubelet runs containers with (containerd, also that of k3s, RKE2, "
        "microk8s and k0s, Docker, or podman for CRI-O), and sees to it that it is there under the name that "
        "`berth install` uses. It takes root, and has to be done on every node where Berth may run.",
    )  # fmt: skip


def _load(archive: Path | None, runtime: str | None, timeout: float, output: str, lang: str | None) -> None:
    spoken = language(lang)
    with ending(spoken):
        file = archive or to_load()
        machine = this_machine()
        with Archive(file) as opened:
            opened.image_for(machine)
            found = find_runtime(runtime or "")
            may_speak(found)
            with progress(_LOADING.said(spoken).format(file=file.name, runtime=found.name)):
                loaded = run(load_image(opened, machine, found, deadline=timeout), spoken)
    if output != "table":
        print_data(loaded, output)
        return
    _say(loaded, opened.short_name, spoken)


def _say(loaded: Loaded, short: str, lang: Language) -> None:
    facts = {"image": short, "machine": loaded.machine, "runtime": loaded.runtime, "digest": loaded.digest}
    say((_WAS_HERE if loaded.was_there else _IS_HERE).said(lang).format(**facts))
    say()
    say(Styled(_NEXT.said(lang), "bold"))
    say("  ", command("berth install --image {image} --server SERVER --path /EXPORT --apply", image=short))
