"""How each contender of each group is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional, Union

from gluster import gfapi
from gluster.gfapi import sandbox

from .contenders import Fio, Program, Unavailable, Worker
from .rows import OURS, Group
from .stage import HERE, Stage, folders

Contender = Union[Worker, Program, Fio]

_GLUSTER = str(Path(gfapi.__file__).parents[2])
# What is to be on the path of a program in Python: ``bench`` and ``gluster``.
_PYTHONPATH = os.pathsep.join(dict.fromkeys([str(HERE.parent), _GLUSTER]))
_FIND_OURS = f"import sys; sys.path.insert(0, {_GLUSTER!r}); "
# An ordinary start imports ``site`` and has it run what the .pth files in site-packages say. They
# may import for others what gfapi needs.
_IMPORT = f"import site; {_FIND_OURS}"
_SCRIPT = f"""
{_FIND_OURS}
from gluster import gfapi
vol = gfapi.Volume(sys.argv[1], sys.argv[2])
vol.mount()
vol.stat("/")
vol.umount()
"""


def start(
    stage: Stage, name: str, group: Group, volume: Optional[sandbox.SandboxVolume], count: int
) -> Contender:
    """Start a contender.

    :param name: one of :data:`~bench.rows.CONTENDERS`.
    :param volume: None for a group that needs none.
    :param count: how much an operation is to do.
    :raises Unavailable: if it is not on this machine.
    """
    if group.name == "import":
        statement = "import gluster.gfapi" if name == OURS else "pass"
        return Program(name, [sys.executable, "-I", "-S", "-c", _IMPORT + statement])
    if group.name == "calls":
        stub = stage.stub()  # ours finds it by its path, the older binding by the folder
        environment = {"GFAPI_LIBRARY": f"{stub}/libgfapi.so.0", "LD_LIBRARY_PATH": stub}
        return _python(stage, name, group, ("stub", "stub"), count, environment)
    assert volume
    place = volume.hosts[0], volume.name
    if group.name == "script":
        if name == "c":
            return Program("C", [stage.built("script.c", "-lgfapi"), *place])
        return Program(name, [sys.executable, "-I", "-c", _SCRIPT, *place])
    if name == "fio":
        return _fio(group, place, count)
    if name == "c":
        program = stage.built("worker.c", "-D_FILE_OFFSET_BITS=64", "-lgfapi")
        return Worker("C", [program, group.name, *place, *folders(group, name), str(count)])
    mount = stage.fuse(volume) if name == "fuse" else ""
    return _python(stage, name, group, place, count, {}, mount)


def _python(
    stage: Stage,
    name: str,
    group: Group,
    volume: tuple[str, str],
    count: int,
    environment: dict[str, str],
    place: str = "",
) -> Worker:
    if name == "older":
        if not stage.older:
            raise Unavailable(
                "gfapi 1.x was not found: name its folder with --older (see bench/README.rst)"
            )
        place = stage.older
    # The older binding does what Python warns of today.
    command = [sys.executable, "-W", "ignore", "-m", "bench.worker", name, group.name]
    arguments = [*volume, *folders(group, name), str(count), place]
    return Worker(name, [*command, *arguments], {"PYTHONPATH": _PYTHONPATH, **environment})


def _fio(group: Group, volume: tuple[str, str], count: int) -> Fio:
    program = shutil.which("fio")
    if not program:
        raise Unavailable("fio is not installed (Debian's package fio)")
    engines = subprocess.run(
        [program, "--enghelp"], check=False, capture_output=True, text=True
    ).stdout
    if "gfapi" not in engines.split():
        raise Unavailable("this fio has no gfapi engine")
    shared, own = folders(group, "fio")
    return Fio(program, volume, {"read": f"{shared}/big", "write": f"{own}/written"}, count)
