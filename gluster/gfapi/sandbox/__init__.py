"""A throw-away GlusterFS cluster on this machine, for trials and tests.

::

    from gluster.gfapi import sandbox

    with sandbox.Cluster(nodes=3) as cluster:
        volume = cluster.create_volume("demo", replica=3)
        with volume.client() as vol:
            ...

It needs root and the GlusterFS server. From a shell: ``python -m gluster.gfapi.sandbox --help``.
"""

from .cluster import Cluster
from .exceptions import SandboxError
from .host import why_not
from .node import Node
from .volume import Brick, SandboxVolume

__all__ = ["Brick", "Cluster", "Node", "SandboxError", "SandboxVolume", "why_not"]
