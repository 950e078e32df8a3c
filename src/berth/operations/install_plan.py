"""What `berth install` is going to do, decided before anything is touched: what stays as it runs, what was asked to
change, and whether the ground is right. Nothing is taken from others, and nothing is reset that nobody mentioned.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from berth.findings.finding import Finding, Subject
from berth.kube.manifest import Manifest, ManifestApi, place_of
from berth.manifests.classes import storage_class
from berth.manifests.install import install_manifests
from berth.manifests.workload import Workload
from berth.operations.apply import MANAGER
from berth.operations.asked import Asked, ClassAsked
from berth.operations.changes import FieldChange, changes, removal, without_repeats
from berth.operations.classes import check_class_fits, class_as_it_is, is_default, other_defaults
from berth.operations.errors import Stopped
from berth.operations.findings import find
from berth.operations.ground import Ground, look_at_ground
from berth.operations.image import look_for_image
from berth.operations.installation import Installation, own_classes, read_if_there, read_installation
from berth.operations.keeping import kept
from berth.operations.owner import is_helms, is_own, left_to_helm, left_to_others
from berth.operations.rivals import check_no_second_berth
from berth.settings.install import CLASS_NAME, InstallSettings
from berth.texts.text import Text
from berth.volumes.errors import Refused

OLDEST, NEWEST = (1, 20), (1, 37)


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """What is to be done, in its order."""

    settings: InstallSettings
    is_new: bool
    """Nothing runs there yet."""
    makes_namespace: bool
    removed: tuple[Manifest, ...]
    """What the settings no longer ask for, and a binding that an earlier namespace of that name has left."""
    manifests: tuple[Manifest, ...]
    classes: tuple[str, ...]
    """The installation's, those that are made included."""
    left_alone: tuple[str, ...]
    """Classes that are wanted and there already, made by others: they fit, and stay as they are."""
    changes: tuple[FieldChange, ...]
    """To what is there already. Nothing for what is made."""
    default: str
    """The class that is to be the only default; empty: that stays as it is."""
    other_defaults: tuple[str, ...]
    """The classes that are default beside it until now."""
    findings: tuple[Finding, ...] = ()
    """What one should know, and hinders nothing."""


async def plan_install(api: ManifestApi, asked: Asked, workload: Workload) -> InstallPlan:
    """Looks at everything and changes nothing. Stopped when it can't or must not be done; Refused names an option."""
    kubernetes = await check_release(api)
    ground = await look_at_ground(api, asked.name, asked.namespace, uses_namespace=asked.uses_namespace)
    now = await read_installation(api, asked.name, asked.namespace)
    if now is not None and not ground.is_bound:
        raise Stopped(find("deployment-unproven", Subject("workload", f"{asked.namespace}/{asked.name}")))
    classes = await own_classes(api, asked.name)
    base = None if now is None else replace(now.settings, kubernetes=kubernetes, uses_namespace=True)
    settings = asked.over(base or InstallSettings(uses_namespace=ground.has_namespace, kubernetes=kubernetes))
    if now is None:
        _check_share_said(settings)
    await check_no_second_berth(api, settings.provisioners, but=f"{asked.namespace}/{asked.name}")
    about_image = await _about_image(api, asked, settings, now)
    of_classes, left_alone = await _class_manifests(api, settings, asked.of_class, classes, is_new=now is None)
    if not asked.of_class.is_none:
        _check_classes_served(settings, of_classes)
    wanted = _in_order(install_manifests(settings, workload), of_classes)
    before = [] if base is None else install_manifests(base, workload)
    manifests, found = await _with_what_is_kept(api, wanted, before, asked.name)
    gone = [*await _no_longer_wanted(api, wanted, before, asked.name), *_stale(wanted, ground)]
    default = _named(asked.of_class, classes) if asked.of_class.default else ""
    ours = {default} if default else {one["metadata"]["name"] for one in classes if is_default(one)}
    return InstallPlan(
        settings=settings,
        is_new=now is None,
        makes_namespace=not ground.has_namespace,
        removed=tuple(gone),
        manifests=tuple(manifests),
        classes=(*(one["metadata"]["name"] for one in of_classes), *left_alone),
        left_alone=tuple(left_alone),
        changes=tuple(await _preview(api, manifests, found, gone)) if ground.has_namespace else (),
        default=default,
        other_defaults=tuple(await other_defaults(api, ours)) if ours else (),
        findings=about_image,
    )


async def check_release(api: ManifestApi) -> tuple[int, int]:
    """The cluster's release. Stopped when Berth can't run there."""
    version = await api.version()
    if version < OLDEST:
        said, oldest = (".".join(map(str, one)) for one in (version, OLDEST))
        raise Stopped(
            Text(
                f"the cluster runs Kubernetes {said}, Berth needs {oldest} or newer",
                f"集群的 Kubernetes 版本是 {said}，Berth 需要 {oldest} 或更新的版本",
            )
        )
    return version


def _check_share_said(settings: InstallSettings) -> None:
    for option, value in (("--server", settings.server), ("--path", settings.export)):
        if not value:
            where = f"{settings.namespace}/{settings.name}"
            raise Refused(option, f"is missing, and no Berth runs as {where} from which it could be read")


