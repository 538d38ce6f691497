"""Bricks and nodes that die, hang or are slow."""

from __future__ import annotations

from . import Stage, scenario

_REDUNDANT = ("replica", "arbiter", "disperse")
_ALL = (*_REDUNDANT, "distribute")


@scenario("brick-killed", *_ALL)
def brick_killed(stage: Stage) -> None:
    """A brick dies and is started again."""
    number = stage.choose.randrange(len(stage.volume.bricks))
    stage.pause()
    stage.volume.kill_brick(number)
    stage.pause(2)
    if stage.is_redundant:
        stage.look()
    stage.volume.start_brick(number)
    stage.go_on()
    stage.look()
