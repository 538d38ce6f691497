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

from .contenders import Unavailable
from .rows import Group
from .stage import Contender, Stage, furnish


@dataclass
class Samples:
    """The figures of a group.

    :ivar figures: by operation and contender, one a round.
    :ivar missing: why a contender did not take part, by its name.
    :ivar where: the volume, in words.
    """

    count: int
    where: str
    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


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
                contender = stage.contender(name, group, volume, count)
                if quick and name in group.slow:
                    raise Unavailable("--quick leaves out what takes ten seconds")
                contenders[name] = contender
                exits.callback(contender.stop)
            except Unavailable as error:
                samples.missing[name] = str(error)
        names = list(contenders)
        for turn in range(rounds):
            tell(f"{group.name}: round {turn + 1} of {rounds}")
            for operation in group.operations:
                time.sleep(0 if quick else group.pause)
                for name in names:
                    if turn < group.rounds_of(name, operation, rounds):
                        figure = contenders[name].run(operation)
                        per = count if group.per else 1
                        figures = samples.figures.setdefault(operation, {})
                        figures.setdefault(name, []).append(figure / per)
            names = names[1:] + names[:1]  # each is first in turn
    return samples


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
