"""What a container is told by its environment, as Kubernetes makes it: envFrom in order, then env in order, `$(NAME)`
replaced by what was said before. What lies in ConfigMaps and Secrets is given by the caller, as far as they
could be read.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

_REFERENCE = re.compile(r"\$\$|\$\(([-._A-Za-z0-9]+)\)")
_OF_POD = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class KeyRef(msgspec.Struct, gc=False):
    """One key of a ConfigMap or Secret."""

    name: str = ""
    key: str = ""
    optional: bool | None = None


class FieldRef(msgspec.Struct, gc=False):
    """A field of the pod."""

    fieldPath: str = ""  # noqa: N815 - Kubernetes' name, here and below


class ValueFrom(msgspec.Struct, gc=False):
    """Where a variable's value comes from."""

    configMapKeyRef: KeyRef | None = None  # noqa: N815
    secretKeyRef: KeyRef | None = None  # noqa: N815
    fieldRef: FieldRef | None = None  # noqa: N815


class Variable(msgspec.Struct, gc=False):
    """An environment variable."""

    name: str = ""
    value: str = ""
    valueFrom: ValueFrom | None = None  # noqa: N815


class Whole(msgspec.Struct, gc=False):
    """A whole ConfigMap or Secret."""

    name: str = ""
    optional: bool | None = None


class EnvFrom(msgspec.Struct, gc=False):
    """Every key of a ConfigMap or Secret as a variable."""

    prefix: str = ""
    configMapRef: Whole | None = None  # noqa: N815
    secretRef: Whole | None = None  # noqa: N815


class VolumeMount(msgspec.Struct, gc=False):
    """Where a container has a volume of its pod."""

    name: str = ""
    mountPath: str = ""  # noqa: N815


class Container(msgspec.Struct, gc=False):
    """A container of a pod."""

    name: str = ""
    image: str = ""
    command: list[str] | None = None
    args: list[str] | None = None
    env: list[Variable] | None = None
    envFrom: list[EnvFrom] | None = None  # noqa: N815
    volumeMounts: list[VolumeMount] | None = None  # noqa: N815
    restartPolicy: str | None = None  # noqa: N815
    """`Always` makes a container of initContainers one that goes on running."""


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """A ConfigMap or Secret."""

    kind: Literal["ConfigMap", "Secret"]
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


Known = Mapping[ConfigSource, Mapping[str, str] | None]
"""What is in them; None: it does not exist. One that is not in here could not be read."""


@dataclass(frozen=True, slots=True)
class PodFields:
    """What a pod's own fields say, as far as its workload fixes it."""

    namespace: str
    account: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def value(self, path: str) -> str | None:
        """The field's value; None where only the pod itself knows it."""
        match = _OF_POD.fullmatch(path)
        if match is not None:
            return (self.labels if match[1] == "labels" else self.annotations).get(match[2], "")
        known = {"metadata.namespace": self.namespace, "spec.serviceAccountName": self.account}
        return known.get(path) or None


@dataclass(slots=True)
class Environment:
    """A container's variables."""

    values: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    """Variables that are there and whose value is not known: where it comes from, for people."""
    hidden: list[ConfigSource] = field(default_factory=list)
    """Sources that could not be read and may hold any further variable."""

    def get(self, name: str) -> str:
        """The variable's value; empty where there is none, or it is not known."""
        return self.values.get(name, "")

    def why_unknown(self, name: str) -> str:
        """Where the value comes from, when it is not known; empty when it is, or there is no such variable."""
        if name in self.values:
            return ""
        return self.unread.get(name) or ", ".join(map(str, self.hidden))

    def put(self, name: str, value: str | None, origin: str) -> None:
        """Sets a variable; None: to something from this origin."""
        self.values.pop(name, None)
        self.unread.pop(name, None)
        if value is None:
            self.unread[name] = origin
        else:
            self.values[name] = value

    def expand(self, text: str) -> str | None:
        """The text with each `$(NAME)` replaced; None when one of them is not known."""
        missing: list[str] = []

        def replace(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            if match[1] not in self.values:
                missing.append(match[1])
            return self.values.get(match[1], "")

        expanded = _REFERENCE.sub(replace, text)
        return None if missing else expanded


def sources_of(container: Container, namespace: str) -> Iterator[ConfigSource]:
    """The ConfigMaps and Secrets that its variables come from."""
    for whole in container.envFrom or ():
        if (source := _whole(whole, namespace)) is not None:
            yield source
    for variable in container.env or ():
        if (one := _key(variable, namespace)) is not None:
            yield one[0]


def environment_of(container: Container, pod: PodFields, known: Known) -> Environment:
    """Its variables, as far as the caller knows where they come from."""
    made = Environment()
    for whole in container.envFrom or ():
        source = _whole(whole, pod.namespace)
        if source is None:
            continue
        if source not in known:
            for name in [*made.values]:  # which it may say otherwise
                made.put(name, None, str(source))
            made.hidden.append(source)
        for key, value in (known.get(source) or {}).items():
            made.put(f"{whole.prefix}{key}", value, str(source))
    for variable in container.env or ():
        if variable.valueFrom is not None:
            _put_from(made, variable, variable.valueFrom, pod, known)
        else:
            made.put(variable.name, made.expand(variable.value), variable.value)
    return made


def texts_of(source: ConfigSource, manifest: Mapping[str, Any]) -> dict[str, str]:
    """What a ConfigMap or Secret holds, as the API server's JSON has it; what is no text is left out."""
    data: Mapping[str, str] = manifest.get("data") or {}
    if source.kind == "ConfigMap":
        return dict(data)
    found = {}
    for key, value in data.items():
        with suppress(binascii.Error, UnicodeDecodeError):
            found[key] = base64.b64decode(value).decode()
    return found


def words_of(container: Container, environment: Environment) -> Sequence[str]:
    """Its command and arguments, with `$(NAME)` replaced where it is known."""
    words = [*(container.command or ()), *(container.args or ())]
    return [word if (said := environment.expand(word)) is None else said for word in words]


def _put_from(made: Environment, variable: Variable, origin: ValueFrom, pod: PodFields, known: Known) -> None:
    if origin.fieldRef is not None:
        made.put(variable.name, pod.value(origin.fieldRef.fieldPath), f"the pod's {origin.fieldRef.fieldPath}")
        return
    of_key = _key(variable, pod.namespace)
    if of_key is None:
        made.put(variable.name, None, "elsewhere")
        return
    source, ref = of_key
    held = known.get(source)
    if held is not None and ref.key in held:
        made.put(variable.name, held[ref.key], str(source))
    elif source not in known or not ref.optional:
        made.put(variable.name, None, f"key {ref.key} of {source}")


def _whole(one: EnvFrom, namespace: str) -> ConfigSource | None:
    if one.configMapRef is not None:
        return ConfigSource("ConfigMap", namespace, one.configMapRef.name)
    return ConfigSource("Secret", namespace, one.secretRef.name) if one.secretRef is not None else None


def _key(variable: Variable, namespace: str) -> tuple[ConfigSource, KeyRef] | None:
    origin = variable.valueFrom
    if origin is None:
        return None
    if origin.configMapKeyRef is not None:
        return ConfigSource("ConfigMap", namespace, origin.configMapKeyRef.name), origin.configMapKeyRef
    if origin.secretKeyRef is not None:
        return ConfigSource("Secret", namespace, origin.secretKeyRef.name), origin.secretKeyRef
    return None
