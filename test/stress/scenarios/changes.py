"""Volumes that change while programs use them: options, bricks added and replaced.

Each change gives clients a new graph. Beside the load, companions walk, copy, lock and fork.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import companions

from gluster.gfapi import sandbox

from . import Stage, scenario

#: Options that add a translator to the client's graph or take one out, so it is made anew. Not
#: performance.io-cache: with that, GlusterFS gives out old content also while nothing changes.
SWITCHES = (
    "performance.quick-read",
    "performance.stat-prefetch",
    "performance.write-behind",
    "performance.read-ahead",
    "performance.open-behind",
    "performance.nl-cache",
    "performance.readdir-ahead",
)
FULL = 300.0  # seconds until a new brick has all
AGAIN = 20.0  # seconds until a heal is asked for once more


@contextlib.contextmanager
def company(stage: Stage, **known: str) -> Iterator[None]:
    """A block with companions beside the load.

    :param known: what counts as nothing wrong: the column that it is counted in, by the name that
        ``companions`` has for its words.
    """
    seed = stage.choose.random()
    with companions.Company(stage.volume, f"{stage.load.journal}-companions", seed) as members:
        yield
    columns = {companions.FORKED_BADLY: "children that refuse"}
    columns.update((getattr(companions, name), column) for name, column in known.items())
    for what in members.wrong:
        column = next((column for words, column in columns.items() if words in what), None)
        if column:
            stage.done[column] += 1
        else:
            stage.complaints.append(what)
    stage.complaints += [members.crash] if members.crash else []
    stage.done.update(members.done)


@scenario("volume-set", "plain", "replica", "disperse", "distribute")
def volume_set(stage: Stage) -> None:
    """Options change, again and again."""
    with company(stage):
        for _ in range(stage.choose.randint(1, 5)):
            option = stage.choose.choice(SWITCHES)
            is_on = stage.volume.options().get(option, "off") == "on"
            stage.volume.set_option(option, not is_on)
            stage.done["changes"] += 1
            stage.pause()
        stage.go_on()


@scenario("brick-added", "distribute", fresh=True)
def brick_added(stage: Stage) -> None:
    """A brick is added and the files are spread anew.

    Meanwhile GlusterFS itself lists files twice or not at all, so that is only counted.
    """
    with company(stage, PARTLY="listings in part"):
        stage.pause()
        stage.volume.add_bricks()
        stage.done["changes"] += 1
        stage.pause()
        stage.volume.rebalance()
        stage.go_on()


@scenario("brick-replaced", "replica", "disperse")
def brick_replaced(stage: Stage) -> None:
    """An empty brick takes the place of one and is healed, while all go on.

    GlusterFS may go on asking the brick for a directory that is not open on the new one.
    """
    number = stage.choose.randrange(len(stage.volume.bricks))
    with company(stage, LEFT_BEHIND="directories opened again"):
        stage.pause()
        stage.volume.replace_brick(number)
        stage.done["changes"] += 1
        if stage.volume.layout.disperse:
            stage.volume.heal(full=True)
        stage.go_on()
        wait_full(stage, number)


def wait_full(stage: Stage, number: int) -> None:
    """Return when a new brick has all that the companions have on the others."""
    home, began = companions.HOME, time.monotonic()
    new, other = (stage.volume.bricks[n].path + home for n in (number, number - 1))
    healed = began
    while lacking := [path for path in files(other) if not os.path.exists(new + path)]:
        if time.monotonic() > began + FULL:
            stage.complaints.append(f"after {FULL} s the new brick lacks {lacking[:10]}")
            return
        if time.monotonic() > healed + AGAIN:  # the daemon may not have seen the brick before
            with contextlib.suppress(sandbox.SandboxError):
                stage.volume.heal(full=True)
            healed = time.monotonic()
        time.sleep(0.5)


def files(top: str) -> Iterator[str]:
    for folder in ("tree", "source"):
        for above, _, names in os.walk(f"{top}/{folder}"):
            yield from (f"{above[len(top) :]}/{name}" for name in names)
