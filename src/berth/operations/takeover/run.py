"""What all steps of one take-over have at hand."""

from __future__ import annotations

from dataclasses import dataclass

from berth.kube.manifest import ManifestApi
from berth.manifests.workload import Workload
from berth.operations.takeover.plan import Wanted
from berth.operations.takeover.step import Stage, Step, Told
from berth.settings.install import InstallSettings
from berth.shares.choose import Shares
from berth.texts.text import Text


@dataclass(slots=True)
class Run:
    """One run of `berth takeover apply`."""

    api: ManifestApi
    shares: Shares
    wanted: Wanted
    settings: InstallSettings
    workload: Workload
    patience: float
    told: Told
    uid: str
    """The cluster's."""
    given: frozenset[str] = frozenset()
    """Which of the settings somebody gave: `image`, `replicas`. Of an installation that is there, the others stay."""
    stage: Stage = "nothing"

    def tell(self, en: str, zh: str) -> None:
        """One line of progress, in both languages."""
        self.told(Step(self.stage, Text(en, zh)))

    @property
    def longer(self) -> Text:
        """What to give where patience was all that was missing."""
        more = f"--timeout {max(2 * self.patience, 180.0):g}"
        return Text(f"if it only needs more time, give {more}", f"如果只是需要更久，请给 {more}")
