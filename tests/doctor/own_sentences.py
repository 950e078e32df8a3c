"""Every sentence that Berth's controller can write, read from its code: the errors that are raised there, with values
in the places of their facts. A new one is in it as soon as it is written.
"""

from __future__ import annotations

import ast
import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import get_args

import berth
from berth.kube import errors as kube
from berth.nfs import NfsError, Status
from berth.programs.controller import PERMISSIONS
from berth.shares.direct import answers
from berth.shares.mounted import share as mounted
from berth.volumes import errors, plan

ROOT = Path(berth.__file__).parent
ROOMS = ("volumes", "shares", "objects", "reconcilers", "kube")
"""Where the errors of claims and PVs are made."""
PV = "pvc-d4a9e9e5-4f32-4eaf-9400-2692a268a13d"
SHARE = "192.0.2.24:/export"
_FAMILY: dict[str, Callable[..., Exception]] = {
    "Refused": errors.Refused,
    "Occupied": plan.Occupied,
    "Unavailable": errors.Unavailable,
    "Missing": errors.Missing,
    "Taken": errors.Taken,
    "in_the_way": errors.Refused,
    "_unavailable": lambda stage, why, status="", path="": errors.Unavailable(
        SHARE, stage, why, status=status, path=path
    ),
}
_SAMPLES: dict[str, tuple[str, ...]] = {
    "parameter": ("parameter pathPattern",),
    "key": ("minSize",),
    "given": ("directoryMode",),
    "where": (f".berth/volumes/{PV}.json",),
    "record_path": (f".berth/volumes/{PV}.json",),
    "trash_path": (f".berth/trash/{PV}",),
    "share": (SHARE,),
    "address": (SHARE,),
    "_name": (SHARE,),
    "path": ("a/b",),
    "pv": (PV,),
    "owner": ("default/data",),
    "claim": ("default/data",),
    "cluster": ("11aa22bb",),
    "size_bytes": ("5 GiB",),
    "_gib": ("5 GiB",),
    "source": ("label", "annotation"),
    "text": ("${.PVC.labels.team}",),
    "stage": ("io",),
    "why": ("is not valid JSON (x)",),
    "state": ("in use",),
    "least": ("5",),
    "most": ("5",),
    "en": (
        "character 2 of 'a：b' is '：' (U+FF1A FULLWIDTH COLON), which only looks like ':': type ':'; in all `a:b`",
    ),
    "_as_written": ("'../x' contains the part '..', which leads elsewhere; name the directory itself",),
    "error": ("'5Q' is not a quantity such as 10Gi",),
    "class_name_of": ("nfs",),
    "_stage": ("connect", "timeout"),
    "status": ("NFS4ERR_IO",),
    "name": ("lost+found",),
    "HOME": (".berth",),
    "TRASH": (".berth/trash",),
    "SHARE_FILE": (".berth/share.json",),
    "lock": ("berth-system/nfs.berth.io",),
    "_address": (SHARE,),
    "identity": ("berth-5d4c_11aa",),
    "join": ("a/b",),
    "kind": ("directory",),
}
"""By the name of a variable, attribute or function: what stands in its place. Everything else is `x`."""
_FIELDS: dict[str, tuple[str, ...]] = {
    "naming.py": ("parameter pathPattern", "spec.nfs.path"),
    "reserved.py": ("parameter pathPattern", "spec.nfs.path"),
    "parameters.py": ("parameter share", "annotation berth.io/share"),
    "others.py": ("path", "spec.nfs.path"),
    "server_name.py": ("parameter server", "spec.nfs.server"),
    "translation.py": ("spec.resources.requests.storage",),
}
"""By file: what a refusal there may be about, which whoever calls it says."""
_MOST = 4
"""Ways to say one sentence that are tried."""


@dataclass(frozen=True)
class Said:
    """A sentence, and the line of code that says it."""

    where: str
    kind: str
    text: str


def sentences() -> Iterator[Said]:
    """All of them."""
    yield from _raised()
    yield from _of_servers()
    yield from _of_the_api_server()
    yield from _logged()


