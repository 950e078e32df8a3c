"""What is wrong with a setting, in one sentence that names it."""

from __future__ import annotations


class SettingError(Exception):
    """A setting that can't be used. setting: as the administrator wrote it, `PROVISIONER_NAME` or `--listen`."""

    def __init__(self, setting: str, why: str) -> None:
        super().__init__(f"{setting}: {why}")
        self.setting = setting
        self.why = why
