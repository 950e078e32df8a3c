"""Commands that jobs tell people to type when they wait in vain, or find somebody in their way."""

from __future__ import annotations

from berth.texts.command import Shell, command


def describe_pod(key: str) -> Shell:
    """Why a pod, `namespace/name`, does not come or go."""
    namespace, _, name = key.partition("/")
    return command("kubectl -n {namespace} describe pod {name}", namespace=namespace, name=name)


def describe_pods(namespace: str, name: str) -> Shell:
    """Why the pods of an installation don't come."""
    return command(
        "kubectl -n {namespace} describe pod -l app.kubernetes.io/instance={name}", namespace=namespace, name=name
    )