def _of_servers() -> Iterator[Said]:
    """What statuses of NFS and errors of the system mean."""
    for code in answers._OUTAGES:
        error = NfsError(code, Status(code).name)
        yield Said("shares/direct/answers.py", "status", str(answers.explain(SHARE, "a/b", error)))
    for code, (stage, why) in mounted._STAGES.items():
        told = errors.Unavailable(SHARE, stage, why, status=errno.errorcode[code], path="a/b")
        yield Said("shares/mounted/share.py", "status", str(told))
    for stage in get_args(errors.FailureStage):
        yield Said("volumes/errors.py", "stage", str(errors.Unavailable(SHARE, stage, "x", path="a/b")))
    left = errors.LeftBehind(SHARE, f".berth/trash/{PV}", count=2, first="d/f", status="NFS4ERR_IO")
    yield Said("volumes/errors.py", "LeftBehind", str(left))


def _of_the_api_server() -> Iterator[Said]:
    """The errors of talking to Kubernetes, about each thing that the controller asks for."""
    forbidden = 'persistentvolumes is forbidden: User "system:serviceaccount:a:b" cannot create resource '
    forbidden += '"persistentvolumes" in API group "" at the cluster scope'
    for resource, verb in {each.resource.partition("/")[0]: each.verbs[-1] for each in PERMISSIONS}.items():
        request = f"{verb} {resource} name"
        yield Said("kube/errors.py", "Unreachable", str(kube.Unreachable(request, "https://10.0.0.1:6443", "refused")))
        yield Said("kube/errors.py", "WriteWithheld", str(kube.WriteWithheld(request, "the lock was not renewed")))
        yield Said("kube/errors.py", "TooLarge", str(kube.TooLarge(request, 1 << 20)))
        for code, said in ((400, "x"), (401, "Unauthorized"), (403, forbidden), (409, "x"), (422, "x"), (429, "x"),
                           (500, "x"), (503, "x")):  # fmt: skip
            yield Said("kube/errors.py", "status_error", str(kube.status_error(request, code, "", said)))


def _logged() -> Iterator[Said]:
    """Warnings and errors in the log, and Warnings of Events, whose words stand in the code itself. Of those that only
    carry another sentence, as `why` or in a fact, that one is in it.
    """
    for call, scope, where in _every_call(("reconcilers", "kube", "programs")):
        name = _called(call)
        if (
            name in ("warning", "error")
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.args[0], ast.Constant)
        ):
            if not any(each.arg == "why" for each in call.keywords):
                yield from (Said(where, "log", text) for text in _said(call.args[0], scope))
        elif (
            name == "Note"
            and isinstance(call.args[2], ast.Constant)
            and isinstance(call.args[1], ast.Constant)
            and call.args[1].value == "Warning"
        ):
            if isinstance(call.args[3], ast.JoinedStr | ast.Constant):
                yield from (Said(where, "Event", text) for text in _said(call.args[3], scope))
        elif name in ("GiveUp", "LeadershipLost") and isinstance(call.args[0], ast.JoinedStr | ast.Constant | ast.Name):
            said = _said(call.args[0], scope)
            before = "gave up until it changes  key=default/data loop=provision why=" if name == "GiveUp" else ""
            yield from (Said(where, name, f"{before}{text}") for text in said)


def _every_call(rooms: tuple[str, ...]) -> Iterator[tuple[ast.Call, list[ast.AST], str]]:
    for room in rooms:
        for file in sorted((ROOT / room).rglob("*.py")):
            tree = ast.parse(file.read_text("utf-8"))
            tree.file = file.name  # type: ignore[attr-defined]
            for call, scope in _calls(tree, [tree]):
                yield call, scope, f"{file.relative_to(ROOT)}:{call.lineno}"


def _raised() -> Iterator[Said]:
    """The errors of volumes and shares."""
    for call, scope, where in _every_call(ROOMS):
        kind = _called(call)
        if kind in _FAMILY:
            yield from (Said(where, kind, text) for text in dict.fromkeys(_told(kind, call, scope)))


