"""Running something as a user who has no rights at all."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Coroutine
from typing import Any

from berth.nfsserver.errors import NotAllowed


def as_nobody(work: Coroutine[Any, Any, object]) -> str:
    """What work raises when it runs as a user without any rights: in a process of its own, of which nothing is left."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            asyncio.run(work)
        except NotAllowed as error:
            os.write(writer, f"{error.action.en}|{error.right.en}".encode())
        except BaseException:  # noqa: BLE001 - the parent shows it
            os.write(writer, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    work.close()
    return said
