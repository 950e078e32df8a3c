"""A registry that misbehaves in ways that a real one can't be made to: otherwise it takes what is pushed.

One thread, one event loop, plain HTTP; each fault is a word in `faults`, taken out when it has happened as often as it
is in there.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections import Counter
from types import TracebackType
from typing import Self


class FakeRegistry:
    """Use it with `with`."""

    def __init__(self, **faults: int) -> None:
        """faults: how often each happens. Their names are in `_fault`."""
        self.faults: Counter[str] = Counter(faults)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.logins: list[str] = []
        self.hanging = threading.Event()
        """Set once somebody waits in vain."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake registry", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(10)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def end() -> None:
            self._server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first = await reader.readexactly(1)
        if first == b"\x16":  # a TLS handshake: as Go's servers answer it
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTPS request to an HTTP server.\n")
            await writer.drain()
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, path, _ = head.split("\r\n", 1)[0].split(" ")
        fields = {name.lower(): value.strip() for name, _, value in map(_parted, head.split("\r\n")[1:]) if name}
        self.requests.append(f"{method} {path.partition('?')[0]}")
        self.logins.append(fields.get("authorization", ""))
        length = int(fields.get("content-length", "0"))
        if method == "PUT" and "/blobs/" in path and self._happens("lost"):
            await reader.readexactly(length // 2)
            return False
        if method == "PUT" and "/blobs/" in path and self._happens("hangs"):
            self.hanging.set()
            await asyncio.sleep(3600)
        body = await reader.readexactly(length)
        status, more, content = self._say(method, path, body)
        lines = [f"HTTP/1.1 {status} X", *more, f"Content-Length: {len(content)}", "", ""]
        writer.write("\r\n".join(lines).encode() + (b"" if method == "HEAD" else content))
        await writer.drain()
        return True

    def _say(self, method: str, path: str, body: bytes) -> tuple[int, list[str], bytes]:
        if fault := self._fault(method, path):
            return fault
        where, _, query = path.partition("?")
        if where == "/v2/":
            return 200, [], b"{}"
        if found := re.fullmatch(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})", where):
            return (200 if found[2] in self.blobs else 404), [], b""
        if method == "POST":
            return 202, [f"Location: {where}1?state=a%2Fb"], b""
        if "/blobs/uploads/" in where:
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            if f"digest={digest.replace(':', '%3A')}" not in query or "state=a%2Fb" not in query:
                return 400, [], b'{"errors":[{"code":"DIGEST_INVALID","message":"other content"}]}'
            self.blobs[digest] = body
            return 201, [], b""
        reference = where.rpartition("/")[2]
        if method == "PUT":
            self.manifests[reference] = body
            return 201, [], b""
        known = self.manifests.get(reference)
        if known is None:
            return 404, [], b""
        digest = f"sha256:{hashlib.sha256(known).hexdigest()}"
        return 200, [] if self.faults["untold"] else [f"Docker-Content-Digest: {digest}"], known

    def _fault(self, method: str, path: str) -> tuple[int, list[str], bytes] | None:
        is_upload, is_manifest = method == "POST", method == "PUT" and "/manifests/" in path
        bearer = f'WWW-Authenticate: Bearer realm="http://{self.host}/token"'
        full = b'{"errors":[{"code":"UNKNOWN","message":"write: no space left on device"}]}'
        for name, is_met, answer in (
            ("html", path == "/v2/", (200, ["Content-Type: text/html"], b"<html>")),
            ("missing", path == "/v2/", (404, [], b"")),
            ("denied", is_upload, (403, [], b'{"errors":[{"code":"DENIED","message":"project is read only"}]}')),
            ("unknown", is_upload, (404, [], b'{"errors":[{"code":"NAME_UNKNOWN","message":"no such project"}]}')),
            ("name", is_upload, (400, [], b'{"errors":[{"code":"NAME_INVALID","message":"two parts at most"}]}')),
            ("large", is_upload, (413, [], b"<html>")),
            ("full", is_upload, (500, [], full)),
            ("broken", is_upload, (500, [], b'{"errors":[{"code":"UNKNOWN","message":"`rm -rf /`\\u001b[31m"}]}')),
            ("busy", is_upload, (429, ["Retry-After: 0"], b"")),
            ("moved", is_upload, (302, ["Location: https://evil.example.com/"], b"")),
            ("odd", is_manifest, (422, [], b'{"errors":[{"code":"MANIFEST_INVALID","message":"unknown type"}]}')),
            ("chart", "-chart/" in path, (403, [], b"")),
            ("lonely", path == "/v2/", (401, ['WWW-Authenticate: Negotiate'], b"")),
            ("token", "/token" not in path and not self.logins[-1].startswith("Bearer"),
             (401, [f'{bearer},service="here"'], b"")),
            ("token_refused", "/token" in path, (401, [], b'{"details":"incorrect username or password"}')),
            ("token_given", "/token" in path, (200, [], b'{"token":"t0"}')),
            ("scope", is_upload, (401, [f'{bearer},error="insufficient_scope"'], b"")),
        ):  # fmt: skip
            if is_met and self._happens(name):
                return answer
        return None

    def _happens(self, name: str) -> bool:
        self.faults[name] -= 1
        return self.faults[name] >= 0


def _parted(line: str) -> tuple[str, str, str]:
    return line.partition(":")
