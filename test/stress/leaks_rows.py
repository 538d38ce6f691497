"""What is looked at for leaks: rows of calls that are made again and again, in a process each.

A row's function makes one round, in names that do not change. ``leaks.c`` has the same calls in C
where libgfapi may keep something by itself.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import logging
import os
import pickle
import sys
import tempfile
import threading
import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import usage

from gluster import gfapi
from gluster.gfapi import attempt, ending
from gluster.gfapi.api import LeaseType

BLOCK = b"b" * 4096
CLOSED = "closed"  # a volume with auth.reject


class Stage:
    """Where rows play: a mounted volume, and what they keep from round to round."""

    def __init__(self, host: str, volname: str) -> None:
        self.host, self.volname = host, volname
        self.vol = gfapi.Volume(host, volname)
        self.other = gfapi.Volume(host, volname)
        self.kept: dict[str, Any] = {}

    def volume(self, **options: Any) -> gfapi.Volume:
        return gfapi.Volume(self.host, self.volname, **options)


Once = Callable[[Stage], object]


class Row(NamedTuple):
    """What is made again and again.

    :ivar count: how many rounds a block of the long run has.
    :ivar once: makes one round.
    :ivar mounts: whether it mounts by itself; the tear-downs are waited for.
    :ivar has_crew: whether threads come and go.
    :ivar switches: whether an option of the volume changes before each round.
    """

    what: str
    count: int
    once: Once
    mounts: bool = False
    has_crew: bool = False
    switches: bool = False


ROWS: dict[str, Row] = {}


def row(what: str, count: int, **marks: bool) -> Callable[[Once], Once]:
    """Add a function to the rows, with what :class:`Row` has."""

    def add(once: Once) -> Once:
        ROWS[once.__name__] = Row(what, count, once, **marks)
        return once

    return add


def furnish(vol: gfapi.Volume) -> None:
    """Make what the rows find, once for each volume."""
    for name in ("/file", "/written", "/watched", "/secret"):
        with vol.fopen(name, "w") as file:
            file.write(BLOCK)
    vol.chmod("/secret", 0o600)
    vol.symlink("loop", "/loop")
    vol.mkdir("/many")
    for number in range(1000):
        vol.fopen(f"/many/{number}", "x").close()
    for number in range(4):
        vol.makedirs(f"/tree/{number}")
        for leaf in range(5):
            with vol.fopen(f"/tree/{number}/{leaf}", "x") as file:
                file.write(BLOCK)


# ----------------------------------------------------------------------------------- files


@row("open and close a file", 15_000)
def opens(stage: Stage) -> None:
    stage.vol.fopen("/file").close()


@row("open, read and close", 1_500)
def reads(stage: Stage) -> None:
    with stage.vol.fopen("/file") as file:
        file.read(len(BLOCK))


@row("open, cut, write and close", 1_500)
def writes(stage: Stage) -> None:
    with stage.vol.fopen("/written", "w") as file:
        file.write(BLOCK)


@row("open and duplicate", 1_500)
def duplicates(stage: Stage) -> None:
    with stage.vol.fopen("/file") as file:
        file.dup().close()


@row("open and never close; collected with its cycle", 1_000)
def forgets(stage: Stage) -> None:
    file = stage.vol.fopen("/file")
    file.cycle = file  # type: ignore[attr-defined]


@row("four asynchronous reads with callbacks", 1_000, has_crew=True)
def asynchronous(stage: Stage) -> None:
    with stage.vol.fopen("/file") as file:
        futures = [file.pread_async(len(BLOCK), 0) for _ in range(4)]
        for future in futures:
            future.add_done_callback(_noted)
        for future in futures:
            future.result()


def _noted(future: Future[bytes]) -> None:
    assert future.result()


@row("make, link, rename, chmod, remove names", 300)
def names(stage: Stage) -> None:
    vol = stage.vol
    vol.fopen("/new", "x").close()
    vol.link("/new", "/newlink")
    vol.symlink("new", "/newsym")
    vol.readlink("/newsym")
    vol.rename("/new", "/renamed")
    vol.chmod("/renamed", 0o600)
    vol.stat("/renamed")
    for name in ("/renamed", "/newlink", "/newsym"):
        vol.unlink(name)
    vol.mkdir("/newdir")
    vol.rmdir("/newdir")


@row("copy a file", 300)
def copies(stage: Stage) -> None:
    stage.vol.copy2("/file", "/copy")
    stage.vol.unlink("/copy")


# ----------------------------------------------------------------------------- directories


@row("list 1,000 entries with their status", 60)
def lists(stage: Stage) -> None:
    assert sum(1 for entry in stage.vol.scandir("/many") if entry.stat()) == 1000


@row("scandir abandoned half way", 500)
def abandons(stage: Stage) -> None:
    entries = stage.vol.scandir("/many")
    for _ in range(40):
        next(entries)


@row("walk by several threads", 200, has_crew=True)
def walks(stage: Stage) -> None:
    assert sum(len(files) for _, _, files in stage.vol.walk("/tree")) == 20
    walk = stage.vol.walk_with_stat("/tree")
    next(walk)  # and abandoned there


@row("copytree and rmtree by several threads", 50, has_crew=True)
def trees(stage: Stage) -> None:
    stage.vol.copytree("/tree", "/twig")
    stage.vol.rmtree("/twig")


# ----------------------------------------------------------------------------- failed calls


def fails(number: int, call: Callable[..., object], *arguments: Any, **options: Any) -> None:
    try:
        call(*arguments, **options)
    except OSError as error:
        if error.errno != number:
            raise
    else:
        raise AssertionError(f"{call} did not fail")


def failing(name: str, what: str, number: int, *arguments: Any, count: int = 1_000) -> None:
    """Add a row of a method of Volume that fails."""
    method, *rest = arguments

    def once(stage: Stage) -> None:
        fails(number, getattr(stage.vol, method), *rest)

    once.__name__ = f"fails_{name}"
    row(f"{what} fails: {errno.errorcode[number]}", count)(once)


failing("enoent", "stat", errno.ENOENT, "stat", "/missing")
failing("to_open", "open", errno.ENOENT, "fopen", "/missing")
failing("eexist", "mkdir", errno.EEXIST, "mkdir", "/many")
failing("eisdir", "open", errno.EISDIR, "fopen", "/many", "w")
failing("enotdir", "stat", errno.ENOTDIR, "stat", "/file/x")
failing("eloop", "stat", errno.ELOOP, "stat", "/loop", count=30)
failing("enametoolong", "stat", errno.ENAMETOOLONG, "stat", "/" + "x" * 300)
failing("enotempty", "rmdir", errno.ENOTEMPTY, "rmdir", "/many")
failing("enodata", "getxattr", errno.ENODATA, "getxattr", "/file", "user.missing")
failing("einval", "rename", errno.EINVAL, "rename", "/tree", "/tree/0/x")


@row("open without permission fails: EACCES", 1_000)
def fails_eacces(stage: Stage) -> None:
    with stage.vol.identity(1000, 1000):
        fails(errno.EACCES, stage.vol.fopen, "/secret")


@row("status of a removed file by its handle fails: ESTALE", 1_000)
def fails_estale(stage: Stage) -> None:
    stage.vol.fopen("/stale", "x").close()
    with stage.vol.lookup("/stale") as handle:
        stage.vol.unlink("/stale")
        with contextlib.suppress(OSError):
            handle.stat()


@row("a lock that another has fails: EAGAIN", 1_000)
def fails_eagain(stage: Stage) -> None:
    with stage.vol.fopen("/written", "r+") as first, stage.vol.fopen("/written", "r+") as second:
        first.lockf(LOCK_EX | LOCK_NB)
        fails(errno.EAGAIN, second.lockf, LOCK_EX | LOCK_NB)


@row("calls refused before libgfapi: closed, NUL, wrong types", 1_500)
def refusals(stage: Stage) -> None:
    closed = stage.kept.setdefault("closed", stage.vol.fopen("/file"))
    if not closed.closed:
        closed.close()
    fails(errno.EBADF, closed.read, 1)
    fails(errno.EBADF, closed.close)
    unmounted = stage.kept.setdefault("unmounted", stage.volume())
    for error, call, arguments in (
        (gfapi.VolumeNotMounted, unmounted.stat, ("/",)),
        (ValueError, stage.vol.stat, ("a\0b",)),
        (TypeError, stage.vol.stat, (object(),)),
        (TypeError, pickle.dumps, (closed,)),
        (gfapi.LibgfapiException, gfapi.Volume, (stage.host, None)),
    ):
        with contextlib.suppress(error):
            call(*arguments)
            raise AssertionError(call)


# ---------------------------------------------------- locks, attributes, handles, identity

LOCK_EX, LOCK_NB = 2, 4


@row("lock and unlock", 1_000)
def locks(stage: Stage) -> None:
    with stage.vol.fopen("/written", "r+") as file:
        file.lockf(LOCK_EX)
        file.lockf(8)


@row("set, get, list, remove an extended attribute", 1_000)
def attributes(stage: Stage) -> None:
    stage.vol.setxattr("/file", "user.one", "value")
    stage.vol.getxattr("/file", "user.one")
    stage.vol.listxattr("/file")
    stage.vol.removexattr("/file", "user.one")


@row("set and get an access control list", 1_000)
def acls(stage: Stage) -> None:
    stage.vol.setacl("/file", "u::rw-,u:1000:r--,g::r--,m::r--,o::r--")
    stage.vol.getacl("/file")


@row("look up a handle, by path and by its pickled gfid", 1_000)
def handles(stage: Stage) -> None:
    with stage.vol.lookup("/file") as handle:
        again = stage.vol.lookup_gfid(pickle.loads(pickle.dumps(handle.gfid)))
        again.pread(len(BLOCK), 0)
        again.stat()


@row("call in another's name", 1_000)
def identities(stage: Stage) -> None:
    with stage.vol.identity(1000, 1000, [1000, 1001]):
        stage.vol.stat("/file")


# ------------------------------------------------------------------------------- callbacks


@row("watch, and close the watch", 500)
def watches(stage: Stage) -> None:
    with stage.vol.watch(lambda upcall: None):
        pass
    stage.vol.watch().close()


@row("upcalls of another client's changes", 300)
def upcalls(stage: Stage) -> None:
    if "watch" not in stage.kept:
        stage.kept["watch"] = stage.vol.watch()
        stage.kept["handle"] = stage.vol.lookup("/watched")
        stage.other.mount()
    stage.kept["handle"].listxattr()  # no cache answers this, so the bricks know who is concerned
    stage.vol.chmod("/watched", 0o644)
    stage.other.chmod("/watched", 0o600)
    assert stage.kept["watch"].get(5)


@row("take and give back a lease", 500)
def leases(stage: Stage) -> None:
    with stage.vol.fopen("/written", "r+") as file:
        file.lease(LeaseType.RW).release()


@row("a lease that another client has recalled", 60)
def recalls(stage: Stage) -> None:
    stage.other.mount()
    with stage.vol.fopen("/written", "r+") as file:
        file.lease(LeaseType.RW)
        stage.other.fopen("/written", "r+").close()


# --------------------------------------------------------------- threads, forks, the inside


@row("eight short threads, a call in each", 300, has_crew=True)
def threads(stage: Stage) -> None:
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda _: stage.vol.stat("/file"), range(8)))


@row("a fork whose child uses the volume", 25)
def forks(stage: Stage) -> None:
    _fork(lambda: stage.vol.stat("/file"))


@row("a fork beside walks and asynchronous reads", 25, has_crew=True)
def forks_of_crews(stage: Stage) -> None:
    with stage.vol.fopen("/file") as file:
        futures = [file.pread_async(len(BLOCK), 0) for _ in range(8)]
        walker = threading.Thread(target=walks, args=(stage,))
        walker.start()
        _fork(lambda: (asynchronous(stage), walks(stage)))
        walker.join()
        for future in futures:
            future.result()


def _fork(use: Callable[[], object]) -> None:
    child = os.fork()
    if not child:
        code = 1
        with contextlib.suppress(BaseException):
            use()
            code = 0
        os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status == 0, status


@row("read what is below /.meta, and the volume file", 300)
def metas(stage: Stage) -> None:
    _ = stage.vol.meta.frames
    stage.vol.get_volfile()


@row("log to a logger, and to nobody", 50)
def logs(stage: Stage) -> None:
    stage.vol.log_to(_logger, 7)
    stage.vol.disable_logging()


@row("change an option of the volume under an open file (graph switch)", 6, switches=True)
def switches(stage: Stage) -> None:
    stage.vol.stat("/file")
    opens(stage)


@row("change an option of the volume, and list 1,000 entries", 6, switches=True)
def switches_knowing_many(stage: Stage) -> None:
    switches(stage)
    lists(stage)


# ---------------------------------------------------------------------------------- mounts

_logger = logging.getLogger("leaks")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False


@row("mount, read a file and unmount", 144, mounts=True)
def mounts(stage: Stage) -> None:
    with stage.volume() as vol, vol.fopen("/file") as file:
        file.read(len(BLOCK))


@row("mount and unmount with files, locks, handles, watches and walks left open", 48, mounts=True)
def mounts_left_open(stage: Stage) -> None:
    vol = stage.volume()
    vol.mount()
    file = vol.fopen("/written", "r+")
    file.lockf(LOCK_EX)
    left = (file, vol.lookup("/file"), vol.watch(), vol.walk("/tree"), vol.scandir("/many"))
    next(left[3])
    next(left[4])
    file.pread_async(1, 0)
    vol.umount()


@row("a Volume dropped while mounted", 48, mounts=True)
def mounts_dropped(stage: Stage) -> None:
    stage.volume().mount()


@row("mount with a logger", 48, mounts=True)
def mounts_logging(stage: Stage) -> None:
    with stage.volume(logger=_logger) as vol:
        vol.stat("/")


@row("mount fails: no such volume", 48, mounts=True)
def no_such_volume(stage: Stage) -> None:
    _mount_fails(gfapi.Volume(stage.host, "missing"))


@row("mount fails: nobody answers", 48, mounts=True)
def nobody_answers(stage: Stage) -> None:
    _mount_fails(gfapi.Volume("127.255.255.253", stage.volname))


@row("mount fails: the log cannot be written", 48, mounts=True)
def unwritable_log(stage: Stage) -> None:
    _mount_fails(stage.volume(log_file="/proc/missing/log"))


@row("mount fails: no such translator", 48, mounts=True)
def no_such_translator(stage: Stage) -> None:
    _mount_fails(stage.volume(xlator_options={"*-missing.cache-size": 1}))


@row("mount fails: an option's value is refused", 48, mounts=True)
def refused_option(stage: Stage) -> None:
    _mount_fails(stage.volume(xlator_options={"*-write-behind.cache-size": "much"}))


@row("mount fails: the volume file is of other bricks", 48, mounts=True)
def wrong_volfile(stage: Stage) -> None:
    _mount_with(stage, "option remote-subvolume ", "option remote-subvolume /not")


@row("mount fails: the volume file has an unknown type", 48, mounts=True)
def unknown_type(stage: Stage) -> None:
    _mount_with(stage, "performance/quick-read", "performance/quick-red")


@row("mount fails: the volume file has a wrong value", 48, mounts=True)
def wrong_value(stage: Stage) -> None:
    _mount_with(stage, "/md-cache\n", "/md-cache\n option md-cache-timeout x\n")


@row("mount fails: the bricks refuse this client", 32, mounts=True)
def refused_client(stage: Stage) -> None:
    attempt.INIT_TIMEOUT = 1.0
    _mount_fails(gfapi.Volume(stage.host, CLOSED))


def _mount_with(stage: Stage, old: str, new: str) -> None:
    key = f"volfile {new}"
    if key not in stage.kept:
        with stage.volume() as vol:
            text = vol.get_volfile()
        text = text.decode() if isinstance(text, bytes) else text
        assert old in text, text
        file = stage.kept[key] = tempfile.NamedTemporaryFile("w")  # noqa: SIM115
        file.write(text.replace(old, new))
        file.flush()
    _mount_fails(gfapi.Volume(None, stage.volname, volfile=stage.kept[key].name))


def _mount_fails(vol: gfapi.Volume) -> None:
    try:
        vol.mount()
    except gfapi.LibgfapiException:
        return
    raise AssertionError("it was mounted")


# --------------------------------------------------------------------------------- running


def play(host: str, volname: str, name: str) -> None:
    """Be the process of a row: for each line, a number of rounds, say what is used after them."""
    chosen, stage = ROWS[name], Stage(host, volname)
    warnings.simplefilter("ignore")
    if not chosen.mounts:
        stage.vol.mount()
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(int(line)):
            chosen.once(stage)
        if chosen.mounts:
            tear_downs_over()
        print(json.dumps(usage.of_this_process()), flush=True)
    os._exit(0)


def tear_downs_over() -> None:
    gc.collect()
    ending.wait_for(list(ending._ending))


if __name__ == "__main__":
    play(*sys.argv[1:])
