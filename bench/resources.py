"""What a process uses, as the kernel tells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Union


def resident(pid: Union[int, str] = "self") -> int:
    """Bytes of memory that a process has now."""
    return _status(pid, "VmRSS")


def peak(pid: Union[int, str] = "self") -> int:
    """The most bytes of memory that a process had since it began, or since :func:`reset_peak`."""
    return _status(pid, "VmHWM")


def reset_peak(pid: Union[int, str] = "self") -> None:
    """Have :func:`peak` begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def threads(pid: Union[int, str] = "self") -> int:
    """How many threads a process has."""
    return len(os.listdir(f"/proc/{pid}/task"))


def growth_of_peak(function: Callable[[], object]) -> float:
    """How far memory rises above what it is now, in bytes, while a function runs."""
    before = resident()
    reset_peak()
    function()
    return peak() - before


def _status(pid: Union[int, str], key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)
