"""Berth's image: small, made of this checkout, and able to call from reserved ports as anybody but root."""

from __future__ import annotations

import pytest

from berth import __version__
from devcluster.node.node import Node

# As the image starts Berth, but for what Berth does then.
PROBE = """
import os, socket, sys
sys.path.insert(0, "/usr/lib/berth")
import start
start.leave_root()
start.take_up()
try:
    socket.socket().bind(("0.0.0.0", 700))
    port = "reserved"
except PermissionError:
    port = "ordinary"
status = dict(line.split() for line in open("/proc/self/status") if line.startswith("Cap"))
print(os.getuid(), os.getgroups(), port, status["CapPrm:"].lstrip("0") or "0")
"""

COMMAND = ["/usr/bin/python3.11", "-c", PROBE]


def security(*capabilities: str) -> dict[str, object]:
    """What `berth install` asks for, and what the Pod Security Standard `restricted` allows."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": [*capabilities]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_it_says_its_version_as_nobody_with_nothing_to_write_to(node: Node, namespace: str, berth_image: str) -> None:
    container = {"args": ["--version"], "securityContext": security()}
    told = node.pods.output(namespace, "version", (), image=berth_image, container=container)
    assert told == (0, f"berth {__version__}\n")


@pytest.mark.parametrize(
    ("capability", "told"),
    [("NET_BIND_SERVICE", "65532 [65532] reserved 400"), ("", "65532 [65532] ordinary 0")],
    ids=["given", "not given"],
)
def test_a_pod_that_is_given_the_right_calls_from_a_reserved_port(
    node: Node, namespace: str, berth_image: str, capability: str, told: str
) -> None:
    given = security(*([capability] if capability else []))
    container = {"securityContext": given}
    assert node.pods.output(namespace, "calls", COMMAND, image=berth_image, container=container) == (0, f"{told}\n")


def test_where_a_pod_says_no_user_only_a_mounted_share_keeps_it_root(
    node: Node, namespace: str, berth_image: str
) -> None:
    share = {"volumeMounts": [{"name": "share", "mountPath": "/persistentvolumes"}]}
    volume = {"volumes": [{"name": "share", "emptyDir": {}}]}
    node.pods.create(namespace, "mounted", COMMAND, image=berth_image, container=share, spec=volume)
    assert node.pods.output(namespace, "plain", COMMAND, image=berth_image) == (0, "65532 [] reserved 400\n")
    assert node.pods.wait_ended(namespace, "mounted") == 0
    assert node.pods.logs(namespace, "mounted").startswith("0 ")
