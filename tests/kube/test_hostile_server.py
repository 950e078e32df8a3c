"""An API server that is broken, hostile, or somebody in between: the client ends in time, with an error of its family,
in bounded memory, and gives its token to nobody else.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Cluster, Context, User
from lightkube.resources.core_v1 import ConfigMap

from berth.kube import client, exchange
from berth.kube.client import Api
from berth.kube.errors import KubeError, ServerError, Silent, TooLarge, TooManyRequests, Unreachable
from berth.kube.informer import Informer
from berth.kube.loop import Loop
from berth.kube.outcome import Done, Note, Outcome
from berth.kube.workqueue import WorkQueue
from tests.kube.fake_server import FakeServer, Received, Reply
from tests.kube.support import eventually, plain_config

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def raw_server(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says what talk says, on each connection once its first request has come; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def saying(content: bytes, *, endless: bytes = b"") -> Talk:
    """Sends content, and then the same for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        while endless:
            writer.write(endless)
            await writer.drain()

    return talk


async def watched(api: Api, **options: Any) -> list[str]:
    """The types of all that a watch tells."""
    return [event.type async for event in api.watch(ConfigMap, resource_version="1", **options)]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test reaches in no time."""
    monkeypatch.setattr(exchange.Request.__init__, "__defaults__", (b"", "application/json", 1 << 20))


DEEP = b'{"metadata":{"name":"a"},"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
ANSWERS = {
    "an object without an end": saying(HEAD + b'\r\n{"metadata":{"name":"', endless=b"x" * 65536),
    "chunks without an end": saying(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", endless=b"10000\r\n" + b" " * 65536 + b"\r\n"
    ),
    "a length that is a lie": saying(HEAD + b"Content-Length: 999999999999\r\n\r\n", endless=b" " * 65536),
    "an error without an end": saying(b"HTTP/1.1 500 X\r\n\r\n", endless=b"a b " * 16384),
    "headers without an end": saying(HEAD, endless=b"X-Y: " + b"z" * 1000 + b"\r\n"),
    "nested too deep": saying(HEAD + b"Content-Length: %d\r\n\r\n" % len(DEEP) + DEEP),
    "no UTF-8": saying(HEAD + b'Content-Length: 26\r\n\r\n{"metadata":{"name":"\xff\xfe"}}'),
    "the wrong types": saying(HEAD + b'Content-Length: 24\r\n\r\n{"metadata":["a",1,null]}'),
    "half an answer": saying(HEAD + b"Content-Length: 100\r\n\r\n{"),
    "a switch of protocols": saying(b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
    "a status that is none": saying(b"HTTP/1.1 9999999 X\r\n\r\n"),
    "no HTTP": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nothing": saying(b""),
    "packed content": saying(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERS)
def test_whatever_it_answers_is_an_error_in_time(what: str) -> None:
    async def main() -> None:
        async with raw_server(ANSWERS[what]) as port, Api(plain_config(f"http://127.0.0.1:{port}"), timeout=20) as api:
            for ask in (
                lambda: api.get(ConfigMap, "a", namespace="b"),
                lambda: api.list_page(ConfigMap),
                lambda: watched(api, silence=5),
            ):
                async with asyncio.timeout(60):
                    with suppress(KubeError):  # a watch that tells nothing, and ends, is none
                        await ask()

    asyncio.run(main())


@pytest.mark.slow
def test_random_bytes_are_errors_of_the_family() -> None:
    chance = random.Random(20)
    good = (
        HEAD
        + b'Content-Length: 79\r\n\r\n{"metadata":{"name":"a","namespace":"b","resourceVersion":"7"},"data":{"k":"v"}}'
    )

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = bytearray(good)
        for _ in range(chance.randrange(1, 20)):
            at = chance.randrange(len(answer))
            answer[at : at + chance.choice((0, 1, 5))] = chance.randbytes(chance.choice((0, 1, 3)))
        writer.write(answer)

    async def main() -> None:
        async with raw_server(talk) as port, Api(plain_config(f"http://127.0.0.1:{port}"), timeout=20) as api:
            for _ in range(300):
                with suppress(KubeError):
                    await api.get(ConfigMap, "a", namespace="b")

    asyncio.run(main())


@pytest.mark.slow
def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones() -> None:
    async def main() -> None:
        asked: list[int] = []

        async def script(received: Received) -> Reply:
            query = dict(part.split("=") for part in received.target.partition("?")[2].split("&"))
            begin, limit = int(query.get("continue", "0")), int(query["limit"])
            asked.append(limit)
            names = range(begin, min(100, begin + limit))
            items = [
                {"metadata": {"name": f"m{number}", "namespace": "a"}, "data": {"x": "y" * 50_000}} for number in names
            ]
            more = str(names.stop) if names.stop < 100 else ""
            return Reply.of({"metadata": {"resourceVersion": "9", "continue": more}, "items": items})

        async with FakeServer(script) as server, Api(plain_config(server.url)) as api:
            informer = Informer(api, ConfigMap, page_size=500, transform=_without_data)
            following = asyncio.create_task(informer.run())
            await asyncio.wait_for(informer.wait_synced(), 60)
            following.cancel()
            assert len(informer) == 100
        lists = asked[: asked.index(7) + 15]
        assert lists[:3] == [500, 62, 7]
        assert set(lists[3:]) == {7}  # what was learned is kept

    asyncio.run(main())


def _without_data(obj: ConfigMap) -> ConfigMap:
    obj.data = None
    return obj


@pytest.mark.slow
@pytest.mark.parametrize("one", ["too large by itself", "in circles"])
def test_a_list_that_never_ends_is_an_outage(one: str) -> None:
    async def main() -> None:
        async def script(received: Received) -> Reply:
            if one == "in circles":
                return Reply.of({"metadata": {"continue": "again"}, "items": []})
            return Reply.of({"items": [{"metadata": {"name": "a"}, "data": {"x": "y" * 2_000_000}}]})

        async with FakeServer(script) as server, Api(plain_config(server.url)) as api:
            informer = Informer(api, ConfigMap)
            following = asyncio.create_task(informer.run())
            await eventually(lambda: len(server.received) > 5)  # it goes on trying
            assert not following.done()
            assert not informer.is_synced
            following.cancel()

    asyncio.run(main())


WATCHES: dict[str, tuple[Talk, type[Exception]]] = {
    "a line without an end": (saying(HEAD + b'\r\n{"type":"ADDED","object":{"x":"', endless=b"x" * 65536), TooLarge),
    "an event nested too deep": (saying(HEAD + b"\r\n" + b'{"type":"ADDED","object":' + DEEP + b"}\n"), ServerError),
    "an event of a type that is none": (saying(HEAD + b'\r\n{"type":"EXPLODED","object":{}}\n'), ServerError),
    "an object that is none": (saying(HEAD + b'\r\n{"type":"ADDED","object":[1,2]}\n'), ServerError),
    "an error that is none": (saying(HEAD + b'\r\n{"type":"ERROR","object":"x"}\n'), ServerError),
    "no UTF-8": (saying(HEAD + b'\r\n{"type":"ADDED","object":{"metadata":{"name":"\xff"}}}\n'), ServerError),
}  # fmt: skip


@pytest.mark.parametrize("what", WATCHES)
def test_whatever_a_watch_tells_is_an_error_and_the_informer_goes_on(what: str) -> None:
    talk, expected = WATCHES[what]

    async def main() -> None:
        async with raw_server(talk) as port, Api(plain_config(f"http://127.0.0.1:{port}"), timeout=20) as api:
            with pytest.raises(expected):
                await asyncio.wait_for(watched(api), 60)

    asyncio.run(main())


@pytest.mark.slow
def test_a_line_that_only_ever_goes_on_is_silence() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def main() -> None:
        async with raw_server(talk) as port, Api(plain_config(f"http://127.0.0.1:{port}")) as api:
            with pytest.raises(Silent):
                await asyncio.wait_for(watched(api, silence=0.5), 60)

    asyncio.run(main())


def test_a_redirect_is_not_followed_and_the_token_stays_here() -> None:
    async def main() -> None:
        async def elsewhere(received: Received) -> Reply:
            return Reply.of({"metadata": {"name": "a"}})

        async with FakeServer(elsewhere) as thief:
            for status in (301, 302, 303, 307, 308):

                async def script(received: Received, status: int = status) -> Reply:
                    assert received.headers["authorization"] == "Bearer secret"
                    return Reply(status, b"", {"Location": f"{thief.url}/api/v1/namespaces/b/configmaps/a"})

                config = plain_config("http://x", User(token="secret"))
                async with FakeServer(script) as server:
                    config = config._replace(cluster=Cluster(server=server.url))
                    async with Api(config) as api:
                        with pytest.raises(ServerError):
                            await api.get(ConfigMap, "a", namespace="b")
                        with pytest.raises(ServerError):
                            await watched(api)
            assert thief.received == []

    asyncio.run(main())


class Busy:
    """A reconciler whose API server says to come back in a day."""

    name = "busy"

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def __call__(self, key: str) -> Outcome:
        if self.error is not None:
            raise self.error
        return Done()

    def blame(self, key: str, error: Exception) -> tuple[Note, ...]:
        return ()


@pytest.mark.parametrize(
    ("header", "status", "believed"),
    [("86400", None, 300.0), ("9" * 400, None, 300.0), ("0", None, 0.0), ("", 10**15, 300.0), ("", -5, 0.0),
     ("-1", None, None), ("Fri, 27 Nov 2099 00:00:00 GMT", None, None)],
)  # fmt: skip
def test_advice_to_wait_is_believed_within_bounds(header: str, status: int | None, believed: float | None) -> None:
    async def main() -> None:
        details = {} if status is None else {"details": {"retryAfterSeconds": status}}

        async def script(received: Received) -> Reply:
            return Reply(429, json.dumps(details).encode(), {"Retry-After": header} if header else {})

        async with FakeServer(script) as server, Api(plain_config(server.url), timeout=1.5) as api:
            with pytest.raises((TooManyRequests, Unreachable)) as caught:
                await api.get(ConfigMap, "a", namespace="b")
            assert len(server.received) <= 3  # nobody is asked again in a hurry
            error = caught.value
        if isinstance(error, TooManyRequests):
            assert error.retry_after == believed
            reconciler, queue = Busy(), WorkQueue("busy")
            reconciler.error = error
            working = asyncio.create_task(Loop(reconciler, queue, workers=1, post=lambda note: None).run())
            queue.add("key")
            await eventually(lambda: queue.failures("key"))
            (timer,) = queue._delayed.values()
            assert timer[0] - asyncio.get_running_loop().time() <= 300
            assert not working.done()
            working.cancel()

    asyncio.run(main())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, by itself."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{path}.key", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    path.write_text(path.read_text() + Path(f"{path}.key").read_text())
    return path


def with_tls(certificate: Path, port: int) -> SingleConfig:
    cluster = Cluster(server=f"https://127.0.0.1:{port}", certificate_auth=str(certificate))
    return SingleConfig("test", Context(cluster="test"), cluster, User(token="secret"))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.slow
@pytest.mark.parametrize("version", ["plain", "TLSv1", "TLSv1_1", "TLSv1_2"])
def test_a_connection_is_not_talked_down(certificate: Path, version: str) -> None:
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(b"a request")
        writer.write(HEAD + b'Content-Length: 25\r\n\r\n{"metadata":{"name":"a"}}')

    async def main() -> None:
        tls = None
        if version != "plain":
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            tls.set_ciphers("ALL:@SECLEVEL=0")
            tls.minimum_version = tls.maximum_version = ssl.TLSVersion[version]
        async with raw_server(talk, tls) as port, Api(with_tls(certificate, port), timeout=5) as api:
            if version == "TLSv1_2":
                assert (await api.get(ConfigMap, "a", namespace="b")).metadata is not None
            else:
                with pytest.raises(Unreachable):
                    await api.get(ConfigMap, "a", namespace="b")
                assert heard == []

    asyncio.run(main())


def test_the_limit_is_what_the_client_says() -> None:
    assert exchange.MOST == 16 << 20
    assert "16 MiB" in (client.__doc__ or "")
