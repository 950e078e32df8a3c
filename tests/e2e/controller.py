"""A controller as a process of its own, which can be stopped, killed and started again."""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devcluster.ports import free_port
from devcluster.process import Process

PROGRAM = Path(sys.executable).parent / "berth"


class Controller:
    """`berth run` with these settings (environment variables). Each start has a log of its own."""

    def __init__(self, name: str, directory: Path, settings: Mapping[str, str], *, within: Sequence[str] = ()) -> None:
        """directory: for its logs. within: a command that ends by becoming the one that is given to it."""
        self.name = name
        self.settings = dict(settings)
        self.may_complain = False
        """Whether a test makes it write what no process should."""
        self._directory = directory
        self._within = tuple(within)
        self._port = free_port()
        self._process: Process | None = None
        self._starts = 0

    @property
    def process(self) -> Process:
        """The process that was started last."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    def start(self, *, wait: bool = True, **settings: str) -> Controller:
        """Starts the program; leading when this returns, unless wait is False. settings: new ones, kept from now on."""
        assert not self.is_running, f"{self.name} runs already"
        self.settings.update(settings)
        self._starts += 1
        self._process = Process(
            self.name,
            [*self._within, str(PROGRAM), "run"],
            log=self._directory / f"{self.name}-{self._starts}.log",
            env={**self.settings, "BERTH_LISTEN": f"127.0.0.1:{self._port}", "BERTH_LOG_FORMAT": "json"},
            ready=lambda: self.has_logged("leading"),
            deadline=30,
        )
        self._process.start(wait=wait)
        return self

    def wait_leading(self) -> None:
        """Returns once this process leads."""
        self.process.wait_ready()

    def wait_logged(self, message: str) -> None:
        """Returns once this process has written a line with this message."""
        self.process.wait_until(lambda: self.has_logged(message), f"logging {message!r}", 30)

    def stop(self) -> int | None:
        """Ends the process as Kubernetes would; what it ended with. None: it had not been running."""
        if self._process is None or not self._process.is_running:
            return None
        self._process.stop(grace=30)
        return self._process.exit_code

    def kill(self) -> None:
        """Ends the process at once, as a crash would."""
        self.process.kill()

    @property
    def log(self) -> str:
        """All that this process has written."""
        return self.process.log.read_text() if self.process.log.exists() else ""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What this process has logged, whole lines only."""
        whole = self.log.rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in whole if line.startswith("{")]

    def has_logged(self, message: str) -> bool:
        """Whether there is a line with this message."""
        return any(line.get("event") == message for line in self.lines)

    @property
    def complaints(self) -> list[str]:
        """What no process should ever write, from all starts: errors with a traceback, and what is not a log line."""
        found = []
        for log in sorted(self._directory.glob(f"{self.name}-*.log")):
            for line in log.read_text().splitlines():
                if not line.startswith("{") or json.loads(line).get("level") == "error":
                    found.append(f"{log.name}: {line[:2000]}")
        return found

    def metric(self, name: str, /, **labels: str) -> float:
        """The sum of a metric's samples that have these labels; 0 where there are none."""
        total = 0.0
        for line in self.fetch("/metrics")[1].splitlines():
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if match and match[1] == name:
                found = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
                if labels.items() <= found.items():
                    total += float(match[3])
        return total

    def fetch(self, path: str) -> tuple[int, str]:
        """Status and text of a page that the process serves; status 0 when it serves none."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""