async def _about_image(
    api: ManifestApi, asked: Asked, settings: InstallSettings, now: Installation | None
) -> tuple[Finding, ...]:
    """What is to be told of the image. Stopped where no node can have it. What runs with it already has it."""
    if asked.has_image or (now is not None and now.ready and now.settings.image == settings.image):
        return ()
    found = await look_for_image(api, settings.image, Subject("workload", f"{settings.namespace}/{settings.name}"))
    if found is not None and found.severity == "failure":
        raise Stopped(found)
    return () if found is None else (found,)


async def _class_manifests(
    api: ManifestApi, settings: InstallSettings, asked: ClassAsked, own: Iterable[Manifest], *, is_new: bool
) -> tuple[list[Manifest], list[str]]:
    """The classes to apply, and those of others that are left alone. Stopped where one can't be as it is asked for."""
    if asked.is_none:
        return [], []
    known = {one["metadata"]["name"]: one for one in own}
    target = _named(asked, known.values()) if asked.says_something or (is_new and not known) else ""
    made = [class_as_it_is(settings, one, ClassAsked()) for name, one in known.items() if name != target]
    left_alone = []
    if target in known:
        made.append(class_as_it_is(settings, known[target], asked))
    elif target:
        new = replace(asked.made(settings.provisioners[0]), name=target, default=False)
        manifest = storage_class(settings, new)
        if await read_if_there(api, place_of(manifest)) is None:
            made.append(manifest)
        else:
            await check_class_fits(api, manifest)
            left_alone.append(target)
    for manifest in made:
        await check_class_fits(api, manifest)
    return made, left_alone


def _named(asked: ClassAsked, own: Iterable[Manifest]) -> str:
    """The class that is meant. Stopped when it could be one of several."""
    names = sorted(one["metadata"]["name"] for one in own)
    if asked.name or len(names) < 2:
        return asked.name or (names[0] if names else CLASS_NAME)
    raise Stopped(find("class-one-of-several", classes=names))


def _check_classes_served(settings: InstallSettings, of_classes: Iterable[Manifest]) -> None:
    for one in of_classes:
        name, provisioner = one["metadata"]["name"], one["provisioner"]
        if provisioner not in settings.provisioners:
            raise Stopped(
                find(
                    "class-unserved",
                    Subject("class", name),
                    Subject("provisioner", provisioner),
                    provisioners=",".join((*settings.provisioners, provisioner)),
                )
            )


def _in_order(manifests: Iterable[Manifest], of_classes: Iterable[Manifest]) -> list[Manifest]:
    """Classes before the Deployment: a run that was killed is taken up as if nothing ran yet until all of them are."""
    ordered: list[Manifest] = []
    for one in manifests:
        if one["kind"] == "Deployment":
            ordered += of_classes
        ordered.append(one)
    return ordered


async def _with_what_is_kept(
    api: ManifestApi, wanted: Iterable[Manifest], before: Iterable[Manifest], name: str
) -> tuple[list[Manifest], list[Manifest | None]]:
    """The manifests without what others have changed, and what is there of each. Stopped for what is another's."""
    then = {_key(one): one for one in before}
    manifests: list[Manifest] = []
    found = []
    for one in wanted:
        live = await read_if_there(api, place_of(one))
        if live is not None:
            kind, key = one["kind"], place_of(one).key
            if is_helms(live):
                raise left_to_helm(kind, key, live, "get values")
            if not is_own(live, name):
                raise left_to_others(kind, key)
        found.append(live)
        manifests.append(one if live is None else kept(one, then.get(_key(one)), live))
    return manifests, found


async def _no_longer_wanted(
    api: ManifestApi, wanted: Iterable[Manifest], before: Iterable[Manifest], name: str
) -> list[Manifest]:
    still = {_key(one) for one in wanted}
    gone = []
    for one in before:
        if _key(one) not in still:
            live = await read_if_there(api, place_of(one))
            if live is not None and is_own(live, name):
                gone.append(one)
    return gone


def _stale(wanted: Iterable[Manifest], ground: Ground) -> list[Manifest]:
    return [one for one in wanted if one["kind"] == "ClusterRoleBinding" and ground.has_stale_binding]


async def _preview(
    api: ManifestApi, manifests: Iterable[Manifest], found: Iterable[Manifest | None], gone: Iterable[Manifest]
) -> list[FieldChange]:
    """What becomes of what is there, as the API server itself says it. KubeError for what it would not take."""
    told: list[FieldChange] = []
    anew = {_key(one) for one in gone}
    for manifest, live in zip(manifests, found, strict=True):
        if (
            live is not None and _key(manifest) not in anew
        ):  # the others depend on each other, and none of them can be tried alone
            after = await api.apply(manifest, manager=MANAGER, dry_run=True)
            told += changes(manifest["kind"], place_of(manifest).key, live, after, manager=MANAGER)
    told += [removal(one["kind"], place_of(one).key) for one in gone]
    return without_repeats(told)


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], place_of(manifest).key
