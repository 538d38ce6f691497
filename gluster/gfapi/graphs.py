"""Which graph of translators a mount uses: that one, and not the one before, gets its calls."""

from __future__ import annotations

from . import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .mount import Mount

#: What a client says of its graph.
ACTIVE = "/.meta/graphs/active"


def active(mount: Mount) -> bytes:
    """The name of the graph, which no other has. The bricks are not asked.

    :raises OSError: if nobody knows, e.g. while one graph takes the place of another.
    """
    mount.graph = b""
    target = bytearray(256)
    length = api.glfs_readlink(mount, ACTIVE, *api.memory(target, writable=True))
    mount.graph = bytes(target[:length])
    return mount.graph
