"""$HTTPS_PROXY and $NO_PROXY mean what they mean to kubectl."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from lightkube.resources.core_v1 import Namespace

from berth.kube.client import Api
from berth.kube.errors import Unreachable
from berth.kube.proxy import proxy_for
from devcluster.cluster import DevCluster
from tests.kube.support import config_of

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("server", "no_proxy", "expected"),
    [
        pytest.param("https://k8s.example:6443", "", PROXY, id="a name"),
        pytest.param("https://203.0.113.9:6443", "", PROXY, id="an address"),
        pytest.param("http://k8s.example", "", None, id="another scheme"),
        pytest.param("https://k8s.example:6443", "k8s.example", None, id="the name is listed"),
        pytest.param("https://api.k8s.example:6443", "other,.k8s.example", None, id="its domain is listed"),
        pytest.param("https://api.k8s.example:6443", "*", None, id="everything is listed"),
        pytest.param("https://10.96.0.1:443", "localhost,10.96.0.0/12", None, id="its network is listed"),
        pytest.param("https://10.112.0.1:443", "10.96.0.0/12", PROXY, id="another network is listed"),
        pytest.param("https://[fd00::1]:443", "fd00::/8", None, id="its IPv6 network is listed"),
        pytest.param("https://127.0.0.1:6443", "", None, id="loopback"),
        pytest.param("https://localhost:6443", "", None, id="localhost"),
    ],
)
def test_the_proxy_of_a_server(
    server: str, no_proxy: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(server) == expected


def test_without_a_scheme_a_proxy_speaks_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert proxy_for("https://k8s.example") == PROXY


def test_requests_go_through_the_proxy(cluster: DevCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []
    target = urlsplit(cluster.server_url)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while content := await reader.read(65536):
                writer.write(content)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked_for.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
        there_reader, there_writer = await asyncio.open_connection(target.hostname, target.port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as proxy:
            port = proxy.sockets[0].getsockname()[1]
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
            config = config_of(cluster, server="https://kubernetes.default.svc:6443")
            async with Api(config) as api:
                await api.get(Namespace, "default")
        assert asked_for == ["CONNECT kubernetes.default.svc:6443 HTTP/1.1"]

    asyncio.run(main())


def test_a_proxy_that_is_down_is_named(cluster: DevCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    async def main() -> None:
        async with Api(config_of(cluster, server="https://kubernetes.default.svc:6443")) as api:
            with pytest.raises(Unreachable, match=r"proxy 127\.0\.0\.1:1 failed: connection refused"):
                await api.get(Namespace, "default")

    asyncio.run(main())
