"""Berth's image: small, made of this checkout, and able to call from reserved ports as anybody but root."""

from __future__ import annotations

import pytest

from berth import __version__
from devcluster.node.node import Node

# As the image starts Berth, but for what Berth does then.
PROBE = """
import socket, sys
sys.path.insert(0, "/opt/berth")
import start
start.take_up()
try:
    socket.socket().bind(("0.0.0.0", 700))
    print("reserved")
except PermissionError:
    print("ordinary")
"""


def security(*capabilities: str) -> dict[str, object]:
    """What `berth install` asks for, and what the Pod Security Standard `restricted` allows."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": [*capabilities]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_it_says_its_version_as_nobody_with_nothing_to_write_to(node: Node, namespace: str, berth_image: str) -> None:
    container = {"args": ["--version"], "securityContext": security()}
    told = node.pods.output(namespace, "version", (), image=berth_image, container=container)
    assert told == (0, f"berth {__version__}\n")


@pytest.mark.parametrize(("capability", "port"), [("NET_BIND_SERVICE", "reserved"), ("", "ordinary")])
def test_a_pod_that_is_given_the_right_calls_from_a_reserved_port(
    node: Node, namespace: str, berth_image: str, capability: str, port: str
) -> None:
    given = security(*([capability] if capability else []))
    command = ["/opt/berth/bin/python3", "-c", PROBE]
    told = node.pods.output(namespace, "calls", command, image=berth_image, container={"securityContext": given})
    assert told == (0, f"{port}\n")
