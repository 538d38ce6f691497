"""Programs that write while bricks and nodes die: a few rounds of the proof in test/stress."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import hanging
import pytest

from gluster.gfapi import sandbox


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[sandbox.Cluster]:
    with sandbox.Cluster(nodes=3) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def faults() -> Iterator[Any]:
    folder = str(Path(__file__).parents[1] / "stress")
    sys.path.insert(0, folder)
    import faults

    yield faults
    sys.path.remove(folder)


@pytest.mark.parametrize(
    ("name", "kind"), [("node-killed", "replica"), ("brick-killed", "distribute")]
)
def test_what_a_sync_has_made_safe_stays_when_bricks_and_nodes_die(
    three_nodes: sandbox.Cluster, faults: Any, tmp_path: Path, name: str, kind: str
) -> None:
    volume = three_nodes.create_volume(kind, **faults.scenarios.KINDS[kind])
    seed = str(random.randrange(1 << 32))
    tally = faults.play(volume, faults.scenarios.ALL[name], seed, str(tmp_path))
    assert tally.is_good, (seed, tally.complaints)
    assert tally.safe > 20, seed
    volume.delete()


@contextlib.contextmanager
def stopped(process: sandbox.Node) -> Iterator[None]:
    pid = process.pid
    assert pid
    hanging.stop(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_mount_asks_the_next_host_when_one_hangs(
    three_nodes: sandbox.Cluster, output_of: Callable[..., str]
) -> None:
    """Libgfapi waits for it for ever. What is left of that attempt goes when the host goes on."""
    volume = three_nodes.create_volume("asked")
    program = """
    import gluster.gfapi.start, gluster.gfapi.attempt, gluster.gfapi.ending, signal
    gluster.gfapi.start._SILENCE = 0.5
    gluster.gfapi.ending.FINI_DELAY = 0.0
    def inits():
        return [thread for thread in threading.enumerate() if thread.name == "glfs_init"]
    last = vol.hosts[-1]
    vol = gfapi.Volume([last, vol.hosts[0]], vol.volname)
    vol.mount()
    print(vol.listdir("/"), bool(inits()))
    gluster.gfapi.attempt.INIT_TIMEOUT = 1.0
    try:
        gfapi.Volume(last, vol.volname).mount()
    except gfapi.LibgfapiException as error:
        print(error.errno, error)
    os.kill(int(arguments[0]), signal.SIGCONT)
    while inits():
        time.sleep(0.01)
    while any(thread.name == "glfs_fini" for thread in threading.enumerate()):
        time.sleep(0.1)
    print(vol.listdir("/"))
    """
    with stopped(three_nodes.nodes[-1]):
        said = output_of(volume, "", program, str(three_nodes.nodes[-1].pid)).splitlines()
    assert said[0] == "[] True"
    assert "glusterd hangs" in said[1]
    assert said[2:] == ["[]"]
    volume.delete()
