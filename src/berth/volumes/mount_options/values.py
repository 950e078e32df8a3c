"""Numbers among mount options: what the kernel refuses, what it cuts quietly, and units that are not what they look."""

from __future__ import annotations

import re
from dataclasses import dataclass

from berth.texts.text import Text
from berth.volumes.mount_options.table import Known

SECONDS = 10
"""timeo counts tenths of a second."""
SHORT_TIMEO = 100
LONG_TIMEO = 6000
"""NFS_MAX_TCP_TIMEOUT of include/linux/nfs_fs.h: 600 s; more is cut to it."""
SMALLEST, LARGEST = 1024, 1024 * 1024
"""NFS_MIN_FILE_IO_SIZE and NFS_MAX_FILE_IO_SIZE of include/linux/nfs_xdr.h."""

_WITH_UNIT = re.compile(r"(\d+)\s*(ms|s|sec|m|min|h|k|kb|kib|m|mb|mib|g|gb|gib)?", re.IGNORECASE)
_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}
_TENTHS = {"ms": 0.01, "s": 10, "sec": 10, "m": 600, "min": 600, "h": 36000}


@dataclass(frozen=True, slots=True)
class NumberFault:
    """What is wrong with a number, and what to write."""

    said: Text
    instead: str | None = None


def number_fault(key: str, value: str | None, known: Known) -> NumberFault | None:
    """Why the kernel refuses it: it takes whole numbers without a unit, within bounds (fs_param_is_u32)."""
    text = value or ""
    number = _kernels_number(text)
    if number is None:
        meant = _meant(key, text, known)
        return NumberFault(
            Text(
                f"{key} takes a whole number without a unit" + (f"; write {meant}" if meant else ""),
                f"{key} 只接受不带单位的整数" + (f"；请写 {meant}" if meant else ""),
            ),
            meant,
        )
    if known.least <= number <= known.most:
        return None
    if known.least == known.most:
        only = f"{key}={known.least}"
        return NumberFault(Text(f"there is only {only}", f"只能是 {only}"), only)
    nearest = f"{key}={min(max(number, known.least), known.most)}"
    return NumberFault(
        Text(
            f"{key} goes from {known.least} to {known.most}, and the kernel refuses all else; write {nearest}",
            f"{key} 的取值范围是 {known.least} 到 {known.most}，超出会被内核拒绝；请写 {nearest}",
        ),
        nearest,
    )


def odd_number(key: str, value: str | None) -> NumberFault | None:
    """A number that is taken and means something else than people think."""
    number = _kernels_number(value or "")
    if number is None:
        return None
    if key == "timeo" and number < SHORT_TIMEO:
        seconds = f"{number / SECONDS:g}"
        return NumberFault(
            Text(
                f"timeo counts tenths of a second: calls are sent again after {seconds} s; the default is 600 (60 s)",
                f"timeo 的单位是十分之一秒，这里只有 {seconds} 秒，之后请求就会重发；默认值是 600（60 秒）",
            ),
            "timeo=600",
        )
    if key == "timeo" and number > LONG_TIMEO:
        return NumberFault(
            Text(
                f"timeo counts tenths of a second, and the kernel cuts it to {LONG_TIMEO} (10 minutes)",
                f"timeo 的单位是十分之一秒，内核会把它截为 {LONG_TIMEO}（10 分钟）",
            ),
            f"timeo={LONG_TIMEO}",
        )
    if key in ("rsize", "wsize") and 0 < number < SMALLEST:
        return NumberFault(
            Text(f"{key} counts bytes, and the kernel makes 4096 of this", f"{key} 的单位是字节，内核会改用 4096"),
            f"{key}={number * 1024}" if number * 1024 <= LARGEST else f"{key}={LARGEST}",
        )
    if key in ("rsize", "wsize") and number > LARGEST:
        return NumberFault(
            Text(f"the kernel cuts {key} to {LARGEST} bytes (1 MiB)", f"内核会把 {key} 截为 {LARGEST} 字节（1 MiB）"),
            f"{key}={LARGEST}",
        )
    return None


def _kernels_number(text: str) -> int | None:
    """A number as the kernel reads it (kstrtouint of base 0): decimal, 0x or a leading 0 for octal."""
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,8}", text):
        return int(text, 16)
    if re.fullmatch(r"0[0-7]{1,11}", text):
        return int(text, 8)
    return (
        int(text) if re.fullmatch(r"[0-9]{1,10}", text) and int(text) < 2**32 and not text.startswith("0" * 2) else None
    )


def _meant(key: str, text: str, known: Known) -> str | None:
    found = _WITH_UNIT.fullmatch(text.strip().strip("\"'"))
    if found is None:
        return None
    number, unit = int(found[1]), (found[2] or "").lower()
    if key == "timeo" and unit in _TENTHS:
        number = round(number * _TENTHS[unit])
    elif key in ("rsize", "wsize", "bsize") and unit[:1] in _UNITS:
        number *= _UNITS[unit[0]]
    return f"{key}={min(max(number, known.least), known.most)}"
