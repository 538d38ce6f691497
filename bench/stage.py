"""What the measurements need: a sandbox with its volumes, FUSE mounts, C programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

from gluster.gfapi import sandbox

from .contenders import Unavailable, compiled
from .rows import Group

HERE = Path(__file__).parent
KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "replica": {"replica": 3},
    "distribute": {"distribute": 3},
    "disperse": {"disperse": 3, "redundancy": 1},
}


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

    def built(self, source: str, *options: str, name: str = "") -> str:
        """The path of what is made of a C source of this folder, when it is first asked for."""
        if source not in self._built:
            target = Path(self.folder, name or source.replace(".c", ""))
            target.parent.mkdir(exist_ok=True)
            self._built[source] = compiled(HERE / source, target, *options)
        return self._built[source]

    def stub(self) -> str:
        """The folder that has the libgfapi of ``stub.c``."""
        options = ("-shared", "-fPIC", "-Wl,-soname=libgfapi.so.0")
        script = f"-Wl,--version-script={HERE / 'stub.map'}"
        return os.path.dirname(self.built("stub.c", *options, script, name="stub/libgfapi.so.0"))


def folders(group: Group, contender: str) -> tuple[str, str]:
    """The folder of a group that all share, and the one of a contender."""
    return f"/{group.name}/shared", f"/{group.name}/{contender}"


def furnish(group: Group, volume: sandbox.SandboxVolume, count: int) -> None:
    """Make the folders of a group, and what its contenders find there."""
    with volume.client() as vol:
        for contender in group.contenders:
            shared, own = folders(group, contender)
            vol.makedirs(shared, exist_ok=True)
            vol.makedirs(own)
        if group.furnish:
            group.furnish(vol, count, shared)


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
        if subprocess.run(["umount", folder], check=False, capture_output=True).returncode != 0:
            subprocess.run(["umount", "--lazy", folder], check=False)
