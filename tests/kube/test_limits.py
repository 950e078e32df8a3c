"""How an Api behaves to a server that sheds load, breaks, or talks nonsense; played by a small server of our own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from lightkube.resources.core_v1 import ConfigMap, Namespace

from berth.kube.client import Api
from berth.kube.errors import (
    ConfigurationError,
    Conflict,
    Gone,
    ServerError,
    TooManyRequests,
    Unreachable,
    WriteWithheld,
)
from tests.kube.fake_server import FakeServer, Received, Reply
from tests.kube.support import config_map, plain_config

BUSY = {"kind": "Status", "status": "Failure", "message": "slow down", "reason": "TooManyRequests", "code": 429}


def scripted(*replies: Reply) -> Any:
    """One reply after the other; the last one for ever."""
    left = list(replies)

    async def script(received: Received) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return script


@pytest.mark.slow
def test_429_is_waited_for_as_long_as_the_server_says() -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        codes: list[int] = []
        busy, made = Reply.of(BUSY, 429, Retry_After="1"), Reply.of({"metadata": {"name": "a"}}, 201)
        async with (
            FakeServer(scripted(busy, busy, made)) as server,
            Api(plain_config(server.url), observer=lambda verb, resource, code, seconds: codes.append(code)) as api,
        ):
            begin = clock()
            await api.create(config_map("default", "a"))
            assert 2 <= clock() - begin < 10
            assert codes == [429, 429, 201]
            assert len({received.body for received in server.received}) == 1

    asyncio.run(main())


def test_a_guard_is_asked_each_time_and_withholds_what_must_not_be_written_any_more() -> None:
    async def main() -> None:
        answers = ["", "the lease is over"]
        busy = Reply.of(BUSY, 429, Retry_After="0")
        ready = Reply.of({"metadata": {"name": "a"}})
        async with FakeServer(scripted(busy, ready)) as server, Api(plain_config(server.url)) as api:
            with pytest.raises(WriteWithheld, match="delete configmaps default/a: not sent: the lease is over"):
                await api.guarded(lambda: answers.pop(0)).delete(ConfigMap, "a", namespace="default")
            assert len(server.received) == 1
            late = api.guarded(lambda: "too late")
            for write in (
                late.create(config_map("default", "a")),
                late.replace(config_map("default", "a")),
                late.patch(ConfigMap, "a", {}, namespace="default"),
                late.delete(ConfigMap, "a", namespace="default"),
            ):
                with pytest.raises(WriteWithheld, match="configmaps default/a: not sent: too late"):
                    await write
            assert len(server.received) == 1
            await late.get(ConfigMap, "a", namespace="default")  # looking changes nothing
            await api.patch(ConfigMap, "a", {}, namespace="default")  # and who needs no leave is not asked
            assert len(server.received) == 3

    asyncio.run(main())


def test_429_beyond_the_deadline_is_an_error_that_says_how_long_to_wait() -> None:
    async def main() -> None:
        async with (
            FakeServer(scripted(Reply.of(BUSY, 429, Retry_After="60"))) as server,
            Api(plain_config(server.url), timeout=2) as api,
        ):
            with pytest.raises(TooManyRequests, match=r"create configmaps default/a: slow down \(429 Too") as caught:
                await api.create(config_map("default", "a"))
            assert caught.value.retry_after == 60
            assert len(server.received) == 1

    asyncio.run(main())


def test_advice_in_the_status_counts_like_the_header() -> None:
    async def main() -> None:
        status = {**BUSY, "details": {"retryAfterSeconds": 50}}
        async with FakeServer(scripted(Reply.of(status, 429))) as server, Api(plain_config(server.url)) as api:
            with pytest.raises(TooManyRequests) as caught:
                await api.create(config_map("default", "a"))
            assert caught.value.retry_after == 50

    asyncio.run(main())


def test_writes_are_bounded_and_reads_are_not_behind_them() -> None:
    async def main() -> None:
        at_once = most = 0
        release = asyncio.Event()

        async def script(received: Received) -> Reply:
            nonlocal at_once, most
            if received.method == "POST":
                at_once += 1
                most = max(most, at_once)
                await release.wait()
                at_once -= 1
            return Reply.of({"metadata": {"name": "a"}})

        async with FakeServer(script) as server, Api(plain_config(server.url), concurrent_writes=3) as api:
            writes = [asyncio.create_task(api.create(config_map("default", f"a{n}"))) for n in range(10)]
            await api.get(Namespace, "default")
            while at_once < 3:  # noqa: ASYNC110 - the server counts
                await asyncio.sleep(0.01)
            release.set()
            await asyncio.gather(*writes)
            assert most == 3

    asyncio.run(main())


def test_an_error_page_of_a_proxy_is_a_server_error_in_one_short_line() -> None:
    async def main() -> None:
        page = Reply(502, b"<html>\n<body>" + b"bad gateway " * 1000 + b"</body></html>")
        async with FakeServer(scripted(page)) as server, Api(plain_config(server.url)) as api:
            with pytest.raises(ServerError, match="get namespaces default: <html> <body>bad gateway") as caught:
                await api.get(Namespace, "default")
            assert len(str(caught.value)) < 600
            assert "\n" not in str(caught.value)
            assert caught.value.code == 502

    asyncio.run(main())


@pytest.mark.parametrize(
    "body", [b"", b"<html>login</html>", b'{"metadata": []}'], ids=["nothing", "html", "other json"]
)
def test_a_success_that_is_not_the_object_is_an_error(body: bytes) -> None:
    async def main() -> None:
        async with FakeServer(scripted(Reply(200, body))) as server, Api(plain_config(server.url)) as api:
            with pytest.raises(ServerError, match="its answer can't be read"):
                await api.get(Namespace, "default")
            with pytest.raises(ServerError, match="its answer can't be read"):
                await api.list_page(ConfigMap)

    asyncio.run(main())


def test_a_write_whose_answer_is_lost_is_not_sent_twice() -> None:
    async def main() -> None:
        async def script(received: Received) -> Reply:
            if received.method == "POST":
                raise ConnectionResetError
            return Reply.of({"metadata": {"name": "default"}})

        async with FakeServer(script) as server, Api(plain_config(server.url)) as api:
            await api.get(Namespace, "default")
            with pytest.raises(Unreachable, match="the server closed the connection before its answer"):
                await api.create(config_map("default", "a"))
            assert [received.method for received in server.received] == ["GET", "POST"]

    asyncio.run(main())


def test_gone_within_a_watch_is_gone() -> None:
    async def main() -> None:
        line = b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n'
        async with FakeServer(scripted(Reply(200, line))) as server, Api(plain_config(server.url)) as api:
            with pytest.raises(Gone, match=r"watch configmaps: too old \(410 Expired\)"):
                async for _ in api.watch(ConfigMap, resource_version="5"):
                    pass

    asyncio.run(main())


def test_the_path_of_a_server_behind_a_gateway_is_kept() -> None:
    async def main() -> None:
        async with FakeServer(scripted(Reply.of({"metadata": {"name": "x"}}))) as server:
            async with Api(plain_config(f"{server.url}/k8s/clusters/c-1/"), user_agent="berth/1") as api:
                await api.get(Namespace, "default")
            assert server.received[0].target == "/k8s/clusters/c-1/api/v1/namespaces/default"
            assert server.received[0].headers["user-agent"] == "berth/1"
            assert server.received[0].headers["host"] == server.url.removeprefix("http://")

    asyncio.run(main())


def test_an_address_that_is_none_is_refused_at_once() -> None:
    async def main() -> None:
        with pytest.raises(ConfigurationError, match="server 'ftp://x' is not an http"):
            Api(plain_config("ftp://x"))

    asyncio.run(main())


def test_409_without_a_reason_is_a_conflict() -> None:
    async def main() -> None:
        async with FakeServer(scripted(Reply.of({}, 409))) as server, Api(plain_config(server.url)) as api:
            with pytest.raises(Conflict, match=r"create configmaps default/a: no explanation given \(409\)"):
                await api.create(config_map("default", "a"))

    asyncio.run(main())
