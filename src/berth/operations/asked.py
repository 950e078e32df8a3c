"""What an administrator asks `berth install` for: only what was said. The rest stays as it runs, or is the default
where nothing runs yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from berth.settings.install import CLASS_NAME, NAME, NAMESPACE, ClassSettings, InstallSettings, ReclaimPolicy


@dataclass(frozen=True, slots=True)
class ClassAsked:
    """What was said about the class."""

    name: str = ""
    is_none: bool = False
    """None is made, and those that are there stay as they are."""
    default: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    mount_options: tuple[str, ...] = ()
    reclaim_policy: ReclaimPolicy | None = None

    @property
    def says_something(self) -> bool:
        """Whether it is about a class, named or not."""
        return bool(self.name or self.default or self.parameters or self.mount_options or self.reclaim_policy)

    def made(self, provisioner: str) -> ClassSettings:
        """A class that is not there yet."""
        ends = self.parameters if "onDelete" in self.parameters else {"archiveOnDelete": "true", **self.parameters}
        return ClassSettings(
            name=self.name or CLASS_NAME,
            provisioner=provisioner,
            default=self.default,
            parameters=ends,
            mount_options=self.mount_options,
            reclaim_policy=self.reclaim_policy or "Delete",
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said about an installation."""

    name: str = NAME
    namespace: str = NAMESPACE
    uses_namespace: bool = False
    """The namespace may be one that Berth did not make: `--use-existing`."""
    has_image: bool = False
    """Nodes can have the image, whatever they say of it: `--image-is-there`."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Fields of InstallSettings."""
    of_class: ClassAsked = field(default_factory=ClassAsked)

    def over(self, base: InstallSettings) -> InstallSettings:
        """The settings with what was said in the place of base's; without classes."""
        return replace(base, **self.settings, name=self.name, namespace=self.namespace, classes=())

    def fresh(self) -> InstallSettings:
        """The settings of an installation where there is none yet."""
        settings = replace(self.over(InstallSettings()), uses_namespace=self.uses_namespace)
        if self.of_class.is_none:
            return settings
        return replace(settings, classes=(self.of_class.made(settings.provisioners[0]),))
