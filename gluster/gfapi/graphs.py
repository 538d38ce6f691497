"""Which graph of translators gets the calls of a mount."""

from __future__ import annotations

from . import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .mount import Mount

# A link whose target is the graph that was made last, though calls may not go to that yet. But the
# link itself has another inode number in each graph, as all has that a client makes up by itself.
_LINK = "/.meta/graphs/active"


def active(mount: Mount) -> int:
    """A number that only this graph has. The bricks are not asked.

    :raises OSError: if nobody knows.
    """
    stat = api.Stat()
    api.glfs_lstat(mount, _LINK, stat)
    mount.graph = stat.st_ino
    return mount.graph
