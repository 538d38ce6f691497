"""What changes the content of files by their paths, or copies it from one open file to another.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import errno
import os

from . import api
from .descriptor import MOST, NO_LOCK, Descriptor
from .file import File, descriptor_of
from .gate import bad_descriptor
from .transfer import Transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Union

    from .volume import Volume


def truncate(vol: Volume, path: api.AnyPath, length: int) -> None:
    """Cut or extend a file (``glfs_truncate``), as :func:`os.truncate`. What is added reads as
    NULs.

    :param path: the file (str, bytes or path-like).
    :param length: the new size in bytes.
    :raises OSError: EISDIR for a directory, EINVAL if ``length`` is negative; and others.
    """
    length = api.integer(length)
    if length < 0:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), os.fspath(path))
    api.glfs_truncate(vol._mount, path, length)


def copy_file_range(
    vol: Volume,
    src: Union[File, int],
    dst: Union[File, int],
    count: int,
    offset_src: Optional[int] = None,
    offset_dst: Optional[int] = None,
    *,
    by_brick: bool = False,
) -> int:
    """Copy from one open file of the volume to another, as :func:`os.copy_file_range`.

    The data go through this client, unless ``by_brick`` is set.

    :param src: what is read: a :class:`File`, or what :meth:`open` returned.
    :param dst: what is written, the same; it may be the same file.
    :param count: how many bytes at most.
    :param offset_src: where to begin to read; None for the position of ``src``, which moves then.
    :param offset_dst: where to begin to write; None for the position of ``dst``, which moves then.
    :param by_brick: whether the volume's only brick is to copy by itself
        (``glfs_copy_file_range``), which it can from the beginning of a file, 16 MiB to 2 GiB at
        once. It keeps ``dst`` open until its process ends: each copy takes a descriptor of the
        brick, and the space of a file that is removed comes back only then, unless it is
        truncated first. All else goes through this client: GlusterFS itself would copy the wrong
        bytes there, or tell too few of the bricks; and a few bytes take longer that way.
    :returns: how many bytes were copied. They may be fewer than asked for: repeat it until it
        is 0, which says that ``src`` ends there.
    :raises OSError: EXDEV if a file is on another volume or mount; EBADF if ``src`` was not
        opened for reading, or ``dst`` not for writing or for appending; EISDIR for a directory;
        EINVAL if the two ranges are of one file and overlap, or an offset is negative; and others.
    :raises ValueError: if ``count`` is negative.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    source, target, count = _descriptor(src), _descriptor(dst), api.integer(count)
    offset_src = None if offset_src is None else api.integer(offset_src)
    offset_dst = None if offset_dst is None else api.integer(offset_dst)
    by_brick = bool(by_brick)
    _check_pair(vol, source, target)
    if count < 0:
        raise ValueError("negative value for 'count' not allowed")
    moving = {d for d, at in ((source, offset_src), (target, offset_dst)) if at is None}
    # All threads take the two in the same order. An ExitStack would do it too, but forget one that
    # it has just taken when it is interrupted.
    locks = (*(d.position for d in sorted(moving, key=id)), NO_LOCK, NO_LOCK)
    with locks[0], locks[1]:
        read_from = source.here() if offset_src is None else offset_src
        write_to = target.here() if offset_dst is None else offset_dst
        transfer = Transfer(source, read_from, target, write_to)
        wanted = transfer.checked(api.check_length(count))
        source.keep_place()
        target.keep_place()
        copied = transfer.by_brick(vol, wanted) if by_brick else 0
        if not copied:
            wanted = min(wanted, MOST)
            copied = transfer.through_client(0, wanted, wanted)
        if offset_src is None:
            source.seek(read_from + copied, os.SEEK_SET)
        if offset_dst is None:
            target.seek(write_to + copied, os.SEEK_SET)
    return copied


def _descriptor(file: Union[File, int]) -> Descriptor:
    return file._descriptor if isinstance(file, File) else descriptor_of(file)


def _check_pair(vol: Volume, source: Descriptor, target: Descriptor) -> None:
    """Whether one of them can be copied to the other at all, as far as it is known here."""
    source.check_open()
    target.check_open()
    wrong = [source] if not source.is_readable else []
    if not target.is_writable or target.is_appending:
        wrong.append(target)
    if wrong:
        source.check_no_directory()
        target.check_no_directory()
        raise bad_descriptor(wrong[0].path)
    if not source.mount is target.mount is vol._mount:
        raise Transfer(source, 0, target, 0).error(errno.EXDEV)
