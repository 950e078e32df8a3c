"""How long ago, for people."""

from __future__ import annotations

from berth.texts.text import Text

_UNITS = ((86400, "d", "天"), (3600, "h", "小时"), (60, "min", "分钟"), (1, "s", "秒"))


def duration(seconds: float) -> Text:
    """`3 h`, `3 小时`: the largest unit that fits."""
    for length, en, zh in _UNITS:
        if seconds >= length:
            return Text(f"{int(seconds // length)} {en}", f"{int(seconds // length)} {zh}")
    return Text("0 s", "0 秒")
