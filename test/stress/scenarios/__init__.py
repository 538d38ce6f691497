"""What happens to a cluster while programs write to it: a scenario is a function that does harm.

Each module has the scenarios of one sort. ::

    @scenario("brick-killed", "replica", "arbiter")
    def brick_killed(stage: Stage) -> None:
        ...
"""

from __future__ import annotations

import importlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gluster.gfapi import sandbox

KINDS: dict[str, dict[str, int]] = {
    "plain": {},
    "replica": {"replica": 3},
    "arbiter": {"replica": 3, "arbiter": 1},
    "disperse": {"disperse": 3, "redundancy": 1},
    "distribute": {"distribute": 3},
}
_MODULES = ("nodes",)


@dataclass
class Stage:
    """A round: what a scenario has in its hands.

    :ivar volume: the volume, and ``volume.cluster`` below it.
    :ivar choose: decides what is random, so that a seed gives the same round again.
    :ivar folder: the folder on the volume that the load writes to.
    :ivar journal: where the load notes what is safe.
    :ivar load: the process that writes.
    :ivar complaints: what the scenario itself found wrong, in words.
    """

    volume: sandbox.SandboxVolume
    choose: random.Random
    folder: str
    journal: str
    load: Any = None
    complaints: list[str] = field(default_factory=list)

    def pause(self, longest: float = 1.0) -> None:
        """Let the load write for a while."""
        time.sleep(self.choose.random() * longest)

    def go_on(self, records_more: int = 20) -> None:
        """Return when the load has got more records safe, which shows that it works again."""
        try:
            self.load.wait_safe(records_more)
        except TimeoutError as error:
            self.complaints.append(str(error))


@dataclass(frozen=True)
class Scenario:
    """What a scenario is.

    :ivar name: as the command line and the documentation call it.
    :ivar kinds: the kinds of volume that it makes sense on.
    :ivar harm: does it, once.
    :ivar options: the options of the volume.
    :ivar threads: how many threads of the load write.
    """

    name: str
    kinds: tuple[str, ...]
    harm: Callable[[Stage], None]
    options: Mapping[str, object]
    threads: int = 2


ALL: dict[str, Scenario] = {}


def scenario(name: str, *kinds: str, threads: int = 2, **options: object) -> Any:
    """Make a function a scenario; options have ``__`` for a dot and ``_`` for a hyphen."""

    def register(harm: Callable[[Stage], None]) -> Callable[[Stage], None]:
        words = {key.replace("__", ".").replace("_", "-"): value for key, value in options.items()}
        ALL[name] = Scenario(name, kinds, harm, words, threads)
        return harm

    return register


for _name in _MODULES:
    importlib.import_module(f"{__name__}.{_name}")
