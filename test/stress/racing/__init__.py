"""Races and lifetimes: a scenario is a function that plays one round of them.

Each module has the scenarios of one sort. A process plays many rounds of one scenario on a mount of
its own; see ``races.py``, which starts them and counts what came of them. ::

    @scenario("scandir-shared")
    def scandir_shared(stage: Stage) -> None:
        ...
"""

from __future__ import annotations

import errno
import faulthandler
import gc
import glob
import importlib
import itertools
import json
import os
import random
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

from gluster import gfapi

#: How long a round may take, in seconds.
HANG = 90.0
#: How long the bricks may take to close what nobody has open any more, in seconds.
SETTLE = 15.0
_numbers = itertools.count()
_MODULES = ("files", "mounts", "lifetimes", "interrupts", "forking", "ends", "copies")


@dataclass
class Stage:
    """What a round has in its hands.

    :ivar vol: the volume; mounted, unless the scenario mounts for itself.
    :ivar choose: decides what is random, so that a seed gives the same choices again.
    :ivar folder: a folder on the volume for this process.
    :ivar wrong: what was not as it should be, in words.
    """

    vol: gfapi.Volume
    choose: random.Random
    folder: str
    wrong: list[str] = field(default_factory=list)

    def path(self) -> str:
        """A path where nothing is."""
        return f"{self.folder}/{os.getpid()}-{next(_numbers)}"

    def pause(self, longest: float) -> None:
        """Wait for a random time of so many seconds at most."""
        time.sleep(self.choose.random() * longest)

    def another(self) -> gfapi.Volume:
        """The same volume once more, not mounted."""
        return gfapi.Volume(self.vol.hosts, self.vol.volname)

    def attempt(self, action: Callable[[], Any], *allowed: int) -> Optional[BaseException]:
        """Do something that may be refused, as of a closed file or an unmounted volume.

        :param allowed: which other errnos are no surprise.
        :returns: what it raised, or None.
        """
        try:
            action()
        except Exception as error:
            if not is_refusal(error, allowed):
                self.wrong.append(traceback.format_exc())
            return error
        return None

    def together(self, *actions: Callable[[], Any], daemon: bool = False) -> list[threading.Thread]:
        """Start a thread for each of some actions, all at once."""
        barrier = threading.Barrier(len(actions))

        def run(action: Callable[[], Any]) -> None:
            barrier.wait()
            self.attempt(action)

        threads = [threading.Thread(target=run, args=(a,), daemon=daemon) for a in actions]
        for thread in threads:
            thread.start()
        return threads


def is_refusal(error: BaseException, allowed: Sequence[int] = ()) -> bool:
    """Whether it says that something is closed or unmounted, and no more."""
    if isinstance(error, gfapi.VolumeNotMounted):
        return True
    if isinstance(error, gfapi.Error):  # those of a tree, in words
        told = str(error)
        return "not mounted" in told or "Bad file descriptor" in told
    return isinstance(error, OSError) and error.errno in (errno.EBADF, *allowed)


@dataclass(frozen=True)
class Scenario:
    """What a scenario is.

    :ivar name: as the command line and the documentation call it.
    :ivar play: plays a round.
    :ivar batch: how many rounds a process plays. It is few where each mounts: of more than three a
        second the tear-downs would have to be waited for. With 1, the process ends as the round
        has it, and its exit code is to be ``code``.
    :ivar is_mounted: whether the process mounts the volume for its rounds.
    :ivar code: how a process ends whose end is the scenario.
    :ivar cost: how many ordinary rounds one of these is worth, in time.
    """

    name: str
    play: Callable[[Stage], None]
    batch: int = 200
    is_mounted: bool = True
    code: int = 0
    cost: int = 1


ALL: dict[str, Scenario] = {}


def scenario(name: str, **rest: Any) -> Callable[[Callable[[Stage], None]], Any]:
    """Make a function a scenario."""

    def register(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        ALL[name] = Scenario(name, play, **rest)
        return play

    return register


# --------------------------------------------------------------------- the process of some rounds


def main(arguments: Sequence[str]) -> None:
    """Be the process of some rounds, which are told to a file as they are over."""
    name, seed, first, count, hosts, volname, folder, journal = arguments
    load()
    chosen = ALL[name]
    with open(journal, "w", encoding="utf-8", buffering=1) as told:
        vol = gfapi.Volume(json.loads(hosts), volname)
        if chosen.is_mounted:
            vol.mount()
        for number in range(int(first), int(first) + int(count)):
            faulthandler.dump_traceback_later(HANG, exit=True)
            stage = Stage(vol, random.Random(f"{name}-{seed}-{number}"), folder)
            # The shorter the turns of the threads, the more often they meet.
            sys.setswitchinterval(stage.choose.choice((5e-3, 1e-4, 1e-5)))
            told.write(json.dumps({"began": number}) + "\n")
            chosen.play(stage)
            told.write(json.dumps({"over": number, "wrong": stage.wrong}) + "\n")
        if chosen.batch == 1:
            return  # and end with all that is open
        if chosen.is_mounted:
            faulthandler.dump_traceback_later(HANG, exit=True)
            told.write(json.dumps({"leaks": left_over(vol, folder)}) + "\n")
            vol.stat("/")
            vol.umount()
        faulthandler.cancel_dump_traceback_later()


def left_over(vol: gfapi.Volume, folder: str) -> list[str]:
    """What is still open or held by a mount that nobody uses any more, in words."""
    gc.collect()
    mount = vol._mount
    deadline = time.monotonic() + SETTLE
    while time.monotonic() < deadline:
        found = [
            *(f"open: {d.path!r}" for d in list(mount.descriptors)),
            *(f"held: {o.path!r}" for o in list(mount.objects)),
            *("a call inside" for _ in mount.calls),
            *(f"on a brick: {path}" for path in open_on_bricks(folder)),
        ]
        if not found:
            break
        time.sleep(0.05)
    return found


def on_bricks_for_long(folder: str) -> list[str]:
    """What the bricks still have open of a folder after a while, in words."""
    deadline = time.monotonic() + SETTLE
    while (found := open_on_bricks(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [f"on a brick: {path}" for path in found]


def open_on_bricks(folder: str) -> list[str]:
    """The files below a folder of the volume that the bricks of this machine have open."""
    found = []
    for place in os.environ["RACES_BRICKS"].split(":"):
        pid, brick = place.split("=", 1)
        for descriptor in glob.glob(f"/proc/{pid}/fd/*"):
            try:
                path = os.readlink(descriptor)
            except OSError:
                continue
            if path.startswith(f"{brick}{folder}/"):
                found.append(path)
    return found


def load() -> None:
    """Import the modules of the scenarios."""
    faulthandler.enable()
    for module in _MODULES:
        importlib.import_module(f"{__name__}.{module}")


def ignore_in_finalizers() -> None:
    """Have nothing said of interrupts that fall into a ``__del__``: Python drops them."""
    former = sys.unraisablehook

    def tell(unraisable: Any) -> None:
        if issubclass(unraisable.exc_type, Exception):
            former(unraisable)

    sys.unraisablehook = tell
