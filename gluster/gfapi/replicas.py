"""Whether copies of a volume are away, which a sync has to know.

GlusterFS notes on the bricks that took a write which copies lack it, so that those are healed, and
heal no other. But it does so up to a second after the write, and, as long as one write follows the
other, not at all. If a second brick dies meanwhile, nothing tells any more which copy is stale, and
what was synced may be healed away.
"""

from __future__ import annotations

import os

from . import api
from .exceptions import VolumeNotMounted
from .opened import Opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .mount import Mount

_GRAPH = "/.meta/graphs/active"
_SIZE = 1 << 14  # bytes; what is known of 100 copies


def is_one_away(mount: Mount) -> bool:
    """Whether a copy of anything on the volume is out of reach. The bricks are not asked.

    While a graph takes the place of another, nobody knows, and that is taken for a yes. An unmount
    under way is none: it closes the file, which has all noted.
    """
    try:
        return any(_is_without_one(mount, name) for name in _replicas(mount))
    except VolumeNotMounted:
        return False
    except OSError:
        return True


def _replicas(mount: Mount) -> list[str]:
    """The names of the translators that keep copies."""
    target = bytearray(256)
    length = api.glfs_readlink(mount, _GRAPH, *api.memory(target, writable=True))
    graph = bytes(target[:length])
    if mount.replicas is None or mount.replicas[0] != graph:
        words = _read(mount, f"{_GRAPH}/volfile").split()
        if not words:
            return []  # and that is not for good
        pairs = zip(words, words[2:])  # "volume NAME type cluster/replicate"
        names = [os.fsdecode(name) for name, kind in pairs if kind == b"cluster/replicate"]
        mount.replicas = graph, names
    return mount.replicas[1]


def _is_without_one(mount: Mount, name: str) -> bool:
    return any(
        line.startswith(b"child_up[") and not line.endswith(b" = 1")
        for line in _read(mount, f"{_GRAPH}/{name}/private").splitlines()
    )


def _read(mount: Mount, path: str) -> bytes:
    """What a file of the client's own says."""
    content, part = bytearray(), bytearray(_SIZE)
    given = path, os.O_RDONLY
    with mount.open(api.glfs_open, *given, mount, *given, make=Opened) as file:
        while length := api.glfs_read(file._descriptor, *api.memory(part, writable=True), 0):
            content += part[:length]
    return bytes(content)
