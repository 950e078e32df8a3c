"""The chart's image: from which registry, by which digest, with which secrets; what is said where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from berth import __version__
from tests.deploy.charts import notes, one, render

SHARE = {"nfs": {"server": "10.0.0.5", "path": "/srv"}}
SHA = "sha256:" + "a" * 64
OTHERS = "registry.k8s.io/sig-storage/nfs-subdir-external-provisioner"
NOW = __version__
MIRROR = {"imageRegistry": "mirror.example.com"}


def image(**values: Any) -> str:
    (container,) = one(render({**SHARE, **values}), "Deployment")["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, f"berth:{NOW}"),
        ({"image": {"registry": "r.example.com"}}, f"r.example.com/berth:{NOW}"),
        ({"image": {"registry": "r.example.com/", "repository": "a/berth", "tag": "2"}}, "r.example.com/a/berth:2"),
        ({"image": {"repository": "r.example.com/a/berth"}}, f"r.example.com/a/berth:{NOW}"),
        ({"image": {"registry": "x.example", "repository": "r.example.com/berth"}}, f"r.example.com/berth:{NOW}"),
        ({"image": {"repository": "a/berth"}}, f"a/berth:{NOW}"),
        ({"image": {"tag": 1.5}}, "berth:1.5"),
        ({"image": {"tag": "2", "digest": SHA}}, f"berth@{SHA}"),
        ({"global": MIRROR}, f"mirror.example.com/berth:{NOW}"),
        ({"global": {"imageRegistry": "mirror.example.com/hub/"}}, f"mirror.example.com/hub/berth:{NOW}"),
        ({"global": {"imageRegistry": None}}, f"berth:{NOW}"),
        ({"global": MIRROR, "image": {"registry": "r.example.com"}}, f"mirror.example.com/berth:{NOW}"),
        ({"global": MIRROR, "image": {"repository": "r:5000/a/b", "digest": SHA}}, f"mirror.example.com/a/b@{SHA}"),
        ({"global": MIRROR, "image": {"repository": OTHERS, "tag": "v4.0.2"}}, f"mirror.example.com/berth:{NOW}"),
        ({"image": {"repository": OTHERS, "tag": "v4.0.2"}}, f"berth:{NOW}"),
    ],
)  # fmt: skip
def test_it_is_named_as_nodes_pull_it(values: dict[str, Any], wanted: str) -> None:
    assert image(**values) == wanted


@pytest.mark.parametrize("digest", ["sha256:abc", "a" * 64, "latest"])
def test_what_is_no_digest_is_refused(digest: str) -> None:
    with pytest.raises(Exception, match="digest"):
        image(image={"digest": digest})


def test_secrets_of_all_charts_and_of_this_one_are_used_once() -> None:
    values = {
        "imagePullSecrets": [{"name": "own"}, "both"],
        "global": {"imagePullSecrets": ["both", {"name": "everybodys"}]},
    }
    spec = one(render({**SHARE, **values}), "Deployment")["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["imagePullSecrets"]] == ["own", "both", "everybodys"]
    assert "imagePullSecrets" not in one(render(SHARE), "Deployment")["spec"]["template"]["spec"]


def test_it_is_said_how_to_get_an_image_that_no_registry_has() -> None:
    told = notes(SHARE)
    assert f"No registry has the image berth:{NOW}. `berth image push REGISTRY/NAME` puts it" in told
    assert "berth image push" not in notes({**SHARE, "image": {"repository": "r.example.com/berth"}})
    assert "berth image push" not in notes({**SHARE, "global": MIRROR})
