"""The English sentences of errors that code raises, read out of the code itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import berth

SOURCE = Path(berth.__file__).parent
SAYS = {
    "Refused": 1, "SettingError": 1, "ConfigurationError": 0, "ListenError": 0, "UsageError": 0, "BadParameter": 0,
    "Unavailable": 2, "_unavailable": 1, "Unresolved": 1,
    "RpcError": 0, "ConnectFailed": 0, "ConnectionLost": 0, "CallRejected": 0, "Withheld": 0,
}  # fmt: skip
"""Each error whose sentence is English alone, and which of its arguments that is."""
VALUES = ("settings", "objects/quantity.py", "cli", "findings/versions.py")
"""Whose ValueErrors become such a sentence."""


def sentences() -> Iterator[tuple[str, str]]:
    """Where each is, and its text with `{}` for what is filled in."""
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and (at := _place(node, where)) is not None and len(node.args) > at:
                yield from ((f"{where}:{node.lineno}", each) for each in _texts(node.args[at]))


def _place(call: ast.Call, where: str) -> int | None:
    name = ast.unparse(call.func).rpartition(".")[2]
    if name == "ValueError":
        return 0 if where.startswith(VALUES) else None
    return SAYS.get(name)


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(each.value if isinstance(each, ast.Constant) else "{}" for each in parts)  # type: ignore[misc]
        case ast.IfExp(body=body, orelse=other):
            yield from _texts(body)
            yield from _texts(other)
