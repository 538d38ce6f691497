"""What a hostile call is made on: files, directories and handles of its own, made as needed."""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import os
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, Callable

from gluster import gfapi
from gluster.gfapi import sandbox

_numbers = itertools.count()
CONTENT = b"0123456789" * 10
_logger = logging.getLogger("hostile")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False


class World:
    """What all calls of a process share.

    :ivar volume: the mounted Volume that they are made on.
    :ivar foreign: another mount of the same volume, as another client has it.
    """

    def __init__(self, hosts: list[str], volname: str, local: str) -> None:
        self.hosts, self.volname, self.local = hosts, volname, local
        self.volume = gfapi.Volume(hosts, volname)
        self.foreign = gfapi.Volume(hosts, volname)
        self.base = f"/hostile-{uuid.uuid4().hex}"
        self.foreign.mount()
        self.foreign.mkdir(self.base)
        self.foreign_file = self._make_file(self.foreign)
        self.foreign_handle = self.foreign.lookup("/")
        with self.volume as vol:
            self.closed_file, self.closed_directory = self._make_file(vol), vol.opendir("/")
            self.closed_handle = vol.lookup("/")
            for thing in (self.closed_file, self.closed_directory, self.closed_handle):
                thing.close()
        self.unmounted = gfapi.Volume(hosts, volname)
        self.ready()

    def _make_file(self, vol: gfapi.Volume) -> gfapi.File:
        return vol.fopen(f"{self.base}/a", "w+")

    def ready(self) -> None:
        """Have the volume mounted, as it may not be after a hostile call."""
        self.volume.mount()

    @functools.cached_property
    def cluster(self) -> sandbox.Cluster:
        """One of its own, for calls that administer."""
        cluster = sandbox.Cluster(nodes=1)
        cluster.start()
        cluster.create_volume("sandboxed")
        return cluster

    def check(self) -> None:
        """See that the volume works as ever."""
        vol, name = self.volume, f"{self.base}/check-{next(_numbers)}"
        vol.mkdir(name)
        with vol.fopen(f"{name}/f", "w+") as file:
            assert file.write(CONTENT) == len(CONTENT)
            assert file.tell() == len(CONTENT)
            assert file.pread(1000, 5) == CONTENT[5:]
            assert file.fstat().st_size == len(CONTENT)
        assert vol.listdir(name) == ["f"]
        status = vol.stat(f"{name}/f")
        assert (status.st_size, status.st_uid) == (len(CONTENT), os.geteuid())
        with vol.fopen(f"{name}/f") as file:
            assert file.read() == CONTENT
        vol.setxattr(f"{name}/f", "user.k", b"v")
        assert vol.getxattr(f"{name}/f", b"user.k") == b"v"
        assert vol.lookup(f"{name}/f").stat().st_ino == status.st_ino
        vol.rmtree(name)
        assert not vol.exists(name)


