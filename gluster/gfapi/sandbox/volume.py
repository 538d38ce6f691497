"""A volume of a sandbox, and its bricks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .exceptions import SandboxError
from .janitor import command_line, end
from .layout import Layout, check_room
from .node import UMASK, Node, Process
from .polling import wait_until

if TYPE_CHECKING:
    import gluster.gfapi

    from .cluster import Cluster

_START_TIMEOUT = 60.0
_FORGOTTEN = 20.0  # seconds after which a brick does not start by itself any more
_REBALANCE_TIMEOUT = 300.0


class Brick(Process):
    """One brick of a volume.

    :ivar node: the node it is on.
    :ivar host: the address of that node.
    :ivar path: the folder that it keeps its files in.
    """

    def __init__(self, volume: str, node: Node, path: str) -> None:
        if not (isinstance(node, Node) and isinstance(path, str)):
            raise TypeError("a Brick is made by Cluster.create_volume")
        self.node = node
        self.host = node.host
        self.path = path
        self._pid_file = os.path.join(
            node.folder, "run", "vols", volume, f"{self.host}{path.replace('/', '-')}.pid"
        )
        self._command: list[str] = []

    def __repr__(self) -> str:
        return f"<Brick {self.host}:{self.path} {'alive' if self.alive else 'dead'}>"

    def remember(self) -> None:
        """Keep the command line of its process, to be able to start it again."""
        self._command = command_line(self.pid or 0) or self._command

    def kill(self) -> None:
        """End its process at once."""
        pid = self.pid
        if pid is not None:
            self.remember()
            end({pid: self._command})

    def start(self) -> None:
        """Start its process again, without waiting until it serves."""
        # Not "volume start force": that starts all dead bricks of the volume, and for some
        # seconds after a brick's death none, as glusterd has not noticed it yet.
        done = subprocess.run(
            self._command,
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            umask=UMASK,
        )
        if done.returncode != 0:
            raise SandboxError(f"The brick {self.host}:{self.path} did not start again.")

    def pending(self) -> set[str]:
        """The ids of the files that other bricks still lack a change of, by its own index."""
        return {
            name
            for index in ("xattrop", "dirty")
            for name in self._index(index)
            # The file that the entries are hard links of.
            if not name.startswith(index)
        }

    def _index(self, name: str) -> list[str]:
        try:
            return os.listdir(os.path.join(self.path, ".glusterfs", "indices", name))
        except FileNotFoundError:
            return []


def check_options(options: Mapping[str, object]) -> None:
    """See that it is a mapping, from options' names to their values.

    :raises TypeError: if not.
    """
    if not isinstance(options, Mapping):
        raise TypeError(f"options must be a mapping, not {type(options).__name__!r}")


class SandboxVolume:
    """A volume of a sandbox, as :meth:`Cluster.create_volume` makes it.

    :ivar cluster: the cluster that it belongs to.
    :ivar name: its name.
    :ivar hosts: the addresses of the nodes; a client may ask any of them for it.
    :ivar layout: its kind.
    :ivar bricks: its bricks, in the order of ``gluster volume info``.
    :ivar started: whether it is started.
    """

    def __init__(self, cluster: Cluster, name: str, layout: Layout) -> None:
        if not (isinstance(layout, Layout) and isinstance(getattr(cluster, "nodes", 0), list)):
            raise TypeError("a SandboxVolume is made by Cluster.create_volume")
        self.cluster = cluster
        self.name = name
        self.layout = layout
        self.hosts = list(cluster.hosts)
        self.bricks: list[Brick] = []
        self.started = False
        self._bricks_made = 0

    def __repr__(self) -> str:
        state = "started" if self.started else "stopped"
        return f"<SandboxVolume {self.name!r} ({self.layout}) on {self.hosts[0]}, {state}>"

    @property
    def usage(self) -> str:
        """A line of Python that mounts it."""
        return (
            "from gluster import gfapi; "
            f'vol = gfapi.Volume("{self.hosts[0]}", "{self.name}"); vol.mount()'
        )

    def client(self, **kwargs: Any) -> gluster.gfapi.Volume:
        """A client of this volume, not mounted yet.

        :param kwargs: further arguments of :class:`gluster.gfapi.Volume`.
        """
        from gluster import gfapi

        return gfapi.Volume(self.hosts, self.name, **kwargs)

    def create(self, transport: str, options: Mapping[str, object]) -> None:
        """Create it in the cluster. :meth:`Cluster.create_volume` has done so."""
        check_options(options)
        bricks = self._new_bricks(self.layout.bricks)
        self._gluster(
            "create",
            *self.layout.arguments(),
            "transport",
            transport,
            *map(_place, bricks),
            "force",
        )
        self.bricks = bricks
        try:
            self.set_options(options)
        except SandboxError:
            self._remove()
            raise

    def _new_bricks(self, count: int) -> list[Brick]:
        nodes = self.cluster.nodes
        first = len(self.bricks)
        return [self._new_brick(nodes[n % len(nodes)]) for n in range(first, first + count)]

    def _new_brick(self, node: Node) -> Brick:
        path = os.path.join(node.storage, f"{self.name}-{self._bricks_made}")
        self._bricks_made += 1  # GlusterFS accepts no folder twice
        return Brick(self.name, node, path)

    def start(self) -> None:
        """Start it, and return when every brick on a living node serves.

        :raises SandboxError: if that fails, e.g. since it is started already.
        """
        self._gluster("start")
        self.started = True
        self.wait_online()

    def stop(self) -> None:
        """Stop it; its clients lose all bricks.

        :raises SandboxError: if that fails, e.g. since it is stopped already.
        """
        self._gluster("stop", "force")
        self.started = False

    def delete(self) -> None:
        """Remove it and all its files, stopping it before if need be."""
        if self.started:
            self.stop()
        self._remove()
        self.cluster.volumes.remove(self)

    def _remove(self) -> None:
        self._gluster("delete")
        for brick in self.bricks:
            shutil.rmtree(brick.path, ignore_errors=True)

    def set_option(self, key: str, value: object) -> None:
        """Set an option of the volume.

        :param key: e.g. ``"performance.quick-read"``.
        :param value: its new value; True and False stand for "on" and "off".
        :raises SandboxError: if GlusterFS refuses it.
        """
        self.set_options({key: value})

    def set_options(self, options: Mapping[str, object]) -> None:
        """Set several options in one step.

        :param options: as for :meth:`set_option`.
        :raises SandboxError: if GlusterFS refuses one; then none is set.
        :raises TypeError: if it is no mapping.
        """
        check_options(options)
        if options:
            words = [word for key, value in options.items() for word in (key, _word(value))]
            self._gluster("set", *words)

    def options(self) -> dict[str, str]:
        """The options that differ from GlusterFS's own defaults."""
        info = self.cluster.ask("volume", "info", self.name)
        return {
            option.findtext("name", ""): option.findtext("value", "")
            for option in info.iter("option")
        }

    def kill_brick(self, index: int) -> None:
        """End the process of a brick at once.

        :param index: which of :attr:`bricks`.
        """
        self.bricks[index].kill()

    def start_brick(self, index: int) -> None:
        """Start a brick that was killed, and return when it serves again.

        :param index: which of :attr:`bricks`.
        :raises SandboxError: if its node is dead, the volume is stopped, or it fails.
        """
        brick = self.bricks[index]
        if brick.alive:
            return
        if not brick.node.alive:
            raise SandboxError(f"The node {brick.host} of brick {index} is dead.")
        if not self.started:
            raise SandboxError(f"The volume {self.name} is stopped.")
        brick.start()
        self._wait_for([brick])

    def add_bricks(self, count: int = 1, *, replica: int = 0) -> None:
        """Let the volume grow.

        :param count: how many bricks, a multiple of the size of a replica or disperse set.
        :param replica: the new number of copies of each file, if that is to change; there must
            be as many new bricks as it takes.
        :raises SandboxError: if GlusterFS refuses it.
        """
        check_room(count)
        bricks = self._new_bricks(count)
        change = ["replica", str(replica)] if replica else []
        self._gluster("add-brick", *change, *map(_place, bricks), "force")
        self.bricks += bricks
        if self.started:
            self.wait_online()

    def replace_brick(self, index: int) -> None:
        """Put an empty brick on the same node in the place of one, whose files are removed.

        The other bricks of its set heal it; of a dispersed volume, as soon as :meth:`heal` is told
        to look at all files. GlusterFS mounts the volume by FUSE for that.

        :param index: which of :attr:`bricks`.
        :raises SandboxError: if GlusterFS refuses it, e.g. since no other brick has the files, or
            this machine has no ``/dev/fuse``, as in a container.
        """
        old = self.bricks[index]
        new = self._new_brick(old.node)
        self._gluster("replace-brick", _place(old), _place(new), "commit", "force")
        self.bricks[index] = new
        shutil.rmtree(old.path, ignore_errors=True)
        if self.started:
            self.wait_online()

    def rebalance(self, wait: bool = True, *, timeout: float = _REBALANCE_TIMEOUT) -> None:
        """Spread the files over all bricks again.

        :param wait: return only when that is done.
        :param timeout: how long to wait, in seconds.
        :raises SandboxError: if it fails or takes longer.
        """
        self._gluster("rebalance", "start", "force")
        if wait:
            wait_until(self._is_balanced, timeout, f"Volume {self.name} was not rebalanced")

    def _is_balanced(self) -> bool:
        answer = self.cluster.ask("volume", "rebalance", self.name, "status")
        status = answer.findtext(".//aggregate/statusStr")
        if status in ("failed", "stopped"):
            raise SandboxError(f"The rebalance of volume {self.name} {status}.")
        return status == "completed"

    def heal(self, full: bool = False) -> None:
        """Start to bring all bricks up to date, without waiting for the end.

        :param full: look at all files, rather than at those known to have changed.
        :raises SandboxError: if it is no volume that heals, or no heal could be started.
        """
        self._gluster("heal", *(["full"] if full else []))

    def heal_pending(self) -> int:
        """The number of files and folders that some brick lacks a change of.

        A file that is just being written may be among them.
        """
        return len(set().union(*(brick.pending() for brick in self.bricks)))

    def wait_healed(self, timeout: float = 60.0) -> None:
        """Return when all bricks are up to date.

        :param timeout: how long to wait, in seconds.
        :raises SandboxError: if it takes longer.
        """
        wait_until(lambda: self.heal_pending() == 0, timeout, f"Volume {self.name} was not healed")

    def wait_online(self) -> None:
        """Return when every brick on a living node serves. What does not by itself is started.

        :raises SandboxError: if one does not even then.
        """
        bricks = [brick for brick in self.bricks if brick.node.alive]
        try:
            self._wait_for(bricks, _FORGOTTEN)
        except SandboxError:
            # Now and then glusterd forgets one that it ended when nodes were missing.
            self._gluster("start", "force")
            self._wait_for(bricks)

    def _wait_for(self, bricks: list[Brick], timeout: float = _START_TIMEOUT) -> None:
        wait_until(
            lambda: {(b.host, b.path) for b in bricks} <= set(self._online()),
            timeout,
            f"Not all bricks of volume {self.name} served",
        )
        for brick in bricks:
            brick.remember()

    def _online(self) -> Iterator[tuple[str, str]]:
        status = self.cluster.ask("volume", "status", self.name)
        return (
            (node.findtext("hostname", ""), node.findtext("path", ""))
            for node in status.iter("node")
            if node.findtext("status") == "1"
        )

    def _gluster(self, command: str, *words: str) -> str:
        return self.cluster.gluster("volume", command, self.name, *words)


def _place(brick: Brick) -> str:
    return f"{brick.host}:{brick.path}"


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
