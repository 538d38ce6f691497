"""Volumes that take no more: full, beyond a quota, read-only; and files in split-brain.

Whatever way a file is written in meanwhile (see ``ways.py``), it is whole, or somebody is told that
it is not: ``silent`` counts what was neither.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import struct
import threading
from collections.abc import Callable, Collection, Iterator

import ways
from disks import SIZE, cluster_on_small_disks, empty, fill

from gluster import gfapi

from . import Stage, scenario

ATTEMPTS = 12  # of a round
LEFT = 400_000  # bytes that a disk may have left when it is as good as full
RESERVE = 50  # percent of the disk
LIMIT = "60MB"  # of the quota
_SOURCES = "/sources"
_SHORT = 0.3  # seconds that a limit is reached, or not, at most


@contextlib.contextmanager
def pressure(
    stage: Stage, tighten: Callable[[], None], loosen: Callable[[], None], longest: float = _SHORT
) -> Iterator[None]:
    """A block within which a limit is reached now and then, at random times."""
    over = threading.Event()
    choose = random.Random(stage.choose.random())

    def work() -> None:
        while not over.wait(choose.random() * longest):
            tighten()
            over.wait(choose.random() * longest * 2)
            if choose.random() < 0.5:
                loosen()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        loosen()


def try_ways(
    stage: Stage, codes: Collection[int], limited: contextlib.AbstractContextManager[None]
) -> None:
    """Write files in different ways while a limit is reached.

    :param codes: the error numbers that are clear.
    :param limited: within this, it is.
    """
    choose = stage.choose
    with stage.volume.client() as vol, stage.volume.client() as reader:
        sources = prepared(vol)
        vol.mkdir(f"{stage.folder}/ways")
        with limited:
            for name in choose.sample(list(ways.WAYS), ATTEMPTS):
                source = choose.choice(list(sources))
                path = f"{stage.folder}/ways/{name}"
                task = ways.Task(stage.volume, vol, path, sources[source], source)
                if choose.random() < 0.5:  # so that there is room for the name at least
                    with contextlib.suppress(OSError):
                        vol.fopen(path, "x").close()
                judge(stage, ways.attempt(name, task, reader), codes)
                with contextlib.suppress(OSError):
                    ways.remove(task)
        stage.go_on()


def prepared(vol: gfapi.Volume) -> dict[str, bytes]:
    """The files to be copied, made by the first round."""
    if vol.exists(_SOURCES):
        return ways.sources(_SOURCES)
    return ways.prepare(vol, _SOURCES)


def judge(stage: Stage, verdict: ways.Verdict, codes: Collection[int]) -> None:
    stage.done["files written"] += 1
    stage.done["whole"] += verdict.is_whole
    stage.done["told"] += verdict.told is not None
    stage.done["silent"] += verdict.is_silent
    if verdict.is_silent:
        what = f"{verdict.way} of {verdict.size} bytes lost some silently: {verdict.lacks}"
        stage.complaints.append(what)
    if not any(map(verdict.is_of, codes)):
        stage.complaints.append(f"{verdict.way} said {verdict.told!r}")


# A brick looks every five seconds how much room there is, and refuses what would go into its
# reserve: all of it, so that copies stay alike. No file here fills the reserve within that time.
@scenario(
    "brick-full",
    "plain",
    "replica",
    "arbiter",
    "disperse",
    "distribute",
    cluster=cluster_on_small_disks,
    storage__reserve=f"{RESERVE}%",
)
def brick_full(stage: Stage) -> None:
    """Some or all bricks have nothing left but their reserve, which they notice one by one."""
    nodes = stage.volume.cluster.nodes

    @contextlib.contextmanager
    def limited() -> Iterator[None]:
        is_whole = stage.choose.random() < 0.6
        for node in nodes if is_whole else stage.choose.sample(nodes, stage.choose.randint(1, 3)):
            fill(node, SIZE * RESERVE // 100 - stage.choose.randrange(10 << 20))
        stage.pause(7)
        yield
        for node in nodes:
            empty(node)

    codes = {errno.ENOSPC}
    if stage.volume.layout.replica:  # where too few bricks have room
        codes.add(errno.ENOTCONN)
    if stage.volume.layout.disperse:  # where not all say the same
        codes.add(errno.EIO)
    try_ways(stage, codes, limited())


# Without a reserve, a part of a write may fit: copies may get unalike then. That is GlusterFS's.
def disk_full(stage: Stage) -> None:
    """Now and then not a byte is left, or a few."""
    nodes = stage.volume.cluster.nodes
    choose = random.Random(stage.choose.random())

    def tighten() -> None:
        for node in nodes:
            fill(node, choose.randrange(LEFT))

    def loosen() -> None:
        for node in nodes:
            empty(node)

    try_ways(stage, {errno.ENOSPC}, pressure(stage, tighten, loosen))


_NO_RESERVE = {"cluster": cluster_on_small_disks, "storage__reserve": 0}
_OFF = {"performance__write_behind": False}
scenario("disk-full", "plain", "distribute", **_NO_RESERVE)(disk_full)
scenario("disk-full-no-write-behind", "plain", "distribute", **_NO_RESERVE, **_OFF)(disk_full)


def over_quota(stage: Stage) -> None:
    """What there is room for is written by somebody else, and removed."""
    volume = stage.volume
    if "features.quota" not in volume.options():
        for words in (
            ("enable",),
            ("limit-usage", "/", LIMIT),
            ("hard-timeout", "0"),
            ("soft-timeout", "0"),
        ):
            volume.cluster.gluster("volume", "quota", volume.name, *words)
    choose = random.Random(stage.choose.random())
    with volume.client() as vol:

        def tighten() -> None:
            with contextlib.suppress(OSError), vol.fopen("/ballast", "a") as file:
                for _ in range(choose.randint(1, 60)):
                    file.write(bytes(1 << 20))

        def loosen() -> None:
            with contextlib.suppress(FileNotFoundError):
                vol.unlink("/ballast")

        try_ways(stage, {errno.EDQUOT}, pressure(stage, tighten, loosen))


# With copies, each brick may take another part of the write that reaches the limit.
scenario("quota", "plain", "distribute")(over_quota)
scenario("quota-no-write-behind", "plain", "distribute", **_OFF)(over_quota)


@scenario("read-only", "plain", "replica")
def read_only(stage: Stage) -> None:
    """The volume is made read-only, and writable again."""
    set_option = stage.volume.set_option
    limited = pressure(
        stage,
        lambda: set_option("features.read-only", True),
        lambda: set_option("features.read-only", False),
        longest=1.0,
    )
    codes = {errno.EROFS}
    if stage.volume.layout.replica:  # a brick refused the file when it was made, and takes more now
        codes.add(errno.ESTALE)
    try_ways(stage, codes, limited)


# ------------------------------------------------------------------------------- split-brain


@scenario("split-brain", "replica", cluster__quorum_type="none")
def split_brain(stage: Stage) -> None:
    """A file whose copies blame each other is an error that names it; all others are there."""
    folder = f"{stage.folder}/split"
    names = [f"file{number}" for number in range(6)]
    bad = stage.choose.choice(names)
    with stage.volume.client() as vol:
        vol.mkdir(folder)
        for name in names:
            with vol.fopen(f"{folder}/{name}", "x") as file:
                file.write(name)
    split(stage, f"{folder}/{bad}")
    with stage.volume.client() as vol:
        look_at(stage, vol, folder, bad)
        check_tree(stage, vol, folder, bad)
        vol.rmtree(folder)
    stage.go_on()


def split(stage: Stage, path: str) -> None:
    """Have each copy differ from all others and blame them, as after writes to one at a time."""
    bricks = stage.volume.bricks
    for number, brick in enumerate(bricks):
        with open(brick.path + path, "ab") as file:
            file.write(b"%d" % number)
        for other in range(len(bricks)):
            key = f"trusted.afr.{stage.volume.name}-client-{other}"
            pending = struct.pack(">III", int(other != number), 0, 0)
            os.setxattr(brick.path + path, key, pending)


def look_at(stage: Stage, vol: gfapi.Volume, folder: str, bad: str) -> None:
    """Each call that reads or writes its content fails, and says of what."""
    path = f"{folder}/{bad}"

    def read() -> None:
        with vol.fopen(path) as file:
            file.read()

    def append() -> None:
        with vol.fopen(path, "a") as file:
            file.write(b"more")
            file.fsync()

    calls: dict[str, Callable[[], object]] = {
        "read": read,
        "append": append,
        "copyfile": lambda: vol.copyfile(path, f"{folder}.copy"),
        "copy2": lambda: vol.copy2(path, f"{folder}.copy"),
        "handle": lambda: vol.lookup(path).pread(10, 0),
    }
    for name, call in calls.items():
        try:
            call()
        except OSError as error:
            stage.done["told"] += 1
            if error.errno != errno.EIO or bad not in str(error.filename):
                stage.complaints.append(f"{name} of a file in split-brain said {error!r}")
        else:
            stage.done["silent"] += 1
            stage.complaints.append(f"{name} of a file in split-brain said nothing")
    vol.stat(path)
    with contextlib.suppress(FileNotFoundError):
        vol.unlink(f"{folder}.copy")


def check_tree(stage: Stage, vol: gfapi.Volume, folder: str, bad: str) -> None:
    """Copytree copies all others, and names this one in the end."""
    target = f"{folder}.tree"
    try:
        vol.copytree(folder, target)
    except gfapi.Error as error:
        (problem,) = error.args[0]
        if problem[0] != f"{folder}/{bad}" or os.strerror(errno.EIO) not in problem[2]:
            stage.complaints.append(f"copytree said {problem}")
    else:
        stage.complaints.append("copytree said nothing")
    for name in vol.listdir(folder):
        if name != bad:
            with vol.fopen(f"{target}/{name}") as file:
                if file.read() != name.encode():
                    stage.complaints.append(f"copytree has not copied {name}")
                stage.done["whole"] += 1
    vol.rmtree(target)
