"""$HTTPS_PROXY and $NO_PROXY mean what they mean to kubectl."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import SplitResult, urlsplit

import pytest
from lightkube.resources.core_v1 import Namespace

from berth.kube.client import Api
from berth.kube.errors import Unreachable
from berth.settings.proxy import proxy_for
from devcluster.cluster import DevCluster
from tests.kube.support import config_of, plain_config

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


@asynccontextmanager
async def proxy_to(target: SplitResult, heads: list[list[str]], tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A proxy whose every way leads to target, and its port. What it is asked for is put to heads."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while content := await reader.read(65536):
                writer.write(content)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        heads.append(head.decode().split("\r\n"))
        there_reader, there_writer = await asyncio.open_connection(target.hostname, target.port)
        if head.startswith(b"CONNECT "):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            there_writer.write(head)
        await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as proxy:
        yield proxy.sockets[0].getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_requests_go_through_the_proxy(cluster: DevCluster, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    heads: list[list[str]] = []
    tls = None
    if scheme == "https":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(cluster.directory / "pki/apiserver.crt", cluster.directory / "pki/apiserver.key")
        monkeypatch.setenv("SSL_CERT_FILE", str(cluster.directory / "pki/ca.crt"))

    async def main() -> None:
        async with proxy_to(urlsplit(cluster.server_url), heads, tls) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://user:s%40cret@127.0.0.1:{port}")
            config = config_of(cluster, server="https://kubernetes.default.svc:6443")
            async with Api(config) as api:
                await api.get(Namespace, "default")

    asyncio.run(main())
    ((request, *fields),) = heads
    assert request == "CONNECT kubernetes.default.svc:6443 HTTP/1.1"
    assert "Proxy-Authorization: Basic " + b64encode(b"user:s@cret").decode() in fields


def test_a_proxy_is_asked_for_the_whole_address_where_nothing_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[list[str]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        content = b'{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"default"}}'
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))
        await writer.drain()
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            target = urlsplit(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            async with proxy_to(target, heads, None) as port:
                monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@127.0.0.1:{port}")
                async with Api(plain_config("http://api.example:8080")) as api:
                    found = await api.get(Namespace, "default")
                    assert found.metadata is not None
                    assert found.metadata.name == "default"

    asyncio.run(main())
    ((request, *fields),) = heads
    assert request == "GET http://api.example:8080/api/v1/namespaces/default HTTP/1.1"
    assert "Host: api.example:8080" in fields
    assert "Proxy-Authorization: Basic " + b64encode(b"user:secret").decode() in fields


def test_a_proxy_that_is_down_is_named(cluster: DevCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    async def main() -> None:
        async with Api(config_of(cluster, server="https://kubernetes.default.svc:6443")) as api:
            with pytest.raises(Unreachable, match=r"proxy 127\.0\.0\.1:1 failed: connection refused"):
                await api.get(Namespace, "default")

    asyncio.run(main())
