"""A cluster: nodes that know each other, and the volumes on them."""

from __future__ import annotations

import atexit
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Optional
from xml.etree import ElementTree

from . import host
from .console import Console
from .exceptions import SandboxError
from .janitor import Janitor, sweep
from .layout import Layout
from .node import Node
from .polling import wait_until
from .volume import SandboxVolume

_JOIN_TIMEOUT = 60.0


class Cluster:
    """A throw-away GlusterFS cluster on this machine.

    Used with ``with``, it starts at the begin of the block, and at its end nothing of it is
    left. The same holds when the program ends in any other way, be it by SIGKILL.

    It listens on loopback addresses only, which every program on this machine can reach.

    :param nodes: how many nodes; each is a glusterd of its own on an address of its own.
    :param base: the folder to put configuration, sockets and logs below. Its path must be
        short; by default a folder for temporary files.
    :param storage: the folder to put bricks below, on a file system with trusted extended
        attributes. By default they are below base.
    :ivar hosts: the addresses of the nodes, while it is started.
    :ivar nodes: the nodes, while it is started.
    :ivar volumes: the volumes, in the order of their creation.
    :ivar folder: its own folder below base, None while it is not started.
    :raises SandboxError: if nodes is no possible number.
    """

    def __init__(
        self, nodes: int = 1, *, base: Optional[str] = None, storage: Optional[str] = None
    ) -> None:
        if not isinstance(nodes, int):
            raise SandboxError(f"nodes is {nodes!r}; it must be an int.")
        if not 1 <= nodes <= host.MAX_NODES:
            raise SandboxError(f"A sandbox has 1 to {host.MAX_NODES} nodes, not {nodes}.")
        self._count = nodes
        self._base = base
        self._storage = storage
        self._reset()

    def _reset(self) -> None:
        self.nodes: list[Node] = []
        self.hosts: list[str] = []
        self.volumes: list[SandboxVolume] = []
        self.folder: Optional[str] = None
        self._folders: list[str] = []
        self._janitor: Optional[Janitor] = None

    def __repr__(self) -> str:
        return f"<Cluster {', '.join(self.hosts) or 'not started'}>"

    def __enter__(self) -> Cluster:
        self.start()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start all nodes, and return when they form a cluster.

        :raises SandboxError: if it is started already, or cannot be; then nothing is left.
        """
        if self.folder:
            raise SandboxError("This cluster is started already.")
        host.check()
        self._owner = os.getpid()
        atexit.register(self.stop)
        try:
            self._choose_folders()
            self._make_nodes()
            self._launch(self.nodes)
            self._join()
        except BaseException:
            self.stop()
            raise

    def _choose_folders(self) -> None:
        base = self._base or host.default_folder()
        host.check_length(base)
        host.check_storage(self._storage or base)
        for parent in filter(None, (base, self._storage)):
            self._folders.append(host.fresh_path(parent))
        self.folder = self._folders[0]

    def _make_nodes(self) -> None:
        base, storage = self._folders[0], self._folders[-1]
        claim, self.hosts = host.claim_addresses(self._count)
        with claim:
            # Before any folder or other process, so there is none that could outlive this program.
            self._janitor = Janitor(self._folders, keep_open=claim.fileno())
        for folder in self._folders:
            host.make_folder(folder)
        for number, address in enumerate(self.hosts, 1):
            node = Node(
                address,
                os.path.join(base, str(number)),
                os.path.join(storage, str(number), "bricks"),
            )
            node.prepare()
            self.nodes.append(node)

    @staticmethod
    def _launch(nodes: list[Node]) -> None:
        launched = [(node, node.launch()) for node in nodes]
        for node, process in launched:
            node.finish_launch(process)

    def _join(self) -> None:
        for address in self.hosts[1:]:
            self.gluster("peer", "probe", address)
        self._wait_for_peers()

    def _wait_for_peers(self) -> None:
        wait_until(self._is_joined, _JOIN_TIMEOUT, "The nodes did not find each other")

    def _is_joined(self) -> bool:
        living = self._living()
        return all(
            node.console.run("peer", "status").count("Peer in Cluster (Connected)")
            == len(living) - 1
            for node in living
        )

    def stop(self) -> None:
        """End all processes and remove all files. Does nothing if it is not started."""
        # A child that was forked has this object too, but not the cluster.
        if not self._folders or os.getpid() != self._owner:
            return
        if self._janitor:
            self._janitor.finish()
        else:
            sweep(self._folders)
        atexit.unregister(self.stop)
        self._reset()

    def create_volume(
        self,
        name: str,
        *,
        replica: int = 0,
        arbiter: int = 0,
        disperse: int = 0,
        redundancy: int = 0,
        distribute: int = 1,
        transport: str = "tcp",
        options: Optional[Mapping[str, object]] = None,
        start: bool = True,
    ) -> SandboxVolume:
        """Create a volume, its bricks spread over the nodes in turn.

        :param name: its name.
        :param replica: copies of each file, or 0 for one.
        :param arbiter: 1 if the third copy is to consist of names and metadata only.
        :param disperse: bricks that each file is erasure-coded over, or 0.
        :param redundancy: how many of those may be lost, or 0 for GlusterFS's own choice.
        :param distribute: sets of bricks that the files are spread over.
        :param transport: what it is reached by.
        :param options: volume options, as :meth:`SandboxVolume.set_option` takes them.
        :param start: start it too, and return when all its bricks serve.
        :raises SandboxError: if there is no such kind, or GlusterFS refuses it.
        :raises TypeError: if ``options`` is no mapping.
        """
        layout = Layout(replica, arbiter, disperse, redundancy, distribute)
        if not self.nodes:
            raise SandboxError("This cluster is not started.")
        volume = SandboxVolume(self, name, layout)
        volume.create(transport, {} if options is None else options)
        self.volumes.append(volume)
        if start:
            volume.start()
        return volume

    def kill_node(self, index: int) -> None:
        """End all processes of a node at once, as a power failure would.

        :param index: which of :attr:`nodes`.
        """
        self.nodes[index].kill()

    def start_node(self, index: int) -> None:
        """Start a node that was killed, and return when all its bricks serve again.

        In a cluster of several nodes, the first that is started keeps its bricks down until a
        second one is there, as GlusterFS does.

        :param index: which of :attr:`nodes`.
        :raises SandboxError: if it does not start.
        """
        node = self.nodes[index]
        if node.alive:
            return
        # The self-heal daemon may have outlived its glusterd.
        node.kill()
        self._launch([node])
        self._wait_for_peers()
        if len(self._living()) > 1 or len(self.nodes) == 1:
            for volume in self.volumes:
                if volume.started:
                    volume.wait_online()

    def gluster(self, *words: str, node: int = 0) -> str:
        """Give a command with the gluster program.

        A command that fails since another one is under way, or a node is still coming up, is
        given again for some seconds.

        :param words: the command, e.g. ``"volume", "info"``.
        :param node: which of :attr:`nodes` is to take it; if that is dead, another one does.
        :returns: what it printed.
        :raises SandboxError: if it failed, with its own words.
        """
        return self._console(node).run(*words)

    def ask(self, *words: str) -> ElementTree.Element:
        """Give a command that answers in XML, otherwise as :meth:`gluster`.

        :returns: the root of the answer.
        """
        return self._console(0).ask(*words)

    def _living(self) -> list[Node]:
        return [node for node in self.nodes if node.alive]

    def _console(self, node: int) -> Console:
        for candidate in (*self.nodes[node:], *self.nodes[:node]):
            if candidate.alive:
                return candidate.console
        raise SandboxError("No node of this cluster is alive.")
