"""The error family of the NFS host's side. Every error is one sentence for people, in both languages (str() is the
English one); the facts in it are attributes too.

NfsServerError
 |- RequestRefused  what was asked for can't be had as it stands; nothing was touched
 |   `- UnreadableExports  an exports file can't be read
 |- NotAllowed      this process lacks a right; nothing was touched
 |- Busy            somebody else is changing the exports right now; nothing was touched
 |- NotApplied      exportfs did not take a change; what was live before is live again (or the error says what is not)
 `- StepFailed      a step of a plan failed; the steps before it are done and stay done
"""

from __future__ import annotations

from collections.abc import Sequence

from berth.aio.command import CommandError, CommandMissing, CommandTimedOut
from berth.texts.command import spelled
from berth.texts.text import Text


class NfsServerError(Exception):
    """Base of the family; never raised itself. text: the sentence."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class RequestRefused(NfsServerError):  # noqa: N818 - the design's word
    """A request that can't be honoured as it stands. field: the offending argument, option, path or file."""

    def __init__(self, field: str, why: Text) -> None:
        super().__init__(Text(f"{field}: {why.en}", f"{field}：{why.zh}"))
        self.field = field
        self.why = why


class UnreadableExports(RequestRefused):
    """An exports file can't be read."""


class NotAllowed(NfsServerError):  # noqa: N818
    """A right that this process lacks. action: what it is needed for; right: what is missing."""

    def __init__(self, action: Text, right: Text) -> None:
        super().__init__(Text(f"{action.en} is not possible: {right.en}", f"无法{action.zh}：{right.zh}"))
        self.action = action
        self.right = right


class Busy(NfsServerError):  # noqa: N818
    """Another process holds the lock on the exports. seconds: how long was waited for it."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(
            Text(
                f"another process is changing the exports: it held the lock on {path} for {seconds:g} s",
                f"另一个进程正在修改导出：它占用 {path} 的锁已超过 {seconds:g} 秒",
            )
        )
        self.path = path
        self.seconds = seconds


class NotApplied(NfsServerError):  # noqa: N818
    """A change of the exports that exportfs did not take.

    stderr: what exportfs said, whole; quoted: what of it is in why already. restored: the file and the live table are
    as they were before. lost: exports (`client:/path`) that were live before and are not any more, where restored is
    False.
    """

    def __init__(
        self, why: Text, *, stderr: str = "", quoted: str = "", restored: bool = True, lost: Sequence[str] = ()
    ) -> None:
        said = " ".join(stderr.split())
        en = f"{why.en}; " + ("nothing is changed" if restored else "the old state could not be brought back whole")
        zh = f"{why.zh}；" + ("一切保持原样" if restored else "未能完全恢复原状")
        if lost:
            en, zh = f"{en}; no longer live: {', '.join(lost)}", f"{zh}；不再生效：{'、'.join(lost)}"
        if said.removeprefix("exportfs: ") not in " ".join(quoted.split()):
            en, zh = f"{en} (exportfs said: {said})", f"{zh}（exportfs 输出：{said}）"
        super().__init__(Text(en, zh))
        self.why = why
        self.stderr = stderr
        self.restored = restored
        self.lost = tuple(lost)


class StepFailed(NfsServerError):  # noqa: N818
    """A step of a plan that failed. step: what it does, in words; stderr: what the command said, whole."""

    def __init__(self, step: Text, why: Text, *, stderr: str = "") -> None:
        super().__init__(Text(f"{step.en}: {why.en}", f"{step.zh}：{why.zh}"))
        self.step = step
        self.why = why
        self.stderr = stderr


def told(error: CommandError) -> Text:
    """What became of a command, in both languages; what it said itself stays as it is."""
    said = " ".join(error.stderr.split())[-400:]
    match error:
        case CommandMissing():
            zh = "无法启动（未安装或不可执行）"
        case CommandTimedOut():
            zh = "未在期限内结束，已被终止"
        case _ if error.code is not None and error.code < 0:
            zh = f"被信号 {-error.code} 终止"
        case _:
            zh = f"执行失败，退出码 {error.code}"
    return Text(str(error), f"`{spelled(*error.argv)}` {zh}" + (f"：{said}" if said else ""))
