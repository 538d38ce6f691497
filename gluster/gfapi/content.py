"""What changes the content of files by their paths, or copies it from one open file to another.

Each function takes the Volume first; :class:`~gluster.gfapi.volume.Volume` lists them as its
methods.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat as stat_module
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from . import api
from .descriptor import MOST, Descriptor
from .file import File, descriptor_of
from .gate import bad_descriptor

if TYPE_CHECKING:
    from .volume import Volume

_CHUNK = 1 << 20
_MOST_OF_BRICK = 0x7FFFF000  # what Linux copies at once; libgfapi returns an int
_VOLFILE = "/.meta/graphs/active/volfile"
# Most translators hand a copy_file_range down to the first one below them and think no more of it:
# one replica gets it, one block of a sharded file, fragments of a dispersed one; and caches keep
# what was there before. Below these alone, and above a single brick, it does what it should.
_TRUSTED = {
    b"cluster/distribute",
    b"debug/io-stats",
    b"features/utime",
    b"meta",
    b"performance/io-threads",
    b"performance/md-cache",
    b"performance/nl-cache",
    b"performance/open-behind",
    b"performance/quick-read",
    b"performance/readdir-ahead",
    b"performance/write-behind",
    b"protocol/client",
}


def truncate(vol: Volume, path: api.AnyPath, length: int) -> None:
    """Cut or extend a file (``glfs_truncate``), as :func:`os.truncate`. What is added reads as
    NULs.

    :param path: the file (str, bytes or path-like).
    :param length: the new size in bytes.
    :raises OSError: EISDIR for a directory, EINVAL if ``length`` is negative; and others.
    """
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
) -> int:
    """Copy from one open file of the volume to another (``glfs_copy_file_range``), as
    :func:`os.copy_file_range`.

    On a volume of one brick, it is the brick that copies from the beginning of a file, up to
    2 GiB at once. All else goes through this client: GlusterFS itself would copy the wrong bytes
    there, or tell too few of the bricks.

    :param src: what is read: a :class:`File`, or what :meth:`open` returned.
    :param dst: what is written, the same; it may be the same file.
    :param count: how many bytes at most.
    :param offset_src: where to begin to read; None for the position of ``src``, which moves then.
    :param offset_dst: where to begin to write; None for the position of ``dst``, which moves then.
    :returns: how many bytes were copied. They may be fewer than asked for: repeat it until it
        is 0, which says that ``src`` ends there.
    :raises OSError: EXDEV if a file is on another volume or mount; EBADF if ``src`` was not
        opened for reading, or ``dst`` not for writing or for appending; EISDIR for a directory;
        EINVAL if the two ranges are of one file and overlap, or an offset is negative; and others.
    :raises ValueError: if ``count`` is negative.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    source, target = _descriptor(src), _descriptor(dst)
    _check_pair(vol, source, target)
    if count < 0:
        raise ValueError("negative value for 'count' not allowed")
    with contextlib.ExitStack() as stack:
        moving = {d for d, at in ((source, offset_src), (target, offset_dst)) if at is None}
        for descriptor in sorted(moving, key=id):  # all threads take the two in the same order
            stack.enter_context(descriptor.position)
        read_from = source.here() if offset_src is None else offset_src
        write_to = target.here() if offset_dst is None else offset_dst
        copy = _Copy(source, read_from, target, write_to)
        wanted = copy.checked(api.check_length(count))
        # GlusterFS forgets where to read on the way to the brick, which begins at 0.
        if wanted and read_from == 0 and _is_single_brick(vol):
            copied = copy.on_brick(min(wanted, _MOST_OF_BRICK))
        else:
            copied = copy.through_client(min(wanted, MOST))
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
    if not source.is_readable:
        raise bad_descriptor(source.path)
    if not target.is_writable or target.is_appending:
        raise bad_descriptor(target.path)
    if not source.mount is target.mount is vol._mount:
        raise _error(errno.EXDEV, source, target)


def _error(code: int, source: Descriptor, target: Descriptor) -> OSError:
    return OSError(code, os.strerror(code), source.path, None, target.path)


def _is_single_brick(vol: Volume) -> bool:
    """Whether a brick can be asked to copy."""
    try:
        with vol.fopen(_VOLFILE) as file:
            types = re.findall(rb"^\s*type\s+(\S+)", file.read(), re.MULTILINE)
    except OSError:
        return False
    return types.count(b"protocol/client") == 1 and _TRUSTED.issuperset(types)


class _Copy(NamedTuple):
    """What is to be copied where."""

    source: Descriptor
    read_from: int
    target: Descriptor
    write_to: int

    def checked(self, count: int) -> int:
        """How many of so many bytes a single call copies.

        Refuses what the kernel refuses.
        """
        self.source.check_range(self.read_from)
        self.target.check_range(self.write_to)
        statuses = self.source.stat(), self.target.stat()
        for status in statuses:
            if not stat_module.S_ISREG(status.st_mode):
                is_directory = stat_module.S_ISDIR(status.st_mode)
                raise self._error(errno.EISDIR if is_directory else errno.EINVAL)
        available = max(0, statuses[0].st_size - self.read_from)
        count = min(count, available)
        is_same = statuses[0].st_ino == statuses[1].st_ino
        if is_same and abs(self.read_from - self.write_to) < count:
            raise self._error(errno.EINVAL)
        return count

    def _error(self, code: int) -> OSError:
        return _error(code, self.source, self.target)

    def on_brick(self, count: int) -> int:
        """Have the brick copy."""
        source, target = self.source, self.target
        source.sync()
        target.sync()
        copied: int = api.glfs_copy_file_range(
            source, self.read_from, target, self.write_to, count, 0, None, None, None
        )
        # No translator of this client has noticed. A write has them forget what they know.
        self._write(b"", 0)
        return copied

    def through_client(self, count: int) -> int:
        """Read and write until all is copied or there is no more."""
        self.source.keep_place()
        self.target.keep_place()
        copied, chunk = 0, bytearray(min(count, _CHUNK))
        memory, size = api.memory(chunk, writable=True)
        while copied < count:
            wanted = min(size, count - copied)
            at = self.read_from + copied
            got = api.glfs_pread(self.source, memory, wanted, at, 0, None)
            if not got:
                break
            copied += self._write(memoryview(chunk)[:got], copied)
        return copied

    def _write(self, data: Any, done: int) -> int:
        memory, size = api.memory(data)
        at = self.write_to + done
        count: int = api.glfs_pwrite(self.target, memory, size, at, 0, None, None)
        return count


def copy_content(reader: File, writer: File, stat: api.Stat) -> None:
    """Copy a file from its beginning to its end, however its size changes, to an empty one.

    :param stat: the status of the one that is read, from before it was opened.
    """
    source, target = reader._descriptor, writer._descriptor
    # One byte more than there should be, and the file ends where it is said to end.
    size = min(stat.st_size + 1, _CHUNK)
    chunk = bytearray(size)
    memory, _ = api.memory(chunk, writable=True)
    at = 0
    while got := api.glfs_pread(source, memory, size, at, 0, None):
        api.glfs_pwrite(target, memory, got, at, 0, None, None)
        at += got
        if at == stat.st_size and got < size:
            break
