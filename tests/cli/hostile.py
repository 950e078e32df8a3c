"""Names that strangers choose, and what must hold of everything that is printed with them."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

from berth.texts.visible import is_visible

BAIT = "baited"
"""A program that no printed command may start."""
NAMES = (
    f"$({BAIT})", f"`{BAIT}`", f"a;{BAIT}", f"a\n{BAIT}\n", f"x'; {BAIT}; '", f'x"; {BAIT}; "', f"a&&{BAIT}|{BAIT}",
    f"-oProxyCommand={BAIT}", f"--as={BAIT}", f"\x1b]0;{BAIT}\x07\x1b[2J\x1b[31m", f"\u202e{BAIT}", "a\u200bb",
    f"\u2066{BAIT}\u2069", "\U000e0001\U000e0041", f"[red]{BAIT}[/red]", f"[link=http://x]{BAIT}[/link]", "\x9b31m",
    f"\r\x08\x7f{BAIT}", f"\u2028{BAIT}\u2029", "a\\", "{pod} %s ${HOME} ~ * ?", "x" * 5000, "\ufeff\u3164\u00ad",
    "FAILURE  x\n    $ rm -rf /", "",
)  # fmt: skip
LONGEST = 4100
"""Characters of a line, but for a command's."""
_PROGRAM = re.compile(
    r"(?:berth|kubectl|systemctl|chmod|chown|mkdir|exportfs|sed|ip|ping|realpath|firewall-cmd|rmdir) "
)
_COMMAND = re.compile(r"^(?:    \$ |   \$ |       )(?P<said>\S.*)$")


def commands_in(printed: str) -> set[str]:
    """What is printed to be typed: lines of their own, and what stands between backticks."""
    found = set()
    for line in printed.split("\n"):
        own = _COMMAND.match(line)
        if own is not None:
            found.add(own["said"])
            continue
        assert line.count("`") % 2 == 0, line
        found |= {said for said in line.split("`")[1::2] if _PROGRAM.match(said)}
    return found


def check(printed: str, room: Path) -> set[str]:
    """That nothing in it does anything but being read; the commands in it. room: an empty directory."""
    for line in printed.split("\n"):
        assert is_visible(line), ascii(line)
        assert len(line) <= LONGEST or _COMMAND.match(line), line[:200]
    assert "\n    $ rm -rf /" not in printed
    commands = commands_in(printed)
    for command in commands:
        words = shlex.split(command, comments=True)
        assert not [word for word in words if word.startswith(("-oProxy", f"--as={BAIT}"))], command
    run(commands, room)
    return commands


def run(commands: set[str], room: Path) -> None:
    """Has a shell read them, and expand and start what it can, which is the bait alone: it may write nowhere."""
    trap, sprung = room / "bin", room / "sprung"
    trap.mkdir(exist_ok=True)
    (trap / BAIT).write_text(f"#!/bin/sh\n: > {sprung}\n")
    (trap / BAIT).chmod(0o755)
    texts = sorted(commands)
    for text in texts:
        parsed = subprocess.run(["/bin/bash", "-n", "-c", text], capture_output=True, text=True, check=False)
        assert parsed.returncode == 0, (text, parsed.stderr)
    script = "\n".join(f"( {text}\n) </dev/null >/dev/null 2>&1" for text in texts)
    shell = ["/bin/bash", "--noprofile", "--norc", "-r"]
    subprocess.run(shell, input=script, text=True, env={"PATH": str(trap)}, cwd=room, check=False, timeout=120)
    assert not sprung.exists(), [text for text in texts if BAIT in text]
    assert subprocess.run([*shell, "-c", BAIT], env={"PATH": str(trap)}, check=False).returncode == 0
    assert sprung.exists()  # the trap works
    sprung.unlink()
