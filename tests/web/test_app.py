"""What a probe, a scraper and a lost visitor get, over a real connection."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, Counter

from berth.web.app import make_app
from berth.web.serve import ListenError, WebServer


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    text: str


def ask(port: int, path: str, host: str = "127.0.0.1") -> Answer:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return Answer(answer.status, answer.getheader("content-type") or "", answer.read().decode())
    finally:
        connection.close()


def serve(
    visit: Callable[[int], None], *, alive: str = "", ready: str = "", registry: CollectorRegistry | None = None
) -> None:
    """Serves an app on a free port for as long as visit takes."""

    async def main() -> None:
        app = make_app(registry=registry or CollectorRegistry(), alive=lambda: alive, ready=lambda: ready)
        server = WebServer(app, "127.0.0.1", 0)
        serving = asyncio.create_task(server.run(), name="web")
        try:
            await asyncio.to_thread(visit, server.port)
        finally:
            await server.stop()
            await asyncio.wait_for(serving, 10)

    asyncio.run(main())


def test_well_and_ready() -> None:
    def visit(port: int) -> None:
        assert ask(port, "/healthz") == Answer(200, "text/plain; charset=utf-8", "ok")
        assert ask(port, "/readyz") == Answer(200, "text/plain; charset=utf-8", "ok")

    serve(visit)


def test_a_problem_is_told_and_fails_only_its_own_probe() -> None:
    def visit(port: int) -> None:
        assert ask(port, "/healthz").status == 200
        assert ask(port, "/readyz") == Answer(503, "text/plain; charset=utf-8", "waiting for the API server's lists")

    serve(visit, ready="waiting for the API server's lists")


def test_metrics_are_what_the_registry_holds() -> None:
    registry = CollectorRegistry()
    Counter("berth_test_total", "A counter.", ["class"], registry=registry).labels("nfs").inc(3)

    def visit(port: int) -> None:
        answer = ask(port, "/metrics")
        assert answer.status == 200
        assert answer.content_type.startswith("text/plain; version=")
        assert 'berth_test_total{class="nfs"} 3.0' in answer.text.splitlines()

    serve(visit, registry=registry)


def test_other_paths_are_not_found() -> None:
    def visit(port: int) -> None:
        assert ask(port, "/").status == 404
        assert ask(port, "/metrics/../etc/passwd").status == 404

    serve(visit)


def test_the_port_is_taken_before_anything_runs() -> None:
    app = make_app(registry=CollectorRegistry(), alive=str, ready=str)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            WebServer(app, "127.0.0.1", port)
    assert str(caught.value) == f"can't listen on 127.0.0.1:{port}: Address already in use"


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_here_is_a_listen_error(host: str) -> None:
    app = make_app(registry=CollectorRegistry(), alive=str, ready=str)
    with pytest.raises(ListenError, match=f"can't listen on {host}:0: "):
        WebServer(app, host, 0)


def test_ipv6_is_written_with_brackets() -> None:
    app = make_app(registry=CollectorRegistry(), alive=str, ready=str)
    with pytest.raises(ListenError, match=r"can't listen on \[2001:db8::1\]:8080: "):
        WebServer(app, "2001:db8::1", 8080)