def _calls(node: ast.AST, scope: list[ast.AST]) -> Iterator[tuple[ast.Call, list[ast.AST]]]:
    for child in ast.iter_child_nodes(node):
        inside = [*scope, child] if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
        if isinstance(child, ast.Call):
            yield child, scope
        yield from _calls(child, inside)


def _file_of(scope: list[ast.AST]) -> str:
    return getattr(scope[0], "file", "")


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _told(kind: str, call: ast.Call, scope: list[ast.AST]) -> Iterator[str]:
    given = [_said(each, scope) for each in call.args if not isinstance(each, ast.Starred)]
    named = {each.arg: _said(each.value, scope) for each in call.keywords if each.arg in ("status", "path")}
    if kind == "in_the_way" or any(isinstance(each, ast.Starred) for each in call.args):
        return  # made of others, which are in it by themselves
    for words in islice(product(*given, *named.values()), _MOST):
        if not all(words[: len(given)]):
            continue  # nobody says nothing
        facts = dict(zip(named, words[len(given) :], strict=True))
        more = {"blockers": (PV,)} if kind == "Occupied" else {}
        yield str(_FAMILY[kind](*words[: len(given)], **facts, **more))


def _said(node: ast.expr, scope: list[ast.AST]) -> list[str]:
    """What an expression may say."""
    match node:
        case ast.Constant(value=value):
            return [str(value)]
        case ast.JoinedStr(values=parts):
            return ["".join(each) for each in islice(product(*(_said(part, scope) for part in parts)), _MOST)]
        case ast.FormattedValue(value=value, conversion=conversion, format_spec=form):
            known = ["5"] if form is not None and not isinstance(value, ast.Call) else _said(value, scope)
            return [repr(each) if conversion in (ord("r"), ord("a")) else each for each in known]
        case ast.IfExp(body=body, orelse=otherwise):
            return [*_said(body, scope), *_said(otherwise, scope)]
        case ast.BoolOp(values=values):
            return _said(values[0], scope)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return ["".join(each) for each in product(_said(left, scope), _said(right, scope))]
        case ast.Await(value=value):
            return _said(value, scope)
        case ast.BinOp():
            return ["5"]
        case ast.Name(id="field"):
            return _assigned("field", node.lineno, scope) or list(_FIELDS.get(_file_of(scope), ("path",)))
        case ast.Attribute(attr="field"):
            return list(_SAMPLES["record_path"])
        case ast.Name(id=name):
            return _assigned(name, node.lineno, scope) or list(_SAMPLES.get(name, ("x",)))
        case ast.Attribute(attr=name):
            return list(_SAMPLES.get(name, ("x",)))
        case ast.Call():
            return _answered(node, scope)
        case ast.Subscript(value=value):
            return _said(value, scope)
    return ["x"]


def _answered(call: ast.Call, scope: list[ast.AST]) -> list[str]:
    name = _called(call)
    first = _said(call.args[0], scope) if call.args else ["x"]
    if name == "ParameterField":
        return [f"parameter {each}" for each in first]
    if name in ("str", "bounded"):
        return first
    if name in ("quoted", "repr"):
        return [repr(each) for each in first]
    if name in _SAMPLES:
        return list(_SAMPLES[name])
    for level in reversed(scope):  # a function of this file: whatever it returns
        found = [
            each
            for each in ast.walk(level)
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == name
        ]
        for function in found:
            answers = [each.value for each in ast.walk(function) if isinstance(each, ast.Return) and each.value]
            return [text for each in answers for text in _said(each, [*scope, function])]
    return ["x"]


def _assigned(name: str, line: int, scope: list[ast.AST]) -> list[str]:
    """What a variable was given before that line, in the nearest function or at the top of the file."""
    for level in reversed(scope):
        values = [
            each.value
            for each in ast.walk(level)
            if isinstance(each, ast.Assign)
            and (each.lineno < line or level is scope[0])
            and any(isinstance(target, ast.Name) and target.id == name for target in each.targets)
            and isinstance(each.value, ast.Constant | ast.JoinedStr | ast.IfExp | ast.BinOp)
        ]
        if values:
            return [text for value in values for text in _said(value, [*scope])]
    return []
