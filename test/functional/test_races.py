"""Races and lifetimes: a few rounds of each scenario of test/stress/races.py."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster.gfapi import sandbox

# Those that take a second and more for a round are left to the long form, but for one of a sort.
ROUNDS = {
    "close-against-io": 10,
    "close-by-many": 10,
    "dir-shared": 10,
    "scandir-shared": 10,
    "raw-against-close": 10,
    "collected-in-odd-order": 2,
    "ctrl-c-in-calls": 20,
    "ctrl-c-in-opens": 20,
    "exceptions-in-calls": 20,
    "exceptions-under-load": 10,
    "umount-against-everything": 1,
    "open-racing-umount": 1,
    "ctrl-c-in-mounts": 1,
    "fork-inside-calls": 1,
    "subinterpreters": 1,
}


@pytest.fixture(scope="module")
def races() -> Iterator[Any]:
    """The program, whose modules import each other as a script's do."""
    folder = str(Path(__file__).parents[1] / "stress")
    sys.path.insert(0, folder)
    try:
        import races

        races.racing.load()
        yield races
    finally:
        sys.path.remove(folder)


def test_no_race_or_interrupt_crashes_hangs_or_leaks(cluster: sandbox.Cluster, races: Any) -> None:
    volume = races.create_volume(cluster)

    def play(name: str) -> Any:
        return races.run(volume, races.racing.ALL[name], ROUNDS[name], seed=1, jobs=1)

    with ThreadPoolExecutor(2) as pool:
        tallies = dict(zip(ROUNDS, pool.map(play, ROUNDS)))
    assert {name: tally for name, tally in tallies.items() if not tally.is_good} == {}
    assert {name: tally.rounds for name, tally in tallies.items()} == ROUNDS
    volume.stop()
    volume.delete()


def test_an_interrupted_mount_is_torn_down(
    plain: sandbox.SandboxVolume, output_of: Callable[..., str]
) -> None:
    program = """
        import signal
        from gluster.gfapi import ending, start
        initialise = start.api.glfs_init

        def send(glfs):
            while not glfs.calls:
                time.sleep(0.0001)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGALRM)

        def interrupted(glfs):
            threading.Thread(target=send, args=(glfs,)).start()
            return initialise(glfs)

        start.api.glfs_init = interrupted
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        try:
            vol.mount()
        except KeyboardInterrupt:
            print(vol.mounted)
        deadline = time.monotonic() + 30
        while not ending._ending and time.monotonic() < deadline:
            time.sleep(0.01)
        print(len(ending._ending))
        start.api.glfs_init = initialise
        with vol:
            vol.stat("/")
    """
    assert output_of(plain, "", program) == "False\n1\n"


def test_a_call_whose_submission_is_interrupted_holds_up_no_other(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
        from gluster.gfapi import workers
        vol.mount()
        file = vol.fopen(folder + "/file", "w+")
        do = workers.Workers.do

        def interrupted(self, job):
            raise KeyboardInterrupt

        for submit in (file.pwrite_async, lambda data, _: file.write_async(data),
                       lambda *_: file.fsync_async()):
            workers.Workers.do = interrupted
            try:
                submit(b"x", 0)
            except KeyboardInterrupt:
                workers.Workers.do = do
            file.write_async(b"ab").result(30)
            file.fsync_async().result(30)
        file.close()
        print(vol.getsize(folder + "/file"))
        vol.umount()
    """
    assert output_of(plain, plain_folder, program) == "6\n"
