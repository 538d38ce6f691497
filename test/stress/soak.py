"""Prove that a process stays as it is: a mix of all calls for half an hour, on a sandbox.

Several threads make calls of every kind at random on one mount, while a thread mounts and unmounts
others, a thread forks, and options of the volume change. What a thread writes, it reads again. Each
minute all hold still for a moment, and what the process uses is noted. ::

    python test/stress/soak.py --minutes 30 --json doc/figures/soak.json

Before that, the program of ``leaks.c`` tells what a mount and a change of the volume's graph leave
behind in C; so much is taken off. It needs what ``leaks.py`` needs. The exit code is 1 if the
process grows all the same, or a call failed that should not have, or it crashed.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import hashlib
import itertools
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import figures
import leaks
import leaks_rows
import usage

from gluster import gfapi
from gluster.gfapi import sandbox

MIB = 1 << 20
#: By how much the heap may grow in a minute beyond what C leaves, in bytes.
BOUND = 256 << 10
#: How many threads and descriptors there may be more at the end than after the warm-up.
SLACK = 24
PAUSE = 2.0  # seconds between two mounts, and between two forks
HEAP = "heap less C's, MiB"
SWITCH = 20.0  # seconds between two changes of the volume, on average
#: A graph that is left behind takes the small files with it that it has in its cache: in C too, but
#: how many is left to chance.
KEEPING_NOTHING = "performance.quick-read", "off"


# ---------------------------------------------------------------------------- the process


class Player(threading.Thread):
    """A thread that makes calls at random, in a folder of its own."""

    def __init__(self, game: Game, number: int) -> None:
        super().__init__(daemon=True)
        self.game, self.vol = game, game.vol
        self.choose = random.Random(f"{game.seed}-{number}")
        self.folder = f"/soak-{number}"

    def run(self) -> None:
        self.vol.makedirs(f"{self.folder}/tree/a/b", exist_ok=True)
        for name in ("one", "tree/two", "tree/a/b/three"):
            with self.vol.fopen(f"{self.folder}/{name}", "w") as file:
                file.write(leaks_rows.BLOCK)
        calls = [getattr(self, name) for name in vars(Player) if name.startswith("do_")]
        while True:
            self.game.make(self.choose.choice(calls))

    def do_write_and_read(self) -> None:
        name, size = f"{self.folder}/{self.choose.randrange(50)}", self.choose.randrange(1 << 18)
        content = hashlib.shake_128(f"{name} {size}".encode()).digest(size)
        with self.vol.fopen(name, "w") as file:
            file.write(content)
            if self.choose.random() < 0.2:
                file.fsync()
        with self.vol.fopen(name) as file:
            assert file.read() == content, f"{name} has other bytes than were written"

    def do_write_asynchronously(self) -> None:
        with self.vol.fopen(f"{self.folder}/async", "w+") as file:
            writes = [file.pwrite_async(leaks_rows.BLOCK, n * 4096) for n in range(8)]
            file.fsync_async().result()
            reads = [file.pread_async(4096, n * 4096) for n in range(8)]
            assert [write.result() for write in writes] == [4096] * 8
            assert all(read.result() == leaks_rows.BLOCK for read in reads)

    def do_rename_and_remove(self) -> None:
        path = f"{self.folder}/name"
        self.vol.fopen(path, "x").close()
        self.vol.link(path, f"{path}-2")
        self.vol.symlink("name-2", f"{path}-3")
        assert self.vol.stat(f"{path}-3").st_nlink == 2
        self.vol.rename(path, f"{path}-2")  # the same file: nothing happens
        for name in (path, f"{path}-2", f"{path}-3"):
            with contextlib.suppress(FileNotFoundError):
                self.vol.unlink(name)

    def do_read_directories(self) -> None:
        entries = self.vol.scandir(self.folder)
        for _ in range(self.choose.randrange(5)):
            next(entries, None)
        assert "one" in self.vol.listdir(self.folder)
        assert sum(len(files) for _, _, files in self.vol.walk(f"{self.folder}/tree")) == 2
        next(self.vol.walk_with_stat(f"{self.folder}/tree"))

    def do_copy_a_tree(self) -> None:
        self.vol.copytree(f"{self.folder}/tree", f"{self.folder}/copy")
        self.vol.rmtree(f"{self.folder}/copy")

    def do_fail(self) -> None:
        for error, call, arguments in (
            (FileNotFoundError, self.vol.stat, (f"{self.folder}/missing",)),
            (FileExistsError, self.vol.mkdir, (f"{self.folder}/tree",)),
            (IsADirectoryError, self.vol.fopen, (self.folder, "w")),
            (NotADirectoryError, self.vol.stat, (f"{self.folder}/one/x",)),
            (OSError, self.vol.rmdir, (self.folder,)),
            (OSError, self.vol.stat, ("/" + "x" * 300,)),
            (OSError, self.vol.getxattr, (f"{self.folder}/one", "user.missing")),
            (ValueError, self.vol.stat, ("a\0b",)),
            (TypeError, self.vol.stat, (None,)),
        ):
            try:
                call(*arguments)
            except error:
                continue
            raise AssertionError(f"{call} did not fail")

    def do_set_attributes(self) -> None:
        path = f"{self.folder}/one"
        self.vol.setxattr(path, "user.number", str(self.choose.random()))
        self.vol.listxattr(path)
        self.vol.removexattr(path, "user.number")
        self.vol.setacl(path, "u::rw-,u:1000:r--,g::r--,m::r--,o::r--")
        self.vol.utime(path, (1, 2))
        self.vol.chmod(path, 0o644)

    def do_lock(self) -> None:
        with self.vol.fopen(f"{self.folder}/one", "r+") as file:
            file.lockf(leaks_rows.LOCK_EX)
            file.pread(10, 0)

    def do_use_handles(self) -> None:
        handle = self.vol.lookup(f"{self.folder}/one")
        again = self.vol.lookup_gfid(handle.gfid)
        assert again == handle
        assert again.pread(4096, 0) == leaks_rows.BLOCK

    def do_watch(self) -> None:
        with self.vol.watch():
            self.vol.chmod(f"{self.folder}/one", 0o600)

    def do_call_as_another(self) -> None:
        with self.vol.identity(1000, 1000, [1001]):
            self.vol.stat(self.folder)

    def do_look_inside(self) -> None:
        _ = self.vol.meta.frames
        self.vol.statvfs("/")


class Game:
    """The process: its mount, its threads, and how they are held still.

    :ivar counts: calls of each kind that were made, and mounts and forks.
    :ivar problems: what should not have happened.
    """

    def __init__(self, host: str, volname: str, seed: str, threads: int, with_mounts: bool) -> None:
        self.place = host, volname
        self.seed = seed
        self.vol = gfapi.Volume(host, volname)
        self.vol.mount()
        self.counts = {"operations": 0, "mounts": 0, "forks": 0}
        self.problems: list[str] = []
        self._lock = threading.Condition()
        self._inside = 0
        self._is_paused = False
        for number in range(threads):
            Player(self, number).start()
        for regularly in (self.mount, self.fork) if with_mounts else (self.fork,):
            threading.Thread(target=self._make_again, args=(regularly,), daemon=True).start()

    def _make_again(self, call: Callable[[], None]) -> None:
        while True:
            self.make(call)
            time.sleep(PAUSE)

    def make(self, call: Callable[[], object]) -> None:
        with self._lock:
            self._lock.wait_for(lambda: not self._is_paused)
            self._inside += 1
        try:
            call()
        except Exception:
            self.problems.append(f"{call.__name__}: {traceback.format_exc()}")
        finally:
            with self._lock:
                self._inside -= 1
                self.counts["operations"] += 1
                self._lock.notify_all()

    def mount(self) -> None:
        with gfapi.Volume(*self.place) as vol:
            vol.listdir("/")
            vol.fopen("/soak-mounted", "a")
        self.counts["mounts"] += 1

    def fork(self) -> None:
        leaks_rows._fork(lambda: self.vol.stat("/"))
        self.counts["forks"] += 1

    def report(self) -> dict[str, Any]:
        """Hold all still, and tell what is used."""
        with self._lock:
            self._is_paused = True
            self._lock.wait_for(lambda: not self._inside)
        gc.collect()
        leaks_rows.tear_downs_over()
        used = usage.of_this_process()._asdict()
        with self._lock:
            self._is_paused = False
            self._lock.notify_all()
        return {**used, **self.counts, "problems": self.problems[:5]}


def play(host: str, volname: str, seed: str, threads: str, with_mounts: str) -> None:
    """Be the process that is looked at; each line asks it for a report."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    game = Game(host, volname, seed, int(threads), with_mounts == "True")
    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(game.report()), flush=True)
    os._exit(0)


