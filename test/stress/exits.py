"""Prove that a program may end in any way and loses nothing: thousands of them do, on a sandbox.

Each round is a process that writes without a sync and ends in one of the ways below. What it has
been told is written is then looked for on the bricks themselves: every byte, in each copy, and on a
replicated volume nothing may be left to heal. ::

    python test/stress/exits.py --rounds 2000 --kind replica --seed 1

It needs root and the GlusterFS server. The exit code is 1 if anything was lost, crashed or hung.
One round can be had again by its seed and number: ``--seed 1 --only 517``.
"""

from __future__ import annotations

import argparse
import atexit
import collections
import contextlib
import faulthandler
import glob
import hashlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from gluster import gfapi
from gluster.gfapi import ending as tear_down
from gluster.gfapi import sandbox

HANG = 90.0  # seconds
TEAR_DOWN = 12.0  # seconds, the longest
SLEEPERS = 8  # processes that wait for a moment of the tear-down, beside those that work
DELAY = 3000  # microseconds, of each call on a slow volume


# ---------------------------------------------------------------------- the process of a round


class Round:
    """What a process writes, and a journal of what it was told is written."""

    def __init__(self, choose: random.Random, places: Sequence[Any], journal: str) -> None:
        self.choose = choose
        self.places = [tuple(place) for place in places]
        self.journal = os.open(journal, os.O_WRONLY | os.O_APPEND)
        self.folder = ""
        self.numbers = itertools.count()
        self.kept: list[Any] = []  # for the end of the interpreter

    def volume(self, place: int = 0) -> gfapi.Volume:
        """A volume, mounted."""
        hosts, name = self.places[place]
        vol = gfapi.Volume(hosts, name)
        vol.mount()
        with contextlib.suppress(FileExistsError):
            vol.mkdir(self.folder)
        self.kept.append(vol)
        return vol

    def write(self, vol: gfapi.Volume, records: int = 20) -> None:
        """Write a file record by record, and close it or not."""
        choose = random.Random(self.choose.random())
        name = f"{self.folder}/{os.getpid()}-{next(self.numbers)}"
        stream, size = content(name, records * (1 << 16)), 0
        file = vol.fopen(name, choose.choice(("w", "x", "a")))
        for _ in range(choose.randint(1, records)):
            count = file.write(stream[size : size + choose.randint(1, 1 << 16)])
            size += count
            self.note(vol, name, size)
        if choose.random() < 0.5:
            file.close()
        else:
            self.kept.append(file)

    def write_some(self, vol: gfapi.Volume) -> None:
        for _ in range(self.choose.randint(1, 4)):
            self.write(vol)

    def note(self, vol: gfapi.Volume, name: str, size: int) -> None:
        os.write(self.journal, json.dumps([vol.volname, name, size]).encode() + b"\n")

    def work_until_refused(self, vol: gfapi.Volume) -> None:
        """Write and look around for as long as it goes."""
        while True:
            self.write(vol, 5)
            vol.listdir(self.folder)
            vol.stat(self.folder)

    def threads(self, vol: gfapi.Volume, daemon: bool) -> list[threading.Thread]:
        threads = [
            threading.Thread(target=self._until_unmounted, args=(vol,), daemon=daemon)
            for _ in range(self.choose.randint(1, 6))
        ]
        for thread in threads:
            thread.start()
        time.sleep(self.choose.random() * 0.05)
        return threads

    def _until_unmounted(self, vol: gfapi.Volume) -> None:
        with contextlib.suppress(gfapi.VolumeNotMounted):
            try:
                self.work_until_refused(vol)
            except OSError as error:
                if error.errno != 9:
                    raise


def content(name: str, length: int) -> bytes:
    """What a file of this name has from its beginning on."""
    return hashlib.shake_128(name.encode()).digest(length)


def by_umount(round: Round) -> None:
    vol = round.volume()
    round.write_some(vol)
    vol.umount()
    os._exit(0)  # nothing but the unmount may be needed


def by_umount_under_threads(round: Round) -> None:
    vol = round.volume()
    threads = round.threads(vol, daemon=False)
    vol.umount()
    for thread in threads:
        thread.join()
    os._exit(0)


def without_a_word(round: Round) -> None:
    round.write_some(round.volume())


def by_sys_exit(round: Round) -> None:
    round.write_some(round.volume())
    sys.exit(0)


def by_an_exception(round: Round) -> None:
    with round.volume() if round.choose.random() < 0.5 else contextlib.nullcontext() as vol:
        round.write_some(vol or round.volume())
        raise Expected


