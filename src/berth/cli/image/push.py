"""`berth image push`."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from berth.cli.commands import BerthCommand
from berth.cli.ending import ending, run
from berth.cli.image.sending import Sending
from berth.cli.manner import language
from berth.cli.output import LANGUAGE, Styled, ask_secret, output_option, print_data, say
from berth.images.archive import Archive
from berth.images.chart import Chart, read_chart
from berth.images.errors import RegistryError
from berth.images.files import chart_beside, to_push
from berth.images.login import Login, given, written_down
from berth.images.push import Pushed, push_chart, push_image
from berth.images.reference import Repository, check_tag, parse
from berth.images.registry import PATIENCE, Registry
from berth.images.texts import say as sentence
from berth.images.trust import CertificateTrust
from berth.texts.command import Shell, command
from berth.texts.text import Language, Text

_ARCHIVE = Text("{file}: {name}, for {machines}", "{file}：{name}，适用于 {machines}")
_IS = Text("{place} is {digest}", "{place} 的摘要是 {digest}")
_CHART_IS = Text("oci://{place} is the chart, version {version}", "oci://{place} 是 chart，版本 {version}")
_NO_CHART = Text(
    "No chart was pushed: there is no berth-chart archive beside the image's (--chart FILE names it).",
    "没有推送 chart：镜像归档旁边没有 berth-chart 归档（可用 --chart 文件 指明）。",
)
_NEXT = Text("Next, one of these:", "接下来，任选其一：")
_NEXT_ALONE = Text("Next:", "接下来：")
_LOGIN_NOTE = Text(
    "This registry asked for a login: nodes that have none need a pull secret (--pull-secret, imagePullSecrets).",
    "该仓库需要登录：没有登录信息的节点需要拉取凭据（--pull-secret，imagePullSecrets）。",
)
_INSECURE_NOTE = Text(
    "Nodes take this registry only when each of them is told to: containerd in "
    "/etc/containerd/certs.d/{registry}/hosts.toml, Docker by insecure-registries in /etc/docker/daemon.json.",
    "需要在每个节点上设置信任该仓库：containerd 在 /etc/containerd/certs.d/{registry}/hosts.toml 中设置，"
    "Docker 用 /etc/docker/daemon.json 的 insecure-registries。",
)
_PASSWORD = Text("Password of {user} at {registry}", "{user} 在 {registry} 的密码")


def push_command() -> click.Command:
    """The command with its options."""
    return BerthCommand(
        "push",
        params=[
            click.Argument(["place"], metavar="REGISTRY/NAME"),
            click.Option(["--archive"], type=click.Path(path_type=Path), metavar="FILE",
                         help="The image's archive. [default: that of this version, beside this command or here]"),
            click.Option(["--tag", "tags"], multiple=True, metavar="TAG",
                         help="What to call it there; repeatable. [default: the version]"),
            click.Option(["--chart"], type=click.Path(path_type=Path), metavar="FILE",
                         help="The chart's archive, which becomes REGISTRY/NAME-chart. [default: the one beside the "
                              "image's, if it is there]"),
            click.Option(["--no-chart"], is_flag=True, help="Push the image alone."),
            click.Option(["--insecure-registry"], is_flag=True,
                         help="Believe any certificate, and speak plain HTTP where there is no TLS."),
            click.Option(["--ca"], type=click.Path(path_type=Path), metavar="FILE",
                         help="Authority of the registry's certificate, in PEM."),
            click.Option(["--username"], metavar="NAME",
                         help="Log in under this name; the password is asked for, or read from stdin. [default: what "
                              "`docker login` and its like have written down]"),
            click.Option(["--timeout"], type=click.FloatRange(1, 3600), default=PATIENCE, metavar="SECONDS",
                         help="How long the registry may be silent. [default: 60]"),
            output_option(),
            LANGUAGE,
        ],
        callback=_push,
        short_help="Put the image, and the chart, into a registry.",
        help="Put the image, and the chart, into a registry.\n\n"
        "All machines' images under one name, by whatever speaks the protocol of OCI registries. What is there already "
        "is not sent again, and names change last: interrupted, the same command goes on. It prints the digest, and "
        "what to type next.",
    )  # fmt: skip


def _push(
    place: str, archive: Path | None, tags: tuple[str, ...], chart: Path | None, no_chart: bool,
    insecure_registry: bool, ca: Path | None, username: str | None, timeout: float, output: str, lang: str | None,
) -> None:  # fmt: skip
    spoken = language(lang)
    with ending(spoken):
        repository, tag = parse(place)
        wanted = tuple(dict.fromkeys(filter(None, (tag, *map(check_tag, tags)))))
        file = archive or to_push()
        chart_file = None if no_chart else chart or chart_beside(file)
        packed = read_chart(chart_file) if chart_file else None
        with Archive(file) as opened, closing(Sending(spoken, is_quiet=output != "table")) as sending:
            sending.tell(_ARCHIVE, file=file.name, name=opened.short_name, machines=", ".join(opened.machines))
            login = _asked(username, repository, spoken) if username else None
            job = _Pushing(repository, login, CertificateTrust(insecure_registry, ca), timeout, sending)
            done = run(job.do(opened, wanted or (opened.tag,), packed), spoken)
            machines = opened.machines
    if output != "table":
        image = {**_told(done.image), "reference": done.reference}
        print_data({"image": image, "machines": machines, "chart": done.chart and _told(done.chart)}, output)
        return
    if packed is None and not no_chart:
        say(_NO_CHART.said(spoken))
    _say_next(done, spoken)


@dataclass(frozen=True, slots=True)
class _Done:
    """What is in the registry, and what a node or Helm has to be told to get it from there."""

    image: Pushed
    chart: Pushed | None
    has_login: bool
    is_plain: bool
    trust: CertificateTrust

    @property
    def reference(self) -> str:
        """What pins the image: its name and digest."""
        return f"{self.image.repository}@{self.image.digest}"


@dataclass(frozen=True, slots=True)
class _Pushing:
    repository: Repository
    login: Login | None
    """The one that was given; without it what is written down is looked for."""
    trust: CertificateTrust
    patience: float
    sending: Sending

    async def do(self, archive: Archive, tags: tuple[str, ...], chart: Chart | None) -> _Done:
        """Pushes the image, then the chart."""
        async with self._registry(self.repository) as registry:
            await registry.greet()
            image = await push_image(registry, archive, tags, self.sending)
            for tag in tags:
                self.sending.tell(_IS, place=f"{self.repository}:{tag}", digest=image.digest)
        pushed = await self._push_chart(chart) if chart else None
        return _Done(image, pushed, registry.login is not None, registry.is_plain, self.trust)

    def _registry(self, repository: Repository) -> Registry:
        find = given(self.login) if self.login else written_down(repository, os.environ)
        return Registry(repository, find, self.trust, patience=self.patience)

    async def _push_chart(self, chart: Chart) -> Pushed:
        place = self.repository.beside("chart")
        try:
            async with self._registry(place) as registry:
                await registry.greet()
                pushed = await push_chart(registry, chart, self.sending)
        except RegistryError as error:
            raise RegistryError(sentence("push.no-chart", why=error.text)) from error
        self.sending.tell(_CHART_IS, place=place, version=chart.version)
        return pushed


def _asked(username: str, repository: Repository, lang: Language) -> Login:
    question = _PASSWORD.said(lang).format(user=username, registry=repository.registry)
    if not (password := ask_secret(question)):
        raise click.Abort
    return Login(username, password, source="--username")


def _say_next(done: _Done, lang: Language) -> None:
    say()
    for is_so, note in ((done.has_login, _LOGIN_NOTE), (done.trust.is_insecure, _INSECURE_NOTE)):
        if is_so:
            say(note.said(lang).format(registry=done.image.repository.partition("/")[0]))
    say(Styled((_NEXT if done.chart else _NEXT_ALONE).said(lang), "bold"))
    install = "berth install --image {image} --server SERVER --path /EXPORT --apply"
    say("  ", command(install, image=done.reference))
    if done.chart:
        say("  ", _helm(done.chart, done))


def _helm(chart: Pushed, done: _Done) -> Shell:
    ways = command(" --plain-http") if done.is_plain else Shell("")
    if done.trust.is_insecure and not done.is_plain:
        ways = command(" --insecure-skip-tls-verify")
    elif done.trust.authority:
        ways = command(" --ca-file {file}", file=done.trust.authority)
    return command(
        "helm install berth oci://{chart} --version {version}{ways} --namespace berth-system --create-namespace "
        "--set image.repository={repository} --set image.digest={digest} "
        "--set nfs.server=SERVER --set nfs.path=/EXPORT",
        chart=chart.repository, version=chart.tags[0].replace("_", "+"), ways=ways,
        repository=done.image.repository, digest=done.image.digest,
    )  # fmt: skip


def _told(pushed: Pushed) -> dict[str, object]:
    return {"repository": pushed.repository, "digest": pushed.digest, "tags": pushed.tags, "sent": pushed.sent}
