"""The settings that every long-running program has."""

from __future__ import annotations

from berth.settings.values import Setting, address, choice, seconds

LISTEN = Setting(
    "listen", "BERTH_LISTEN", None, address, "Where to serve /healthz, /readyz and /metrics, such as 127.0.0.1:8080."
)
STOP_DEADLINE = Setting(
    "stop-deadline", "BERTH_STOP_DEADLINE", 20.0, seconds(0, 600), "What SIGTERM leaves to work in flight.", "20s"
)
LOG_FORMAT = Setting(
    "log-format", "BERTH_LOG_FORMAT", "auto", choice("auto", "human", "json"),
    "How to log: human, json, or auto, which is human on a terminal.", "auto",
)  # fmt: skip
LOG_LEVEL = Setting(
    "log-level", "BERTH_LOG_LEVEL", "info", choice("debug", "info", "warning", "error"),
    "From which level on to log: debug, info, warning or error.", "info",
)  # fmt: skip
