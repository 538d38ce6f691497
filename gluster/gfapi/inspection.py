"""The volume's description, dumps of the client's state, and the like."""

from __future__ import annotations

import errno
import os

from . import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .volume import Volume

_ATTEMPTS = 10


def get_volfile(vol: Volume) -> str:
    """The description of the volume that glusterd gave this client (``glfs_get_volfile``).

    It is the newest that arrived. :meth:`~gluster.gfapi.meta.Meta.graph` has what the client made
    of it. The user name and password with which clients of the volume know each other are in it.

    :returns: the text (str); ``""`` if there is none, as for a volume that is mounted from a file.
    :raises OSError: EAGAIN if it changes faster than it can be read.
    """
    mount = vol._mount
    # Exactly what is asked for is copied, even from behind the end; so the size is asked for before
    # and after.
    size = -api.glfs_get_volfile(mount, None, 0)
    for _ in range(_ATTEMPTS):
        content = bytearray(size)
        copied = api.glfs_get_volfile(mount, *api.memory(content, writable=True))
        now = -api.glfs_get_volfile(mount, None, 0)
        if copied == size == now:
            return os.fsdecode(bytes(content))
        size = now
    raise OSError(errno.EAGAIN, "the volume's description changes all the time")


def sysrq(vol: Volume, command: Any) -> None:
    """Have the client dump its state, or log what else it can do (``glfs_sysrq``).

    :param command: what (str, bytes or member of :class:`api.Sysrq <gluster.gfapi.api.Sysrq>`).
        ``"s"`` (STATEDUMP) has it write a dump of its state to ``/var/run/gluster``, or to where
        the last :meth:`statedump` was. Nothing says whether it could, so rather call that.
        ``"h"`` (HELP) has it log what can be asked for, which GlusterFS 10.3 does not.
    :raises ValueError: for any other command.
    :raises TypeError: if it is none of these types.
    :raises OSError: on failure.
    """
    character = _checked_command(command)
    mount = vol._mount
    with mount.lock:  # a dump into another thread's directory would not be found
        api.glfs_sysrq(mount, character)


def _checked_command(command: Any) -> bytes:
    if isinstance(command, api.Sysrq):
        return command.value
    if not isinstance(command, (str, bytes)):
        raise TypeError(f"command must be str, bytes or api.Sysrq, not {type(command).__name__!r}")
    raw = os.fsencode(command)
    if raw not in {member.value for member in api.Sysrq}:
        known = " or ".join(repr(member.value.decode()) for member in api.Sysrq)
        raise ValueError(f"command is {command!r}; it may be {known}")
    return raw


def statedump(vol: Volume, directory: api.AnyPath) -> str:
    """Write a dump of this client's state to a file (``glfs_set_statedump_path``, ``glfs_sysrq``).

    It has what GlusterFS's ``gluster volume statedump`` has of a brick: memory, calls in flight,
    and the state of each translator. It is complete when this returns. Only its owner may read it.
    Taking it sets the counters of :meth:`Meta.latency() <gluster.gfapi.meta.Meta.latency>` back.

    :param directory: an existing directory of this machine (str, bytes or path-like).
    :returns: the path of the new file (str), ``glusterdump.PID.dump.SECONDS`` in ``directory``,
        with a number behind it if there was one of that name.
    :raises FileNotFoundError: if there is no such directory.
    :raises NotADirectoryError: if it is none.
    :raises PermissionError: if it is not writable.
    :raises NotImplementedError: before GlusterFS 7.
    """
    mount = vol._mount
    folder = os.path.abspath(os.fsdecode(api.encode_bare_path(directory)))
    mount.pointer  # noqa: B018 - raises VolumeNotMounted before anything is made
    # GlusterFS names dumps by the second, and one replaces another. In a directory of its own,
    # ours can neither be replaced nor mistaken.
    own = os.path.join(folder, f".statedump-{os.getpid()}-{os.urandom(8).hex()}")
    try:
        os.mkdir(own, 0o700)
    except OSError as error:
        raise OSError(error.errno, error.strerror, directory) from None
    try:
        with mount.lock:
            api.glfs_set_statedump_path(mount, own)
            try:
                api.glfs_sysrq(mount, api.Sysrq.STATEDUMP.value)
            finally:
                api.glfs_set_statedump_path(mount, folder)
        return _moved(own, folder)
    finally:
        _remove(own)


def _moved(own: str, folder: str) -> str:
    """Move the dump in one directory to another, and return its new path."""
    dumps = [name for name in os.listdir(own) if ".dump." in name]
    if not dumps:  # C does not say why
        raise FileNotFoundError(
            errno.ENOENT,
            "GlusterFS wrote no dump there; is the disk full, or is there a glusterdump.options "
            "in its run directory that names another place?",
            folder,
        )
    target = os.path.join(folder, dumps[0])
    number = 0
    while True:
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            number += 1
            target = os.path.join(folder, f"{dumps[0]}.{number}")
    os.replace(os.path.join(own, dumps[0]), target)
    return target


def _remove(folder: str) -> None:
    for name in os.listdir(folder):  # what a dump that failed half-way left
        os.unlink(os.path.join(folder, name))
    os.rmdir(folder)
