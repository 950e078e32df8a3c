"""Nothing is printed past the functions that make it fit to be looked at."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import berth

SOURCE = Path(berth.__file__).parent
PRINTERS = {"cli/output.py", "cli/tables.py"}
FORBIDDEN = {
    "print", "click.echo", "click.secho", "click.style", "click.confirm", "click.prompt", "click.echo_via_pager",
    "sys.stdout.write", "sys.stderr.write", "sys.stdout.buffer.write", "sys.stderr.buffer.write", "os.write",
    "sys.__stdout__.write", "sys.__stderr__.write", "traceback.print_exc", "warnings.warn", "input", "pprint.pprint",
}  # fmt: skip
LIBRARIES = ("rich", "pprint", "curses", "blessed", "colorama")
"""Who imports them can print with them."""
MEASURES = "import rich.cells"
"""This one only tells how wide a text is."""


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Every call in a file, and every import of a library that prints, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, f"import {node.module}"
            yield from ((node.lineno, f"{node.module}.{each.name}") for each in node.names if node.module == "click")
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, f"import {each.name}") for each in node.names)


def test_only_the_printers_print() -> None:
    past = []
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(SOURCE).as_posix()
        if where in PRINTERS:
            continue
        past += [
            f"{where}:{line}: {call}"
            for line, call in calls(path)
            if call in FORBIDDEN
            or (call.startswith(tuple(f"import {each}" for each in LIBRARIES)) and call != MEASURES)
        ]
    assert past == []


COMMAND = re.compile(
    r"(?:^kubectl|`(?:kubectl|exportfs|systemctl|chmod|chown|mkdir|sed|echo|"
    r"berth (?:install|uninstall|takeover|doctor|server|class|volume|run))|^berth (?:install|takeover)) [^`]*\0"
)
"""A command in an f-string, with a value in it: \0."""


def test_no_command_is_made_of_an_f_string() -> None:
    made = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
                if COMMAND.search("".join(map(str, parts))):
                    made.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
    assert made == []
