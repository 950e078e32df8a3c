"""Whether the take-over will get through, asked before anything is changed: the rights of whoever runs it, and whether
the API server would take every object of the installation.
"""

from __future__ import annotations

from berth.kube.errors import KubeError, NotFound
from berth.kube.manifest import ManifestApi, place, place_of
from berth.kube.permissions import Right
from berth.manifests.install import install_manifests
from berth.manifests.workload import Workload
from berth.operations.apply import MANAGER
from berth.operations.errors import Stopped
from berth.operations.ground import look_at_ground
from berth.operations.takeover.plan import GroupPlan
from berth.settings.install import InstallSettings
from berth.texts.text import Text

_PATCH = Right("patch", "apps", "deployments", own_namespace=True)


async def check_rights(
    api: ManifestApi,
    plan: GroupPlan,
    settings: InstallSettings,
    workload: Workload,
    *,
    uses_namespace: bool,
) -> None:
    """Stopped when the take-over would stop half-way for want of a right, or for an object that is not accepted; and
    where whoever owns Berth's namespace would get Berth's rights, unless uses_namespace says that he may.
    """
    for namespace in {one.namespace for one in plan.group.old}:
        if not await api.may(_PATCH, namespace=namespace):
            raise Stopped(
                Text(
                    f"you may not {_PATCH} in namespace {namespace}, so the old provisioner can't be scaled down",
                    f"你没有在命名空间 {namespace} 中 {_PATCH} 的权限，无法缩容旧制备器",
                )
            )
    if not plan.is_installing:
        return
    try:
        await api.read(place("v1", "Namespace", settings.namespace))
        has_namespace = True
    except NotFound:
        has_namespace = False  # what is in it can't be tried out yet
    await look_at_ground(api, settings.name, settings.namespace, uses_namespace=uses_namespace and has_namespace)
    for manifest in install_manifests(settings, workload):
        if "namespace" in manifest["metadata"] and not has_namespace:
            continue
        try:
            await api.apply(manifest, manager=MANAGER, dry_run=True)
        except KubeError as error:
            where = f"{manifest['kind']} {place_of(manifest).key}"
            raise Stopped(
                Text(
                    f"the API server would not take {where} of Berth's installation: {error}",
                    f"API 服务器不会接受 Berth 安装所需的 {where}：{error}",
                )
            ) from error
