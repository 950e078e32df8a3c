"""Loading: this machine's image goes into what runs its containers, and is seen to be there afterwards."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from berth.aio import command
from berth.aio.command import CommandError, CommandTimedOut
from berth.images.archive import Archive, Image
from berth.images.errors import RuntimeFailed
from berth.images.runtimes import Runtime, may_be_there
from berth.images.texts import say
from berth.texts.command import spelled
from berth.texts.text import same

_SHOWING = 30.0
_FULL = ("no space left", "disk quota")
_NO_RIGHT = ("permission denied", "access denied")
_NO_ANSWER = ("connection refused", "no such file or directory", "cannot connect", "is the docker daemon running")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is on this machine now."""

    image: str
    """The name by which a kubelet looks for it."""
    digest: str
    machine: str
    runtime: str
    was_there: bool


async def load_image(archive: Archive, machine: str, runtime: Runtime, *, deadline: float) -> Loaded:
    """Imports the image for a machine unless it is there. RuntimeFailed; ArchiveError where there is none for it."""
    image = archive.image_for(machine)
    was_there = await _is_there(archive.name, image, runtime)
    if not was_there:
        await _run(runtime, runtime.import_argv, archive.alone(image), deadline)
        if not await _is_there(archive.name, image, runtime):
            raise RuntimeFailed(say("runtime.not-there", runtime=runtime.name, image=archive.name))
    return Loaded(archive.name, image.manifest.digest, machine, runtime.name, was_there)


async def _is_there(name: str, image: Image, runtime: Runtime) -> bool:
    """Whether that very image is there under its name; older runtimes tell it by its configuration."""
    said = await _run(runtime, runtime.show_argv(name), b"", _SHOWING, is_showing=True)
    return runtime.kind.shown(said, name) in (image.manifest.digest, image.config.digest)


async def _run(runtime: Runtime, argv: list[str], content: bytes, deadline: float, *, is_showing: bool = False) -> str:
    """What the program printed; empty where it could show no image, as far as nothing else is wrong."""
    try:
        return (await command.run(argv, stdin=content, deadline=deadline)).stdout
    except CommandTimedOut as error:
        raise RuntimeFailed(say("runtime.silent", command=spelled(*argv), seconds=f"{deadline:g}")) from error
    except CommandError as error:
        words = f"{error.stdout} {error.stderr}".lower()
        for key, signs in (("runtime.full", _FULL), ("runtime.no-right", _NO_RIGHT)):
            if any(sign in words for sign in signs):
                raise RuntimeFailed(say(key, runtime=runtime.name, socket=runtime.socket)) from error
        if is_showing and error.code is not None and not any(sign in words for sign in _NO_ANSWER):
            return ""
        said = " ".join(error.stderr.split())[-300:] or str(error)
        raise RuntimeFailed(say("runtime.failed", command=spelled(*argv), why=same(said))) from error


def may_speak(runtime: Runtime) -> None:
    """RuntimeFailed where the runtime's socket is not ours to open: before anything is read or written."""
    if may_be_there(Path(runtime.socket)) and not os.access(runtime.socket, os.R_OK | os.W_OK):
        raise RuntimeFailed(say("runtime.no-right", runtime=runtime.name, socket=runtime.socket))
