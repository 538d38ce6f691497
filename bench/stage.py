"""What the measurements need: a sandbox with its volumes, FUSE mounts, C programs, contenders."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Optional, Union

from gluster import gfapi
from gluster.gfapi import sandbox

from .contenders import BenchError, Fio, Program, Unavailable, Worker, compiled
from .rows import Group

HERE = Path(__file__).parent
#: The folders that have ``bench`` and ``gluster``.
ROOTS = list(dict.fromkeys([str(HERE.parent), str(Path(gfapi.__file__).parents[2])]))
KINDS: dict[str, dict[str, int]] = {
    "plain": {},
    "replica": {"replica": 3},
    "distribute": {"distribute": 3},
    "disperse": {"disperse": 3, "redundancy": 1},
}
Contender = Union[Worker, Program, Fio]
# As in a shell, but without what the files of type .pth in site-packages import beforehand.
_ISOLATED = [sys.executable, "-I", "-S", "-c"]
_PATH = f"import sys, site; sys.path.insert(0, {ROOTS[-1]!r}); "
_SCRIPT = """
from gluster import gfapi
vol = gfapi.Volume(sys.argv[1], sys.argv[2])
vol.mount()
vol.stat("/")
vol.umount()
"""


class Stage:
    """Used with ``with``; at the end nothing of it is left.

    :param older: the folder that has the older binding, if there is one.
    """

    def __init__(self, older: Optional[str] = None) -> None:
        self.older = older
        self._exits = contextlib.ExitStack()
        self._volumes: dict[tuple[str, float], sandbox.SandboxVolume] = {}
        self._mounts: dict[str, str] = {}
        self._built: dict[str, str] = {}
        self._cluster: Optional[sandbox.Cluster] = None

    def __enter__(self) -> Stage:
        self.folder = tempfile.mkdtemp(prefix="gfapi-bench-")
        self._exits.callback(shutil.rmtree, self.folder)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._exits.close()

    def volume(self, kind: str, delay: float = 0) -> sandbox.SandboxVolume:
        """A started volume, the same for the same arguments.

        :param kind: one of :data:`KINDS`.
        :param delay: milliseconds by which each call to a brick takes longer.
        """
        key = kind, delay
        if key not in self._volumes:
            if self._cluster is None:
                self._cluster = self._exits.enter_context(sandbox.Cluster(nodes=1))
            name = f"{kind}-{delay:g}ms".replace(".", "-") if delay else kind
            options = delay_options(delay) if delay else {}
            self._volumes[key] = self._cluster.create_volume(name, **KINDS[kind], options=options)
        return self._volumes[key]

    def fuse(self, volume: sandbox.SandboxVolume) -> str:
        """Where a volume is mounted by FUSE.

        :raises Unavailable: if it cannot be.
        """
        if volume.name not in self._mounts:
            self._mounts[volume.name] = self._exits.enter_context(
                mounted(volume, os.path.join(self.folder, f"mnt-{volume.name}"))
            )
        return self._mounts[volume.name]

    def built(self, name: str, *options: str) -> str:
        """The path of a C program of this folder, built when it is first asked for."""
        if name not in self._built:
            target = Path(self.folder, name.replace(".c", ""))
            self._built[name] = compiled(HERE / name, target, *options)
        return self._built[name]

    def contender(
        self, name: str, group: Group, volume: Optional[sandbox.SandboxVolume], count: int
    ) -> Contender:
        """Start a contender.

        :param name: one of :data:`~bench.rows.CONTENDERS`.
        :raises Unavailable: if it is not on this machine.
        """
        if group.name == "import":
            program = _PATH + ("import gluster.gfapi" if name == "ours" else "pass")
            return Program(name, [*_ISOLATED, program])
        if group.name == "calls":
            place = os.path.dirname(self._stub())
            environment = {"LD_LIBRARY_PATH": place}
            return self._python(name, group, ("stub", "stub"), count, environment)
        assert volume
        place = volume.hosts[0], volume.name
        if group.name == "script":
            if name == "c":
                return Program(name, [self.built("script.c", "-lgfapi"), *place])
            return Program(name, [sys.executable, "-I", "-c", _PATH + _SCRIPT, *place])
        if name == "fio":
            return self._fio(volume, group, count)
        if name == "c":
            program = self.built("worker.c", "-D_FILE_OFFSET_BITS=64", "-lgfapi")
            return Worker("C", [program, group.name, *place, *_folders(group, name), str(count)])
        mount = self.fuse(volume) if name == "fuse" else ""
        return self._python(name, group, place, count, {}, mount)

    def _python(
        self,
        name: str,
        group: Group,
        volume: tuple[str, str],
        count: int,
        environment: dict[str, str],
        place: str = "",
    ) -> Worker:
        if name == "older":
            if not self.older:
                raise Unavailable(
                    "gfapi 1.x was not found: name its folder with --older (see bench/README.rst)"
                )
            place = self.older
        path = os.pathsep.join(ROOTS)
        return Worker(
            name,
            [
                *(sys.executable, "-W", "ignore", "-m", "bench.worker"),
                *(name, group.name, *volume, *_folders(group, name), str(count), place),
            ],
            {"PYTHONPATH": path, **environment},
        )

    def _fio(self, volume: sandbox.SandboxVolume, group: Group, count: int) -> Fio:
        program = shutil.which("fio")
        if not program:
            raise Unavailable("fio is not installed (Debian's package fio)")
        told = subprocess.run([program, "--enghelp"], capture_output=True, text=True).stdout
        if "gfapi" not in told.split():
            raise Unavailable("this fio has no gfapi engine")
        shared, own = _folders(group, "fio")
        files = {"read": f"{shared}/big", "write": f"{own}/written"}
        place = volume.hosts[0], volume.name
        return Fio(program, place, files, count)

    def _stub(self) -> str:
        if "stub.c" not in self._built:
            target = Path(self.folder, "stub", "libgfapi.so.0")
            target.parent.mkdir(exist_ok=True)
            script = f"-Wl,--version-script={HERE / 'stub.map'}"
            options = ("-shared", "-fPIC", "-Wl,-soname=libgfapi.so.0", script)
            self._built["stub.c"] = compiled(HERE / "stub.c", target, *options)
        return self._built["stub.c"]


def _folders(group: Group, contender: str) -> tuple[str, str]:
    """The folders that all share, and of one contender."""
    return f"/{group.name}/shared", f"/{group.name}/{contender}"


def furnish(group: Group, volume: sandbox.SandboxVolume, count: int) -> None:
    """Make the folders of a group, and what its contenders find there."""
    with volume.client() as vol:
        for name in ("shared", *group.contenders):
            vol.makedirs(f"/{group.name}/{name}")
        if group.furnish:
            group.furnish(vol, count, f"/{group.name}/shared")


def delay_options(milliseconds: float) -> dict[str, Any]:
    """The options that make a volume as slow as one across a network."""
    return {
        "debug.delay-gen": "posix",
        "delay-gen.delay-percentage": 100,
        "delay-gen.delay-duration": int(milliseconds * 1000),  # in microseconds
    }


@contextlib.contextmanager
def mounted(volume: sandbox.SandboxVolume, folder: str) -> Iterator[str]:
    """A volume mounted by FUSE, as ``mount -t glusterfs`` does.

    :param folder: where; it is made.
    :raises Unavailable: if that is impossible on this machine.
    """
    if not shutil.which("mount.glusterfs"):
        raise Unavailable("mount.glusterfs is not installed (package glusterfs-client)")
    if not os.path.exists("/dev/fuse"):
        raise Unavailable("there is no /dev/fuse")
    os.mkdir(folder)
    source = f"{volume.hosts[0]}:/{volume.name}"
    command = ["mount", "-t", "glusterfs", "-o", f"log-file={folder}.log", source, folder]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0 or not os.path.ismount(folder):
        words = " ".join((done.stdout + done.stderr).split())
        raise Unavailable(f"FUSE cannot mount here: {words or 'no reason was given'}")
    try:
        yield folder
    finally:
        done = subprocess.run(["umount", folder], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            subprocess.run(["umount", "-l", folder], check=False)
            raise BenchError(f"{folder} was busy at the unmount: {done.stderr}")