def with_daemon_threads(round: Round) -> None:
    round.threads(round.volume(), daemon=True)


def with_threads_that_go_on(round: Round) -> None:
    vol = round.volume()
    for _ in range(3):
        threading.Thread(target=round.write, args=(vol,)).start()


def beside_an_umount(round: Round) -> None:
    vols = [round.volume() for _ in range(3)]
    for vol in vols:
        round.write(vol)
        threading.Thread(target=vol.umount, daemon=True).start()


def in_the_tear_down(round: Round) -> None:
    """Of several mounts, each as far as chance has it."""
    tear_down.FINI_DELAY = round.choose.random()
    began = time.monotonic()
    span = round.choose.random() * TEAR_DOWN
    for moment in sorted(round.choose.random() * span for _ in range(round.choose.randint(1, 5))):
        time.sleep(max(0.0, began + moment - time.monotonic()))
        vol = round.volume()
        round.write(vol)
        vol.umount()
    round.write(round.volume())
    time.sleep(max(0.0, began + span - time.monotonic()))


def at_the_end_of_the_tear_down(round: Round) -> None:
    """Where all is freed: about ten seconds after the mount, or eleven."""
    tear_down.FINI_DELAY = 0.0
    began = time.monotonic()
    vols = [round.volume() for _ in range(4)]
    for vol in vols:
        round.write(vol, 3)
        vol.umount()
    moment = round.choose.choice((10.0, 11.0)) + round.choose.uniform(-0.03, 0.05)
    time.sleep(began + moment - time.monotonic())


def after_many_mounts(round: Round) -> None:
    for _ in range(round.choose.randint(2, 8)):
        with round.volume() as vol:
            round.write(vol, 3)


def with_several_volumes(round: Round) -> None:
    for place in range(len(round.places)):
        round.write(round.volume(place))


def with_exit_handlers(round: Round) -> None:
    vol = round.volume()
    if round.choose.random() < 0.5:
        atexit.register(vol.umount)
    atexit.register(round.write_some, vol)  # which is called before that
    round.write_some(vol)


