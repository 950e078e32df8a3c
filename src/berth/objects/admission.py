"""What may refuse an object that is filed: webhooks, and KubeSphere's Accessors; with the fields that are read."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from lightkube.core.resource import ApiInfo, GlobalResource, ResourceDef
from lightkube.resources.admissionregistration_v1 import MutatingWebhookConfiguration, ValidatingWebhookConfiguration

from berth.objects.kinds import Object


class WebhookRule(msgspec.Struct, gc=False):
    """What a webhook is asked about."""

    apiGroups: list[str] | None = None  # noqa: N815
    operations: list[str] | None = None
    resources: list[str] | None = None


class ServiceRef(msgspec.Struct, gc=False):
    """A Service that a webhook is served by."""

    namespace: str = ""
    name: str = ""


class ClientConfig(msgspec.Struct, gc=False):
    """Where a webhook is."""

    service: ServiceRef | None = None


class Webhook(msgspec.Struct, gc=False):
    """One webhook of a configuration."""

    name: str = ""
    rules: list[WebhookRule] | None = None
    failurePolicy: str = "Fail"  # noqa: N815
    clientConfig: ClientConfig = msgspec.field(default_factory=ClientConfig)  # noqa: N815


class Validating(GlobalResource, Object):
    """A ValidatingWebhookConfiguration."""

    _api_info: ClassVar[ApiInfo] = ValidatingWebhookConfiguration._api_info  # type: ignore[misc]
    webhooks: list[Webhook] | None = None


class Mutating(GlobalResource, Object):
    """A MutatingWebhookConfiguration."""

    _api_info: ClassVar[ApiInfo] = MutatingWebhookConfiguration._api_info  # type: ignore[misc]
    webhooks: list[Webhook] | None = None


WebhookConfiguration = Validating | Mutating


class Expression(msgspec.Struct, gc=False):
    """A condition of an Accessor: on a field (`field`) or a label (`key`)."""

    operator: str = "In"
    field: str = ""
    key: str = ""
    values: list[str] | None = None


class FieldSelector(msgspec.Struct, gc=False):
    """Conditions on fields, all of which must hold."""

    fieldExpressions: list[Expression] | None = None  # noqa: N815


class LabelSelector(msgspec.Struct, gc=False):
    """Conditions on labels, all of which must hold."""

    matchExpressions: list[Expression] | None = None  # noqa: N815


class Selector(msgspec.Struct, gc=False):
    """Which namespaces or workspaces an Accessor allows: those of any one of its selectors."""

    fieldSelector: list[FieldSelector] | None = None  # noqa: N815
    labelSelector: list[LabelSelector] | None = None  # noqa: N815


class AccessorSpec(msgspec.Struct, gc=False):
    """spec of an Accessor."""

    storageClassName: str = ""  # noqa: N815
    namespaceSelector: Selector | None = None  # noqa: N815
    workspaceSelector: Selector | None = None  # noqa: N815


class Accessor(GlobalResource, Object):
    """KubeSphere's rule about who may use a class."""

    _api_info: ClassVar[ApiInfo] = ApiInfo(  # type: ignore[misc]
        resource=ResourceDef("storage.kubesphere.io", "v1alpha1", "Accessor"),
        plural="accessors",
        verbs=["get", "list"],
    )
    spec: AccessorSpec = msgspec.field(default_factory=AccessorSpec)
