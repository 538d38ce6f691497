"""Small disks for the bricks of a sandbox, which can be filled and emptied at once."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence

from gluster.gfapi import sandbox

SIZE = 240 << 20  # bytes
_BALLAST = "ballast"


@contextlib.contextmanager
def cluster_on_small_disks(nodes: int = 3) -> Iterator[sandbox.Cluster]:
    """A cluster whose nodes have a small file system each, in a file that is mounted (ext4).

    They are unmounted also if the program is killed.
    """
    with sandbox.Cluster(nodes) as cluster, _unmounting([n.storage for n in cluster.nodes]):
        for node in cluster.nodes:
            image = os.path.join(node.folder, "disk")
            with open(image, "wb") as file:
                file.truncate(SIZE)
            subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
            subprocess.run(["mount", "-o", "loop", image, node.storage], check=True)
        yield cluster


@contextlib.contextmanager
def _unmounting(folders: Sequence[str]) -> Iterator[None]:
    """Have folders unmounted at the end of the block, or of this process."""
    # Lazily, for bricks still use them; they are killed next.
    command = ["sh", "-c", 'read _; for each; do umount -l "$each"; done', "sh", *folders]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield  # and the pipe is closed


def fill(node: sandbox.Node, left: int) -> None:
    """Take up the room of a node's disk but for some bytes."""
    status = os.statvfs(node.storage)
    with open(os.path.join(node.storage, _BALLAST), "ab") as file:
        end = os.fstat(file.fileno()).st_size
        wanted = status.f_bavail * status.f_frsize - left
        with contextlib.suppress(OSError):  # somebody else was faster
            if wanted > 0:
                os.posix_fallocate(file.fileno(), end, wanted)


def empty(node: sandbox.Node) -> None:
    """Give it back."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(node.storage, _BALLAST))
