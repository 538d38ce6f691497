"""What the operations in Python are run on: our Volume, the older binding's, or FUSE."""

from __future__ import annotations

import collections
import collections.abc
import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Optional


def ours(host: str, volume: str) -> Any:
    """A mounted Volume of this project."""
    from gluster import gfapi

    assert gfapi.__version__.startswith("2."), gfapi.__file__
    return _mounted(gfapi, host, volume)


def older(host: str, volume: str, place: str) -> Any:
    """A mounted Volume of the older binding.

    It ends with Python 3.9, as the module ``collections`` has since lost names that it imports.
    They are put back, so that it can be measured on the same Python. Its ``fsync`` and
    ``fdatasync`` must not be called, as they end the process with the GlusterFS of today.

    :param place: the folder that has its ``gluster/gfapi``.
    """
    for name in collections.abc.__all__:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    sys.path.insert(0, place)
    gfapi = importlib.import_module("gluster.gfapi")
    assert Path(gfapi.__file__ or "").is_relative_to(place), gfapi.__file__
    return _mounted(gfapi, host, volume)


def _mounted(gfapi: Any, host: str, volume: str) -> Any:
    vol = gfapi.Volume(host, volume)
    vol.mount()
    return vol


def find_older() -> Optional[str]:
    """The folder on the path that has the older binding, if it is installed there."""
    for place in sys.path:
        for found in metadata.distributions(name="gfapi", path=[place]):
            if found.version.startswith("1.") and is_older(place):
                return place
    return None


def is_older(place: str) -> bool:
    """Whether a folder has a ``gluster/gfapi`` of before this project."""
    package = Path(place, "gluster", "gfapi")
    return package.is_dir() and not (package / "api" / "table.py").exists()


class Fuse:
    """A FUSE mount, with what the operations use under the names of a Volume's methods.

    :param top: where it is mounted.
    """

    def __init__(self, top: str) -> None:
        self.top = top

    def copytree(self, src: str, dst: str) -> None:
        shutil.copytree(self.top + src, self.top + dst)

    def rmtree(self, path: str) -> None:
        shutil.rmtree(self.top + path)

    def walk_with_stat(self, path: str) -> Iterator[tuple[str, Any, Any]]:
        for folder, dirs, files in os.walk(self.top + path):
            yield (
                folder,
                [(name, os.lstat(os.path.join(folder, name))) for name in dirs],
                [(name, os.lstat(os.path.join(folder, name))) for name in files],
            )