def by_a_signal(round: Round) -> None:
    """One whose handler raises SystemExit wherever the program is, its end included."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    vol = round.volume()
    send_soon(round, signal.SIGTERM, round.choose.randint(1, 3))
    if round.choose.random() < 0.7:
        round.work_until_refused(vol)


def by_an_interrupt(round: Round) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    vol = round.volume()
    is_caught = send_soon(round, signal.SIGINT, 1)
    try:
        round.work_until_refused(vol)
    except KeyboardInterrupt:
        is_caught.set()
        raise Expected from None


def send_soon(round: Round, number: signal.Signals, times: int) -> threading.Event:
    """Have a signal sent, and again until the event is set: a ``__del__`` may swallow it."""
    delays = [round.choose.random() * 0.1 for _ in range(times)]
    is_caught = threading.Event()

    def send() -> None:
        for delay in itertools.chain(delays, itertools.repeat(2.0)):
            if is_caught.wait(delay):
                return
            os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()
    return is_caught


def with_forks(round: Round) -> None:
    """While mounted, right after an unmount and in the tear-down, also from a thread."""
    tear_down.FINI_DELAY = round.choose.random() * 0.05
    vol, other = round.volume(), round.volume()
    round.write(vol)
    if round.choose.random() < 0.5:
        round.threads(vol, daemon=True)
    pids: list[int] = []
    fork(round, vol, pids)
    other.umount()
    fork(round, vol, pids)
    thread = threading.Thread(target=fork, args=(round, vol, pids))
    thread.start()
    thread.join()
    if round.choose.random() < 0.5:
        vol.umount()
    for pid in pids:
        _, status = os.waitpid(pid, 0)
        if status and os.waitstatus_to_exitcode(status) != FORKED_BADLY:
            print(f"a child ended with status {status}", file=sys.stderr)
            os._exit(CHILD_FAILED)


def fork(round: Round, vol: gfapi.Volume, pids: list[int]) -> None:
    time.sleep(round.choose.random() * 0.05)
    pid = os.fork()
    if pid:
        pids.append(pid)
        return
    code = 1
    try:
        signal.alarm(int(HANG / 2))
        if vol.mounted:
            round.write_some(vol)
        if round.choose.random() < 0.5:
            vol.umount()
        code = 0
    except BaseException as error:
        # A fork that meets a lock of the C library leaves it locked in the child, which says so.
        if isinstance(error, gfapi.LibgfapiException) and "fork again" in str(error):
            code = FORKED_BADLY
        else:
            sys.excepthook(*sys.exc_info())
    finally:
        # What a child of multiprocessing does, and the end of a main thread besides.
        with contextlib.suppress(SystemExit):
            atexit._run_exitfuncs()
        os._exit(code)


class Expected(Exception):
    """Ends a round."""


CHILD_FAILED, FORKED_BADLY = 99, 75
WAYS: dict[str, Callable[[Round], None]] = {
    way.__name__: way
    for way in (
        by_umount,
        by_umount_under_threads,
        without_a_word,
        by_sys_exit,
        by_an_exception,
        with_daemon_threads,
        with_threads_that_go_on,
        beside_an_umount,
        in_the_tear_down,
        at_the_end_of_the_tear_down,
        after_many_mounts,
        with_several_volumes,
        with_exit_handlers,
        by_a_signal,
        by_an_interrupt,
        with_forks,
    )
}
SLEEPING = (in_the_tear_down.__name__, at_the_end_of_the_tear_down.__name__)
CODES = {by_an_exception.__name__: 1, by_an_interrupt.__name__: 1}
#: Python tells of what a signal's handler raises in a ``__del__``.
TALKING = (*CODES, by_a_signal.__name__)


def play(way: str, seed: str, places: Sequence[Any], journal: str, folder: str) -> None:
    """Be the process of a round."""
    faulthandler.enable()
    faulthandler.register(signal.SIGALRM, chain=True)
    signal.alarm(int(HANG) - 10)  # survives no fork, and no lock of it does
    round = Round(random.Random(seed), places, journal)
    round.folder = folder
    WAYS[way](round)


# -------------------------------------------------------------------------------- the judgement


class Verdict(NamedTuple):
    """What came of a round.

    :ivar written: how many files, and how many bytes of them the process was told are written.
    :ivar lost: what of that is not on the bricks, in words.
    :ivar to_heal: the files that bricks have different states of, in words.
    :ivar crash: how it ended if not as it should.
    """

    number: int
    way: str
    files: int = 0
    written: int = 0
    lost: tuple[str, ...] = ()
    to_heal: tuple[str, ...] = ()
    crash: str = ""
    hung: bool = False

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.to_heal or self.crash or self.hung)


def run(
    volumes: Sequence[sandbox.SandboxVolume],
    numbers: Iterable[int],
    seed: int,
    jobs: int,
    ways: Sequence[str] = tuple(WAYS),
    hang: float = HANG,
) -> Iterator[Verdict]:
    """Run rounds, several at a time, and judge them.

    :param volumes: those to write to; each round has another of them first.
    :param numbers: which rounds of those that the seed stands for.
    """
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        workers = stack.enter_context(ThreadPoolExecutor(jobs))
        sleepers = stack.enter_context(ThreadPoolExecutor(SLEEPERS))
        futures = []
        for number in numbers:
            way = ways[number % len(ways)]
            pool = sleepers if way in SLEEPING else workers
            turn = number // len(ways) % len(volumes)
            order = [*volumes[turn:], *volumes[:turn]]
            futures.append(pool.submit(one, number, way, order, seed, scratch, hang))
        for future in futures:
            yield future.result()


def one(
    number: int,
    way: str,
    volumes: Sequence[sandbox.SandboxVolume],
    seed: int,
    scratch: str,
    hang: float,
) -> Verdict:
    """Run a round, and judge it."""
    journal, folder = f"{scratch}/{number}", f"/{seed}-{number}"
    Path(journal).touch()
    places = [(volume.hosts, volume.name) for volume in volumes]
    arguments = [way, f"{seed}-{number}", json.dumps(places), journal, folder]
    command = [sys.executable, "-W", "ignore::DeprecationWarning", __file__, "--play", *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=scratch
    )
    try:
        _, said = process.communicate(timeout=hang)
    except subprocess.TimeoutExpired:
        process.kill()
        _, said = process.communicate()
        return Verdict(number, way, hung=True, crash=said)
    crash = ""
    code, expected = process.returncode, CODES.get(way, 0)
    if code != expected:
        crash = f"exit code {code}: {said}"
    elif way not in TALKING and said:
        crash = f"it said: {said}"
    sizes: dict[tuple[str, str], int] = {}
    for line in Path(journal).read_text().splitlines():
        volname, name, size = json.loads(line)
        sizes[volname, name] = size
    os.unlink(journal)
    by_name = {volume.name: volume for volume in volumes}
    lost, to_heal = [], []
    for (volname, name), size in sizes.items():
        lost += loss(by_name[volname], name, size)
        to_heal += unhealed(by_name[volname], name)
    for volume in by_name.values():
        to_heal += unhealed(volume, folder)
    written = sum(sizes.values())
    return Verdict(number, way, len(sizes), written, tuple(lost), tuple(to_heal), crash)


def loss(volume: sandbox.SandboxVolume, name: str, size: int) -> Iterator[str]:
    """What the bricks lack of a file."""
    places = [brick.path + name for brick in volume.bricks]
    if volume.layout.replica < 2:
        places = [place for place in places if is_file(place)] or places[:1]
    copies = set()
    for place in places:
        stored = Path(place).read_bytes() if is_file(place) else b""
        copies.add(stored)
        if len(stored) < size:
            yield f"{place} has {len(stored)} of {size} bytes"
        elif stored != content(name, len(stored)):
            yield f"{place} has other bytes than were written"
    if len(copies) > 1:
        yield f"{name} has {len(copies)} different copies"


def is_file(place: str) -> bool:
    """Whether it is there and more than a pointer to another brick."""
    try:
        return not os.stat(place).st_mode & 0o1000
    except FileNotFoundError:
        return False


def unhealed(volume: sandbox.SandboxVolume, name: str) -> Iterator[str]:
    """The bricks that know of a copy of a file, or of the directory, that lacks something."""
    if volume.layout.replica < 2:
        return
    for brick in volume.bricks:
        if not os.path.exists(brick.path + name):
            continue
        raw = os.getxattr(brick.path + name, "trusted.gfid").hex()
        gfid = "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
        if gfid in brick.pending():
            yield f"{brick.path}{name} ({gfid})"


# ------------------------------------------------------------------------------- the command line


def main() -> int:
    options = parsed()
    with sandbox.Cluster(nodes=1) as cluster:
        volumes = [made(cluster, options.kind, "quick"), made(cluster, options.kind, "slow")]
        volumes[1].set_options({"debug.delay-gen": "posix", "delay-gen.delay-percentage": 100})
        volumes[1].set_options({"delay-gen.delay-duration": options.delay})
        volumes[1].stop()
        volumes[1].start()
        # Two of three turns are on the quick one.
        turns = [volumes[0], volumes[0], volumes[1]]
        numbers = [options.only] if options.only is not None else range(options.rounds)
        began = time.monotonic()
        verdicts = []
        for verdict in run(turns, numbers, options.seed, options.jobs):
            verdicts.append(verdict)
            if not verdict.is_good:
                print(verdict, flush=True)
            if sys.stderr.isatty():
                print(f"\r{len(verdicts)} of {len(numbers)}", end="", file=sys.stderr)
        time.sleep(1)
        left = sum(volume.heal_pending() for volume in volumes) if options.kind == "replica" else 0
        cores = glob.glob("core*")
    report(options, verdicts, time.monotonic() - began, left, len(cores))
    return 0 if verdicts and not left and all(verdict.is_good for verdict in verdicts) else 1


def made(cluster: sandbox.Cluster, kind: str, name: str) -> sandbox.SandboxVolume:
    volume = cluster.create_volume(name, replica=3 if kind == "replica" else 0)
    if kind == "replica":  # nothing may heal what the rounds leave behind
        parts = ("data", "metadata", "entry")
        off = {f"cluster.{part}-self-heal": False for part in parts}
        volume.set_options({**off, "cluster.self-heal-daemon": False})
    return volume


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--kind", choices=("plain", "replica"), default="plain")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this round alone")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--delay", type=int, default=DELAY, help="of the slow volume, in µs")
    return parser.parse_args()


def report(
    options: argparse.Namespace, verdicts: Sequence[Verdict], took: float, left: int, cores: int
) -> None:
    ways = collections.Counter(verdict.way for verdict in verdicts)
    print(", ".join(f"{count} {way}" for way, count in ways.items()))
    print(
        f"{options.kind}: {len(verdicts)} rounds in {took:.0f} s, wrote "
        f"{sum(v.files for v in verdicts)} files, {sum(v.written for v in verdicts)} bytes; "
        f"lost: {sum(len(v.lost) for v in verdicts)}, "
        f"to heal: {sum(len(v.to_heal) for v in verdicts)} and {left} in all, "
        f"crashes: {sum(bool(v.crash) for v in verdicts)} ({cores} core files), "
        f"hangs: {sum(v.hung for v in verdicts)}; seed {options.seed}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        way, seed, places, journal, folder = sys.argv[2:]
        play(way, seed, json.loads(places), journal, folder)
    else:
        sys.exit(main())
