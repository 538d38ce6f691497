"""Bricks and nodes that die, hang or are slow."""

from __future__ import annotations

from . import Stage, scenario


@scenario("brick-killed", "replica", "arbiter", "disperse", "distribute", network__ping_timeout=5)
def brick_killed(stage: Stage) -> None:
    """A brick dies and is started again."""
    number = stage.choose.randrange(len(stage.volume.bricks))
    stage.pause()
    stage.volume.kill_brick(number)
    stage.pause()
    stage.volume.start_brick(number)
    stage.go_on()
