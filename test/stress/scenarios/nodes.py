"""Bricks and nodes that die, hang or are slow."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from gluster import gfapi
from gluster.gfapi import sandbox

from . import Stage, scenario

_REDUNDANT = ("replica", "arbiter", "disperse")
_ALL = (*_REDUNDANT, "distribute")
_PING = 5.0  # seconds, network.ping-timeout


def _calls_succeed(stage: Stage) -> contextlib.AbstractContextManager[None]:
    """Without one of its bricks, a volume that is redundant goes on as if nothing was."""
    return stage.no_errors() if stage.is_redundant else contextlib.nullcontext()


@scenario("brick-killed", *_ALL)
def brick_killed(stage: Stage) -> None:
    """A brick dies and is started again."""
    number = stage.choose.randrange(len(stage.volume.bricks))
    with _calls_succeed(stage):
        stage.pause()
        stage.volume.kill_brick(number)
        stage.pause(2)
        if stage.is_redundant:
            stage.look()
        stage.volume.start_brick(number)
        stage.go_on()
    stage.look()


@scenario("node-killed", *_ALL)
def node_killed(stage: Stage) -> None:
    """A node dies with all that runs on it, and is started again."""
    cluster = stage.volume.cluster
    number = stage.choose.randrange(len(cluster.nodes))
    with _calls_succeed(stage):
        stage.pause()
        cluster.kill_node(number)
        stage.pause(2)
        if stage.is_redundant:
            stage.look()
        cluster.start_node(number)
        stage.go_on()
    stage.look()


@scenario("volfile-server-gone", *_ALL)
def volfile_server_gone(stage: Stage) -> None:
    """The glusterd dies that has given the volfile to all clients, and is started again."""
    volume = stage.volume
    server = volume.cluster.nodes[0]
    with stage.no_errors():
        stage.pause()
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        stage.go_on()
        with volume.client() as vol:  # which asks the next host
            vol.listdir("/")
        if stage.is_redundant:  # a new client cannot ask for the port of the brick beside it
            stage.look()
        try:
            gfapi.Volume(server.host, volume.name).mount()
        except gfapi.LibgfapiException as error:
            if server.host not in str(error):
                stage.complaints.append(f"the error does not name the dead host: {error}")
        else:
            stage.complaints.append("a mount has succeeded without any host")
        server.finish_launch(server.launch())
        volume.wait_online()
        stage.go_on()
    stage.look()


@scenario("brick-hangs-shortly", *_ALL, network__ping_timeout=int(_PING))
def brick_hangs_shortly(stage: Stage) -> None:
    """A brick hangs, perhaps several times, for less than the ping timeout."""
    brick = stage.choose.choice(stage.volume.bricks)
    with stage.no_errors():
        for _ in range(stage.choose.randint(1, 3)):
            stage.pause()
            with _stopped(brick):
                time.sleep(stage.choose.uniform(0.05, _PING * 0.6))
        stage.go_on()
    stage.look()


@scenario("brick-hangs-long", *_ALL, network__ping_timeout=int(_PING))
def brick_hangs_long(stage: Stage) -> None:
    """A brick hangs for longer than the ping timeout."""
    brick = stage.choose.choice(stage.volume.bricks)
    with _calls_succeed(stage):
        stage.pause()
        with _stopped(brick):
            time.sleep(stage.choose.uniform(_PING * 1.2, _PING * 3))
            if stage.is_redundant:
                stage.go_on()
        stage.go_on()
    stage.look()


@contextlib.contextmanager
def _stopped(brick: sandbox.Brick) -> Iterator[None]:
    pid = brick.pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@scenario("brick-slow", *_ALL)
def brick_slow(stage: Stage) -> None:
    """One brick is slower than the others, and before and after that it is started anew."""
    volume = stage.volume
    number = stage.choose.randrange(len(volume.bricks))
    with _calls_succeed(stage):
        stage.pause()
        with _slow(volume, number, stage.choose.choice((5, 20, 100))):
            stage.go_on()
            with stage.no_errors():
                stage.pause(3)
                stage.look()
        stage.go_on()
    stage.look()


@contextlib.contextmanager
def _slow(volume: sandbox.SandboxVolume, number: int, delay: int) -> Iterator[None]:
    """Give each call on a brick a delay, in milliseconds."""
    brick = volume.bricks[number]
    name = f"{volume.name}.{brick.host}.{brick.path.strip('/').replace('/', '-')}.vol"
    place = Path(brick.node.folder, "glusterd", "vols", volume.name, name)
    volfile = place.read_text()
    posix = f"subvolumes {volume.name}-posix"
    delaying = (
        f"volume slow\n    type debug/delay-gen\n    option delay-percentage 100\n"
        f"    option delay-duration {delay * 1000}\n    {posix}\nend-volume\n\n"
    )
    begin, end = volfile.split("\n\n", 1)
    _start_anew(
        volume, number, place, begin + "\n\n" + delaying + end.replace(posix, "subvolumes slow\n")
    )
    try:
        yield
    finally:
        _start_anew(volume, number, place, volfile)


def _start_anew(volume: sandbox.SandboxVolume, number: int, place: Path, volfile: str) -> None:
    volume.kill_brick(number)
    place.write_text(volfile)
    volume.start_brick(number)
