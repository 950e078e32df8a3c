"""Events reach the API server in the background: merged when they repeat, one request each, never waited for."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from lightkube.resources.core_v1 import Event
from structlog.testing import capture_logs

from berth.kube.client import Api
from berth.kube.events import Recorder, RecorderStatistics
from berth.kube.outcome import Note, Reference
from devcluster.cluster import DevCluster
from tests.aio.virtual_time import run_virtual
from tests.fake_api.api import FakeApi
from tests.kube.fake_server import FakeServer, Received, Reply
from tests.kube.support import config_of, eventually, plain_config, unique
from tests.kube.tcp_proxy import TcpProxy

COMPONENT = "nfs/provisioner-229_host-1_0f3c"


def note(namespace: str, message: str = "share is down", *, name: str = "demo") -> Note:
    about = Reference("v1", "PersistentVolumeClaim", name, "12345678-90ab-cdef", namespace, "77")
    return Note(about, "Warning", "ProvisioningFailed", message)


@asynccontextmanager
async def recording(api: Api, **options: Any) -> AsyncIterator[Recorder]:
    recorder = Recorder(api, component=COMPONENT, host="host-1", **options)
    task = asyncio.create_task(recorder.run())
    try:
        yield recorder
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def flush(recorder: Recorder) -> None:
    async with asyncio.timeout(60):
        await recorder.flush()


async def events_in(api: Api, namespace: str) -> list[Event]:
    return (await api.list_page(Event, namespace=namespace)).items


def test_an_event_says_what_kubectl_shows(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        requests: list[tuple[str, str, int]] = []
        async with (
            Api(config_of(cluster), observer=lambda verb, kind, code, s: requests.append((verb, kind, code))) as api,
            recording(api) as recorder,
        ):
            recorder.post(note(namespace))
            await flush(recorder)
            assert requests == [("create", "events", 201)]
            (event,) = await events_in(api, namespace)
            assert event.source is not None
            assert (event.source.component, event.source.host) == (COMPONENT, "host-1")
            assert event.reportingComponent == COMPONENT
            involved = event.involvedObject
            assert (involved.kind, involved.name, involved.namespace) == ("PersistentVolumeClaim", "demo", namespace)
            assert (involved.uid, involved.resourceVersion) == ("12345678-90ab-cdef", "77")
            assert (event.type, event.reason, event.count) == ("Warning", "ProvisioningFailed", 1)
            assert event.firstTimestamp == event.lastTimestamp
        shown = await asyncio.to_thread(cluster.kubectl, "get", "events", "-n", namespace)
        assert "ProvisioningFailed" in shown
        assert "persistentvolumeclaim/demo" in shown
        assert "share is down" in shown

    asyncio.run(main())


def test_repeats_raise_the_count_of_one_event(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        requests: list[str] = []
        async with (
            Api(config_of(cluster), observer=lambda verb, kind, code, s: requests.append(verb)) as api,
            recording(api) as recorder,
        ):
            recorder.post(note(namespace))
            await flush(recorder)
            for _ in range(3):
                recorder.post(note(namespace))
            recorder.post(note(namespace, "permission denied"))
            await flush(recorder)
            assert requests == ["create", "patch", "create"] or requests == ["create", "create", "patch"]
            counts = {event.message: event.count for event in await events_in(api, namespace)}
            assert counts == {"share is down": 4, "permission denied": 1}
            assert recorder.statistics() == RecorderStatistics(created=2, merged=3, dropped=0, waiting=0)

    asyncio.run(main())


def test_repeats_before_the_first_delivery_are_one_request(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        requests: list[str] = []
        async with Api(config_of(cluster), observer=lambda verb, kind, code, s: requests.append(verb)) as api:
            recorder = Recorder(api, component=COMPONENT)
            for _ in range(5):
                recorder.post(note(namespace))
            task = asyncio.create_task(recorder.run())
            await flush(recorder)
            task.cancel()
            assert requests == ["create"]
            (event,) = await events_in(api, namespace)
            assert event.count == 5

    asyncio.run(main())


def test_repeats_after_the_window_are_a_new_event(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api, recording(api, merge_seconds=0.1) as recorder:
            recorder.post(note(namespace))
            await flush(recorder)
            await asyncio.sleep(0.2)
            recorder.post(note(namespace))
            await flush(recorder)
            assert [event.count for event in await events_in(api, namespace)] == [1, 1]

    asyncio.run(main())


def test_an_event_that_expired_is_made_anew(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api, recording(api) as recorder:
            recorder.post(note(namespace))
            await flush(recorder)
            (old,) = await events_in(api, namespace)
            assert old.metadata is not None
            await api.delete(Event, old.metadata.name or "", namespace=namespace)
            recorder.post(note(namespace))
            await flush(recorder)
            (new,) = await events_in(api, namespace)
            assert new.count == 2

    asyncio.run(main())


def test_events_about_what_lives_in_no_namespace_go_to_default(cluster: DevCluster) -> None:
    async def main() -> None:
        name = unique("pvc")
        about = Reference("v1", "PersistentVolume", name, "uid-1")
        async with Api(config_of(cluster)) as api, recording(api) as recorder:
            recorder.post(Note(about, "Warning", "VolumeFailedDelete", "not empty"))
            await flush(recorder)
            page = await api.list_page(Event, namespace="default", fields=f"involvedObject.name={name}")
            assert [event.reason for event in page.items] == ["VolumeFailedDelete"]

    asyncio.run(main())


def test_long_names_and_messages_fit(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api, recording(api) as recorder:
            recorder.post(note(namespace, "öü" * 3000, name="n" * 253))
            await flush(recorder)
            (event,) = await events_in(api, namespace)
            assert event.message is not None
            assert event.message.startswith("öüöü")
            assert event.message.endswith("…")
            assert len(event.message.encode()) <= 1024

    asyncio.run(main())


def test_what_can_not_be_posted_is_dropped_counted_and_told_once(cluster: DevCluster) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api, recording(api) as recorder:
            with capture_logs() as logs:
                for number in range(30):
                    recorder.post(note("no-such-namespace", f"message {number}"))
                await flush(recorder)
            assert recorder.statistics() == RecorderStatistics(created=0, merged=0, dropped=30, waiting=0)
            assert {line["event"] for line in logs} == {"an Event was dropped"}
            assert "no-such-namespace" in logs[0]["why"]

    asyncio.run(main())


def test_an_outage_is_waited_for(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with (
            TcpProxy(cluster.server_url) as proxy,
            Api(config_of(cluster, server=proxy.url)) as api,
            recording(api) as recorder,
        ):
            await proxy.refuse()
            for number in range(10):
                recorder.post(note(namespace, f"message {number}"))
            await asyncio.sleep(1)
            await proxy.accept()
            await flush(recorder)
            assert len(await events_in(api, namespace)) == 10
            assert recorder.statistics().dropped == 0

    asyncio.run(main())


def test_too_many_are_dropped_rather_than_waited_for(cluster: DevCluster, namespace: str) -> None:
    async def main() -> None:
        async with Api(config_of(cluster)) as api:
            recorder = Recorder(api, component=COMPONENT, waiting=10)
            with capture_logs() as logs:
                for number in range(100):
                    recorder.post(note(namespace, f"message {number}"))
            assert recorder.statistics() == RecorderStatistics(created=0, merged=0, dropped=90, waiting=10)
            assert len(logs) <= 10
            task = asyncio.create_task(recorder.run())
            await flush(recorder)
            task.cancel()
            assert len(await events_in(api, namespace)) == 10

    asyncio.run(main())


def test_few_requests_are_under_way_at_once() -> None:
    async def main() -> None:
        at_once = most = 0

        async def script(received: Received) -> Reply:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.01)
            at_once -= 1
            return Reply.of({"metadata": {"name": "a"}, "involvedObject": {}}, 201)

        async with (
            FakeServer(script) as server,
            Api(plain_config(server.url)) as api,
            recording(api, concurrency=4) as recorder,
        ):
            for number in range(40):
                recorder.post(note("default", name=f"claim-{number}"))
            await eventually(lambda: len(server.received) == 40)
            await flush(recorder)
            assert most == 4

    asyncio.run(main())


def test_an_object_that_fails_in_ever_new_words_has_few_events_and_the_last_word_is_told(
    cluster: DevCluster, namespace: str
) -> None:
    async def main() -> None:
        requests: list[str] = []
        async with (
            Api(config_of(cluster), observer=lambda verb, kind, code, s: requests.append(verb)) as api,
            recording(api, spacing=0.5) as recorder,
        ):
            for number in range(300):
                recorder.post(note(namespace, f"number {number}: {'x' * 250_000}"))
                await asyncio.sleep(0.002)
            recorder.post(note(namespace, "the truth of the moment"))
            recorder.post(note(namespace, "another claim's trouble", name="other"))
            recorder.post(dataclasses.replace(note(namespace, "all is well"), type="Normal", reason="Succeeded"))
            await flush(recorder)
            events = {event.message: event for event in await events_in(api, namespace)}
            assert len(events) == 13  # ten, one for all others, and the two that are no repetition
            assert len(requests) < 13 + 20
            assert events["(combined from similar events): the truth of the moment"].count == 291
            assert {"another claim's trouble", "all is well"} < set(events)
            assert all(len((message or "").encode()) <= 1024 for message in events)

    asyncio.run(main())


def test_what_is_remembered_of_events_is_bounded() -> None:
    async def main() -> None:
        recorder = Recorder(Api(plain_config("http://127.0.0.1:1")), component=COMPONENT, waiting=1_000_000)
        for number in range(6_000):
            recorder.post(note("default", "y" * 250_000, name=f"claim-{number}"))
        kept = [series.note.message for series in recorder._recent.values()]
        assert len(kept) == 4096
        assert max(map(len, kept)) <= 1024

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_in_trouble_gets_the_event_later(status: int) -> None:
    async def main() -> None:
        replies = [Reply.of({"message": "etcd has no leader"}, status), Reply.of({"message": "again"}, status)]

        async def script(received: Received) -> Reply:
            return replies.pop() if replies else Reply.of({"metadata": {"name": "a"}, "involvedObject": {}}, 201)

        async with FakeServer(script) as server, Api(plain_config(server.url)) as api, recording(api) as recorder:
            recorder.post(note("default"))
            await flush(recorder)
            assert recorder.statistics().created == 1
            (body,) = {received.body for received in server.received}
            assert body.startswith(b'{"apiVersion":"v1","kind":"Event",')

    asyncio.run(main())


def behind_other_work(*, busy_for: float, flush_after: float | None = None, room: int = 10_000) -> tuple[float, int]:
    """When an Event gets to the API server, in seconds, and how many of three did, where so long much else waits."""

    async def main() -> tuple[float, int]:
        clock = asyncio.get_running_loop().time
        api, begin = FakeApi(), clock()
        api.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        sent: list[float] = []
        api.before("create events", lambda: sent.append(clock() - begin), times=3)
        async with recording(api, is_busy=lambda: clock() < begin + busy_for, waiting=room) as recorder:
            for message in ("one", "two", "three"):
                recorder.post(note("team", message))
            await asyncio.sleep(600 if flush_after is None else flush_after)
            await recorder.flush()
        return sent[0], len(sent)

    return run_virtual(main())


def test_events_wait_behind_other_work_but_not_for_ever() -> None:
    assert behind_other_work(busy_for=0) == (0, 3)
    first, count = behind_other_work(busy_for=10)
    assert 10 <= first < 11
    assert count == 3
    first, count = behind_other_work(busy_for=500)
    assert 30 <= first < 31
    assert count == 3


def test_events_that_are_flushed_wait_for_nothing() -> None:
    first, count = behind_other_work(busy_for=500, flush_after=5)
    assert 5 <= first < 6
    assert count == 3


def test_events_do_not_wait_until_there_is_no_room_for_more() -> None:
    first, count = behind_other_work(busy_for=500, room=4)
    assert first < 1
    assert count == 3