class Stage:
    """What one call is made on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.volume = world.volume
        self.unmounted = world.unmounted
        self.closed_file = world.closed_file
        self.closed_directory = world.closed_directory
        self.closed_handle = world.closed_handle
        self.foreign_file = world.foreign_file
        self.foreign_handle = world.foreign_handle
        self.local = world.local
        self.logger = _logger
        self.target: Any = None
        self._endings: list[Callable[[], object]] = []

    # ------------------------------------------------------------------ for hostile values

    def shut(self) -> None:
        """Close what the call is made on, as a callback might."""
        closed = self.opened if isinstance(self.target, gfapi.Volume) else self.target
        with contextlib.suppress(OSError, AttributeError):
            closed.close()

    def unmount(self) -> None:
        self.volume.umount()

    def enter(self) -> None:
        """Have relative paths lead into the folder of the call."""
        self.volume.chdir(self.folder)

    def at_end(self, action: Callable[[], object]) -> None:
        self._endings.append(action)

    def end(self) -> None:
        """Close and remove what was made for the call."""
        for action in reversed(self._endings):
            action()
        for thing in list(vars(self).values()):
            if isinstance(thing, (gfapi.File, gfapi.Dir, gfapi.Handle, gfapi.Watch)):
                if thing in (*vars(self.world).values(),) or thing.closed:
                    continue
                with contextlib.suppress(OSError):
                    thing.close()
        if "folder" in vars(self) and self.volume.mounted:
            # What a fallocate has taken is others' space too.
            for name in ("f", "g"):
                with contextlib.suppress(OSError):
                    self.volume.unlink(f"{self.folder}/{name}")
        self.target = None

    # ------------------------------------------------------------------ on the volume

    @functools.cached_property
    def folder(self) -> str:
        path = f"{self.world.base}/{next(_numbers)}"
        self.volume.mkdir(path)
        return path

    @functools.cached_property
    def file(self) -> str:
        with self.volume.fopen(f"{self.folder}/f", "w") as file:
            file.write(CONTENT)
            file.fsetxattr("user.there", b"value")
        return file.name

    @functools.cached_property
    def other_file(self) -> str:
        with self.volume.fopen(f"{self.folder}/g", "w") as file:
            file.write(CONTENT)
        return file.name

    @functools.cached_property
    def link(self) -> str:
        path = f"{self.folder}/link"
        self.volume.symlink("f", path)
        return path

    @functools.cached_property
    def empty(self) -> str:
        path = f"{self.folder}/empty"
        self.volume.mkdir(path)
        return path

    @functools.cached_property
    def new(self) -> str:
        return f"{self.folder}/new"

    @functools.cached_property
    def opened(self) -> gfapi.File:
        return self.volume.fopen(self.file, "r+")

    @functools.cached_property
    def other_opened(self) -> gfapi.File:
        return self.volume.fopen(self.other_file, "r+")

    @functools.cached_property
    def directory(self) -> gfapi.Dir:
        return self.volume.opendir(self.folder)

    @functools.cached_property
    def entry(self) -> gfapi.DirEntry[str]:
        assert self.file
        return next(iter(self.volume.scandir(self.folder)))

    @functools.cached_property
    def handle(self) -> gfapi.Handle:
        return self.volume.lookup(self.file)

    @functools.cached_property
    def link_handle(self) -> gfapi.Handle:
        return self.volume.lookup(self.link, follow_symlinks=False)

    @functools.cached_property
    def directory_handle(self) -> gfapi.Handle:
        assert self.file
        return self.volume.lookup(self.folder)

    @functools.cached_property
    def lease(self) -> gfapi.Lease:
        deadline = time.monotonic() + 5
        while True:  # the file was just closed, which a replica's bricks hear of a little later
            try:
                return self.opened.lease(gfapi.LeaseType.RW)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    @property
    def gate_of_lease(self) -> Any:
        return self.opened._descriptor

    @functools.cached_property
    def watch(self) -> gfapi.Watch:
        watch = self.volume.watch()
        timer = threading.Timer(0.05, watch.close)  # or it waits for ever, as it should
        timer.start()
        self.at_end(timer.join)
        return watch

    @functools.cached_property
    def upcall(self) -> gfapi.Upcall:
        with self.volume.watch() as watch:
            handle = self.volume.lookup(self.file)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                handle.stat()
                self.world.foreign.chmod(self.file, 0o600)
                if upcall := watch.get(0.2):
                    handle.close()
                    return upcall
        raise AssertionError("there was no upcall")

    @functools.cached_property
    def described(self) -> gfapi.Volume:
        """A Volume that is not mounted."""
        return gfapi.Volume(["127.0.0.1", "127.0.0.2"], "volume")

    # ------------------------------------------------------------------ of the sandbox

    @property
    def cluster(self) -> sandbox.Cluster:
        return self.world.cluster

    @property
    def node(self) -> sandbox.Node:
        return self.cluster.nodes[0]

    def volume_name(self) -> str:
        return f"v{next(_numbers)}"


#: What the methods of a class are called on.
TARGETS: dict[str, Callable[[Stage], Any]] = {
    "Dir": lambda s: s.directory,
    "DirEntry": lambda s: s.entry,
    "File": lambda s: s.opened,
    "Handle": lambda s: s.handle,
    "Lease": lambda s: s.lease,
    "Upcall": lambda s: s.upcall,
    "Volume": lambda s: s.volume,
    "Watch": lambda s: s.watch,
    "Xattrs": lambda s: s.volume.xattrs(s.file),
    "api.Dirent": lambda s: next(s.directory),
    "api.Stat": lambda s: s.volume.stat(s.file),
    "api.Statvfs": lambda s: s.volume.statvfs("/"),
    "meta.Latency": lambda s: s.volume.meta.latency(),
    "meta.Meta": lambda s: s.volume.meta,
    "meta.Translator": lambda s: s.volume.meta.graph(),
    "sandbox.Brick": lambda s: s.cluster.volumes[0].bricks[0],
    "sandbox.Cluster": lambda s: s.cluster,
    "sandbox.Node": lambda s: s.node,
    "sandbox.SandboxVolume": lambda s: s.cluster.volumes[0],
}
_ON_DIRECTORY = ("create", "create_open", "lookup", "mkdir", "mknod", "opendir", "rename")
_ON_DIRECTORY += ("symlink", "unlink")
TARGETS.update({f"Handle.{name}": lambda s: s.directory_handle for name in _ON_DIRECTORY})
TARGETS["Handle.readlink"] = lambda s: s.link_handle
TARGETS["Volume.add_server"] = TARGETS["Volume.remove_server"] = lambda s: s.described


@contextlib.contextmanager
def tempdir() -> Iterator[str]:
    """A folder of this machine, in which GlusterFS may still log something when it goes."""
    folder = tempfile.mkdtemp(prefix="hostile-")
    try:
        yield folder
    finally:
        # os.makedirs may have made what is too deep for shutil.
        subprocess.run(["rm", "-rf", "--", folder], check=False)
