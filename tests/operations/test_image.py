"""Whether nodes can have the image: what is refused before anything is touched, and what nobody can know."""

from __future__ import annotations

from asyncio import run
from typing import Any

import pytest

from berth.findings.finding import Finding, Subject
from berth.findings.render import in_a_sentence
from berth.kube.exchange import Request
from berth.operations.asked import Asked, ClassAsked
from berth.operations.errors import Stopped
from berth.operations.image import look_for_image
from berth.operations.install_plan import plan_install
from berth.programs.controller import WORKLOAD
from tests.fake_api.addressing import refusal
from tests.fake_api.api import FakeApi
from tests.fake_api.server import FakeApiServer
from tests.fake_api.store import Json

IMAGE, WHOLE = "berth:0.1.0", "docker.io/library/berth:0.1.0"
ABOUT = Subject("workload", "berth-system/berth")


def node(name: str, *images: str, others: int = 3, **spec: Any) -> Json:
    other = "docker.io/library/other"
    told: list[Json] = [{"names": [f"{other}@sha256:{number}", f"{other}:{number}"]} for number in range(others)]
    told += [{"names": ["<none>@<none>", one], "sizeBytes": 1} for one in images]
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec, "status": {"images": told},
    }  # fmt: skip


def look(*nodes: Json, image: str = IMAGE) -> Finding | None:
    server = FakeApiServer()
    for one in nodes:
        server.put(one)
    return run(look_for_image(FakeApi(server), image, ABOUT))


def seen(found: Finding | None) -> str:
    return "" if found is None else found.seen.en


def test_an_image_that_no_node_and_no_registry_has_is_a_failure() -> None:
    found = look(node("a"), node("b"))
    assert found is not None
    assert (found.id, found.severity, found.about) == ("image-nowhere", "failure", (ABOUT,))
    assert in_a_sentence(found).en == (
        "no registry has the image berth:0.1.0, and no node has it (2 nodes looked at): its pods would never start. "
        "Put it into a registry that the nodes reach with `berth image push REGISTRY/NAME` and give --image "
        "REGISTRY/NAME:0.1.0, or import it on each node with `berth image load`; where a mirror has it, or the nodes "
        "do without saying so (of a new image they tell within a minute), add --image-is-there. Nothing was changed"
    )


def test_a_node_that_tells_of_its_largest_images_only_proves_nothing_and_it_is_said() -> None:
    assert "some tell of their largest images only" in seen(look(node("a", others=50), node("b")))


@pytest.mark.parametrize("told", [WHOLE, "berth:0.1.0", "docker.io/berth:0.1.0"])
def test_nodes_that_have_it_are_believed_however_they_spell_it(told: str) -> None:
    assert look(node("a", told)) is None


@pytest.mark.parametrize(
    "told", ["docker.io/library/berth:0.2.0", "registry.example.com/berth:0.1.0", "localhost/berth:0.1.0"]
)
def test_another_image_is_not_taken_for_it(told: str) -> None:
    assert "no node has it" in seen(look(node("a", told)))


def test_nodes_that_lack_it_beside_others_that_have_it_are_a_warning() -> None:
    found = look(node("a", WHOLE), node("b"), node("full", others=50))
    assert found is not None
    assert (found.id, found.severity) == ("image-on-some-nodes", "warning")
    assert found.seen.en == "no registry has the image berth:0.1.0, and nodes lack it: b"
    assert look(node("a", WHOLE), node("full", others=50)) is None


def test_nodes_that_take_none_of_its_pods_do_not_count() -> None:
    tainted = node("control-plane", WHOLE, taints=[{"key": "x", "effect": "NoSchedule"}])
    assert "1 node looked at" in seen(look(tainted, node("worker")))
    assert look(node("worker", WHOLE), node("cordoned", unschedulable=True)) is None
    preferring = node("b", taints=[{"key": "x", "effect": "PreferNoSchedule"}])
    assert seen(look(node("a", WHOLE), preferring)).endswith("lack it: b")


def test_what_nobody_can_know_is_not_refused() -> None:
    assert look() is None  # nodes may come, with the image on them
    assert look(node("a"), image="registry.example.com/berth:0.1.0") is None
    assert look(node("a"), image="somebody/berth:0.1.0") is None

    class Shut(FakeApiServer):
        def answer(self, request: Request) -> Json:
            if request.resource == "nodes":
                raise refusal(request, 403, "Forbidden", "not you")
            return super().answer(request)

    server = Shut()
    server.put(node("a"))
    assert run(look_for_image(FakeApi(server), IMAGE, ABOUT)) is None


class Cluster(FakeApiServer):
    """With one node; changes are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.put(node("a"))
        self.changes: list[str] = []

    def answer(self, request: Request) -> Json:
        if request.method != "GET" and "dryRun" not in request.target:
            self.changes.append(str(request))
        return super().answer(request)


def asked(**more: Any) -> Asked:
    settings = {"server": "nfs.example.com", "export": "/srv", **more.pop("settings", {})}
    return Asked(settings=settings, of_class=ClassAsked(is_none=True), **more)


def test_install_refuses_before_it_touches_anything() -> None:
    server = Cluster()
    with pytest.raises(Stopped, match="no registry has the image"):
        run(plan_install(FakeApi(server), asked(), WORKLOAD))
    assert server.changes == []


def test_install_goes_on_where_somebody_knows_better() -> None:
    for known in (asked(has_image=True), asked(settings={"image": "registry.example.com/berth:0.1.0"})):
        assert run(plan_install(FakeApi(Cluster()), known, WORKLOAD)).findings == ()


def test_install_tells_of_nodes_that_lack_it_and_goes_on() -> None:
    server = Cluster()
    server.put(node("b", WHOLE))
    (found,) = run(plan_install(FakeApi(server), asked(), WORKLOAD)).findings
    assert found.id == "image-on-some-nodes"