# ---------------------------------------------------------------------------- the judgement


class LeftByC(NamedTuple):
    """What a C program leaves of the heap, in bytes.

    :ivar mount: by a mount.
    :ivar switch: by a change of the volume's graph.
    :ivar name: and then for each file and directory that the client knows.
    """

    mount: float = 0.0
    switch: float = 0.0
    name: float = 0.0


NOTHING = LeftByC()


def left_by_c(volumes: Sequence[sandbox.SandboxVolume], program: str) -> LeftByC:
    def measured(row: str, count: int) -> float:
        return leaks.measure(row, volumes, program, 3, count).heap_in_c or 0.0

    mount, switch = measured("mounts", 32), measured("switches", 4)
    return LeftByC(mount, switch, (measured("switches_knowing_many", 4) - switch) / 1000)


def names_on(volume: sandbox.SandboxVolume) -> int:
    """How many files and directories the players have made."""
    folders = [*Path(volume.bricks[0].path).glob("soak-*")]
    return sum(len(dirs) + len(files) for top in folders for _, dirs, files in os.walk(top))


def soak(
    volume: sandbox.SandboxVolume,
    minutes: float,
    seed: object,
    threads: int = 6,
    interval: float = 60.0,
    in_c: LeftByC = NOTHING,
    with_mounts: bool = True,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Let a process work, and note what it uses.

    In each third interval, options of the volume change.

    :param interval: seconds between two reports.
    :param in_c: what is taken off.
    :param with_mounts: whether a thread mounts; each report waits for the tear-downs then.
    :returns: a row for each report, and what is wrong, in words.
    """
    choose = random.Random(f"{seed}")
    command = [sys.executable, __file__, "--play", volume.hosts[0], volume.name]
    worker = leaks.Worker([*command, str(seed), str(threads), str(with_mounts)])
    rows: list[dict[str, Any]] = []
    switches, left, began = 0, 0.0, time.monotonic()
    try:
        while time.monotonic() - began < minutes * 60:
            until = time.monotonic() + interval
            while (rest := until - time.monotonic()) > 0:
                time.sleep(min(rest, choose.uniform(SWITCH / 2, SWITCH * 1.5)))
                if len(rows) % 3 == 1:
                    switches += 1
                    left += in_c.switch + in_c.name * names_on(volume)
                    leaks.switch([volume], switches % 2 == 1)
            told = worker.ask("report")
            in_all = left + told["mounts"] * in_c.mount
            rows.append(row_of(time.monotonic() - began, told, switches, volume, in_all))
            print(*(f"{key}: {value}" for key, value in rows[-1].items()), sep=", ", flush=True)
            if told["problems"]:
                return rows, told["problems"]
    finally:
        worker.end()
    return rows, list(wrong_with(rows, bool(in_c.switch)))


def row_of(
    seconds: float,
    told: dict[str, Any],
    switches: int,
    volume: sandbox.SandboxVolume,
    left: float,  # by C
) -> dict[str, Any]:
    return {
        "minute": round(seconds / 60, 1),
        "operations": told["operations"],
        "mounts": told["mounts"],
        "forks": told["forks"],
        "graph switches": switches,
        "memory, MiB": round(told["memory"] / MIB, 2),
        "heap, MiB": round(told["heap"] / MIB, 2),
        HEAP: round((told["heap"] - left) / MIB, 2),
        "Python's pieces": told["blocks"],
        "objects": told["objects"],
        "threads": told["threads"],
        "descriptors": told["descriptors"],
        "on bricks": leaks.open_on(volume),
    }


def wrong_with(rows: Sequence[dict[str, Any]], takes_switches_off: bool) -> list[str]:
    """The bounds that are broken, after a third of the time for a warm-up."""
    rows = rows[len(rows) // 3 :]
    if len(rows) < 2:
        return []
    problems = []
    # A graph costs in the minute after its change, but is taken off in that of the next change: so
    # only the long run says what the calls cost. Unless it is taken off, no graph may change.
    pairs = itertools.combinations(rows, 2) if takes_switches_off else zip(rows, rows[1:])
    grown = [
        (after[HEAP] - before[HEAP]) * MIB / (after["minute"] - before["minute"])
        for before, after in pairs
        if (takes_switches_off or before["graph switches"] == after["graph switches"])
        and before["minute"] < after["minute"]  # which are rounded
    ]
    if grown and statistics.median(grown) > BOUND:
        problems.append(f"the heap grows by {statistics.median(grown):.0f} bytes a minute")
    for key in ("objects", "threads", "descriptors", "on bricks"):
        if rows[-1][key] - rows[0][key] > SLACK:
            problems.append(f"{key}: from {rows[0][key]} to {rows[-1][key]}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30, help="(default: %(default)s)")
    parser.add_argument("--interval", type=float, default=60, help="of reports, in seconds")
    parser.add_argument("--threads", type=int, default=6)
    parser.add_argument(
        "--in-c",
        type=lambda text: LeftByC(*map(float, text.split(","))),
        help="what is left in C by a mount, a change of the graph and a name in it, if known",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--json", help="the file of figures to keep them in")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder, sandbox.Cluster(nodes=1) as cluster:
        pair = leaks.made(cluster, "python"), leaks.made(cluster, "c")
        for volume in pair:
            volume.set_option(*KEEPING_NOTHING)
        in_c = options.in_c or left_by_c(pair, leaks.built(folder))
        print(f"in C, of the heap: {in_c}", flush=True)
        arguments = (options.minutes, options.seed, options.threads, options.interval, in_c)
        rows, problems = soak(pair[0], *arguments)
    print(*problems, sep="\n")
    if options.json:
        figures.keep(options.json, ["minute"], rows)
    return 1 if problems else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(*sys.argv[2:])
    else:
        sys.exit(main())
