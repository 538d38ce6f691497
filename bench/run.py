"""The rounds: contenders take turns at each operation, so that all have the same weather."""

from __future__ import annotations

import contextlib
import datetime
import os
import platform
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any, Callable

from gluster import gfapi
from gluster.gfapi import sandbox

from .cast import Contender, start
from .contenders import Unavailable
from .rows import Group
from .stage import Stage, furnish


@dataclass
class Samples:
    """The figures of a group.

    :ivar count: how much an operation did.
    :ivar figures: by operation and contender, one a round, of the whole operation.
    :ivar missing: why a contender did not take part, by its name.
    :ivar where: the volume, in words.
    """

    count: int
    where: str
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def add(self, operation: str, contender: str, figure: float) -> None:
        self.figures.setdefault(operation, {}).setdefault(contender, []).append(figure)


def measure(
    stage: Stage,
    group: Group,
    *,
    kind: str,
    delay: float,
    count: int,
    rounds: int,
    quick: bool,
    tell: Callable[[str], None],
) -> Samples:
    """Measure a group.

    :param kind: the kind of volume, unless the group has one of its own.
    :param delay: likewise the delay of a call in milliseconds.
    :param count: how much an operation does.
    :param rounds: how often each is done.
    :param quick: whether to leave out who takes long.
    :param tell: called with a line now and then.
    """
    kind = group.kind or kind
    delay = delay if group.delay is None else group.delay
    volume = None
    samples = Samples(count, kind + (f", slowed by {delay:g} ms a call" if delay else ""))
    if kind not in ("stub", "none"):
        volume = stage.volume(kind, delay)
        furnish(group, volume, count)
    with contextlib.ExitStack() as exits:
        contenders: dict[str, Contender] = {}
        for name in group.contenders:
            try:
                contender = start(stage, name, group, volume, count)
                if quick and name in group.slow:
                    raise Unavailable("--quick leaves out what takes ten seconds")
            except Unavailable as error:
                samples.missing[name] = str(error)
            else:
                contenders[name] = contender
                exits.callback(contender.stop)
        for turn in range(rounds):
            tell(f"{group.name}: round {turn + 1} of {rounds}")
            for operation in group.operations:
                time.sleep(0 if quick else group.pause)
                for name in _rotated(list(contenders), turn):
                    if turn < group.rounds_of(name, operation, rounds):
                        samples.add(operation, name, contenders[name].run(operation))
    return samples


def _rotated(names: list[str], turn: int) -> list[str]:
    """The names in another order each turn, so that each is first at times."""
    first = turn % max(1, len(names))
    return names[first:] + names[:first]


def machine() -> dict[str, Any]:
    """What this machine and its software are."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "glusterfs": _gluster(),
        "gfapi": gfapi.__version__,
    }


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _gluster() -> str:
    try:
        command = [sandbox.host.program("glusterd"), "--version"]
    except sandbox.SandboxError:
        return "not installed"
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]
