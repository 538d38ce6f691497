"""What happens to a cluster while programs write to it: a scenario is a function that does harm.

Each module has the scenarios of one sort. ::

    @scenario("brick-killed", "replica", "arbiter")
    def brick_killed(stage: Stage) -> None:
        ...

At its end the cluster is to be as at its begin, unless it is ``fresh=True``: then each round has a
volume of its own.
"""

from __future__ import annotations

import collections
import contextlib
import importlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import records

from gluster.gfapi import sandbox

if TYPE_CHECKING:
    import load

KINDS: dict[str, dict[str, int]] = {
    "plain": {},
    "replica": {"replica": 3},
    "arbiter": {"replica": 3, "arbiter": 1},
    "disperse": {"disperse": 3, "redundancy": 1},
    "distribute": {"distribute": 3},
}
_MODULES = ("nodes", "changes", "limits", "quorum")


@dataclass
class Stage:
    """A round: what a scenario has in its hands.

    :ivar volume: the volume, and ``volume.cluster`` below it.
    :ivar choose: decides what is random, so that a seed gives the same round again.
    :ivar folder: the folder on the volume that the load writes to.
    :ivar load: the process that writes.
    :ivar complaints: what the scenario itself found wrong, in words.
    :ivar done: what else it has done how often, for the figures.
    """

    volume: sandbox.SandboxVolume
    choose: random.Random
    folder: str
    load: load.Load
    complaints: list[str] = field(default_factory=list)
    done: collections.Counter[str] = field(default_factory=collections.Counter)

    @property
    def is_redundant(self) -> bool:
        """Whether the volume does without any one brick."""
        return bool(self.volume.layout.replica or self.volume.layout.disperse)

    def pause(self, longest: float = 1.0) -> None:
        """Let the load write for a while."""
        time.sleep(self.choose.random() * longest)

    def go_on(self, more: int = 20, timeout: float = 60.0) -> None:
        """Return when the load has got more records safe and no call of it fails any more."""
        try:
            self.load.go_on(more, timeout)
        except TimeoutError as error:
            self.complaints.append(str(error))

    @contextlib.contextmanager
    def no_errors(self) -> Any:
        """A block in which no call of the load may fail."""
        before = self.load.now.errors
        yield
        if self.load.now.errors > before:
            self.complaints.append("calls have failed that should not")

    def look(self) -> None:
        """Have a client that is mounted now read what is safe by now."""
        try:
            with self.volume.client() as vol:
                places = {"a new client": records.from_client(vol)}
                found = records.check(self.load.journal, places).misread
                again = records.check(self.load.journal, places).misread if found else []
        except OSError as error:
            self.complaints.append(f"a new client cannot mount: {error}")
        else:
            self.complaints += [f"{what}, {'still' if what in again else 'once'}" for what in found]


def three_nodes() -> sandbox.Cluster:
    return sandbox.Cluster(nodes=3)


@dataclass(frozen=True)
class Scenario:
    """What a scenario is.

    :ivar name: as the command line and the documentation call it.
    :ivar kinds: the kinds of volume that it makes sense on; rounds are spread over them.
    :ivar harm: does it, once.
    :ivar options: the options of the volume.
    :ivar threads: how many threads of the load write.
    :ivar fresh: whether each round has a new volume.
    :ivar cluster: makes the cluster, not started yet.
    """

    name: str
    kinds: tuple[str, ...]
    harm: Callable[[Stage], None]
    options: Mapping[str, object]
    threads: int = 2
    fresh: bool = False
    cluster: Callable[[], sandbox.Cluster] = three_nodes


ALL: dict[str, Scenario] = {}


def scenario(
    name: str,
    *kinds: str,
    threads: int = 2,
    fresh: bool = False,
    cluster: Callable[[], sandbox.Cluster] = three_nodes,
    **options: object,
) -> Any:
    """Make a function a scenario; options have ``__`` for a dot and ``_`` for a hyphen."""

    def register(harm: Callable[[Stage], None]) -> Callable[[Stage], None]:
        words = {key.replace("__", ".").replace("_", "-"): value for key, value in options.items()}
        ALL[name] = Scenario(name, kinds, harm, words, threads, fresh, cluster)
        return harm

    return register


for _name in _MODULES:
    importlib.import_module(f"{__name__}.{_name}")
