"""How the content of one open file gets into another: by the brick, or through this client.

The client reads few large pieces, one after the other. While it reads one, write-behind sends the
one before, so several threads would be no faster, and need more memory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as stat_module
import time

from . import api, rereading, rewriting
from .descriptor import Descriptor
from .opened import Opened
from .typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional

    from .volume import Volume

#: What a single call to the brick copies at most, as Linux has it; libgfapi returns an int.
MOST_OF_BRICK = 0x7FFFF000
_CHUNK = 1 << 22
_LEAST = 1 << 16
#: For how long a file is given to be found again after it has moved, in seconds.
_PAUSES = (0.01, 0.1, 1.0)
_BLOCK = 1 << 12  # what a brick's file system keeps or leaves out
# With fewer bytes, asking whether the brick may copy takes longer than copying.
_WORTHWHILE = 1 << 24
# Most translators hand a copy_file_range down to the first one below them and think no more of it:
# one replica gets it, one block of a sharded file, fragments of a dispersed one; and caches keep
# what was there before. Below these alone, and above a single brick, it does what it should.
_TRUSTED = {
    "cluster/distribute",
    "debug/io-stats",
    "features/utime",
    "meta",
    "performance/io-threads",
    "performance/md-cache",
    "performance/nl-cache",
    "performance/open-behind",
    "performance/quick-read",
    "performance/readdir-ahead",
    "performance/write-behind",
    "protocol/client",
}
# Answered by the brick's quota translator, with numbers if there are limits.
_LIMIT = "trusted.limit.list"


def copy_content(
    vol: Volume,
    source: Descriptor,
    target: Descriptor,
    stat: api.Stat,
    *,
    by_brick: bool = False,
) -> None:
    """Copy a file from its beginning to its end, however that moves, and keep its holes.

    :param source: is read. Its position moves.
    :param target: an empty file, which nobody has written to.
    :param stat: the status of what is read, from before it was opened. A brick that copies has
        all that this client had written by then.
    :param by_brick: whether the brick is to copy, if there is one that can.
    """
    size, transfer = stat.st_size, Transfer(source, 0, target, 0)
    is_sparse = stat.st_blocks * 512 < size
    skips = is_sparse and size > _CHUNK  # what is read at once is not worth looking for holes first
    done = 0
    if skips:
        done = transfer.data_only()
    elif by_brick:
        done = transfer.by_brick(vol, size)
    transfer.through_client(done, None, size, is_sparse)


class Transfer(NamedTuple):
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
                raise self.error(errno.EISDIR if is_directory else errno.EINVAL)
        count = min(count, self._available(statuses[0].st_size)) or self._newly_available(count)
        is_same = statuses[0].st_ino == statuses[1].st_ino
        if is_same and abs(self.read_from - self.write_to) < count:
            raise self.error(errno.EINVAL)
        return count

    def _available(self, size: int) -> int:
        return max(0, size - self.read_from)

    def _newly_available(self, count: int) -> int:
        """How many of so many bytes there are where the source ends as far as it is remembered.

        Another client may have appended. The answer to a read brings the size that the brick knows;
        what was read is no answer: behind the end of a dispersed file there may be NULs.
        """
        if not count:
            return 0
        self.source.keep_place()
        memory, _ = api.memory(bytearray(1), writable=True)
        arguments = (self.source, memory, 1, self.read_from, 0, None)
        rereading.at_offset(self.source, self.read_from, api.glfs_pread, *arguments)
        return min(count, self._available(self.source.stat().st_size))

    def error(self, code: int) -> OSError:
        """The error that names both files."""
        return OSError(code, os.strerror(code), self.source.path, None, self.target.path)

    # ------------------------------------------------------------------ by the brick

    def by_brick(self, vol: Volume, count: int) -> int:
        """Have the brick copy, if there is one that can.

        Only who asks for it gets this: GlusterFS's server never lets go of the target.

        :returns: how many bytes it has copied. What it has not, the client may copy over it.
        """
        # GlusterFS forgets where to read on the way to the brick, which begins at 0.
        if count < _WORTHWHILE or self.read_from or not _is_single_brick(vol) or self._has_quota():
            return 0
        try:
            _settle(self.source)
            _settle(self.target)
            copied = self._ask_brick(min(count, MOST_OF_BRICK))
        except (OSError, NotImplementedError):
            return 0  # the client finds out whether there is more to it than that
        # Bricks may have been added when it was on its way, and only one of them got it.
        return copied if _is_single_brick(vol) else 0

    def _ask_brick(self, count: int) -> int:
        at = self.write_to
        copied: int = api.glfs_copy_file_range(
            self.source, self.read_from, self.target, at, count, 0, None, None, None
        )
        # No translator has noticed, here or on the brick. A write has caches forget what they
        # know, other clients told, and what keeps a record of changes keep one of this.
        api.glfs_pwrite(self.target, None, 0, at, 0, None, None)
        return copied

    def _has_quota(self) -> bool:
        """Whether the volume has limits, which the brick would not keep."""
        value = bytearray(64)
        try:
            api.glfs_fgetxattr(self.target, _LIMIT, *api.memory(value, writable=True))
        except OSError as error:  # where it is not known, it may have
            return error.errno not in (errno.ENODATA, errno.EOPNOTSUPP)
        return value[:1].isdigit()

    # ------------------------------------------------------------------ through this client

    def through_client(
        self, done: int, count: Optional[int], expected: int, is_sparse: bool = False
    ) -> int:
        """Read and write until all is copied or there is no more.

        :param done: how many bytes are copied already.
        :param count: how many there are to be in the end; None for as many as there are.
        :param expected: how many there should be.
        :param is_sparse: whether blocks of NULs are left out, because there is nothing yet.
        :returns: how many are copied in the end.
        """
        # One byte more: a piece that ends where it should end is the last one.
        room = min(max(expected - done + 1, _LEAST), _CHUNK)
        chunk = bytearray(room)
        view, (memory, _) = memoryview(chunk), api.memory(chunk, writable=True)
        written = done
        while count is None or done < count:
            wanted = room if count is None else min(room, count - done)
            at = self.read_from + done
            arguments = (self.source, memory, wanted, at, 0, None)
            got = rereading.at_offset(self.source, at, api.glfs_pread, *arguments)
            if not got and count is None and done < expected and self._goes_on(at):
                continue
            for begin, end in _data_in(chunk, got) if is_sparse else [(0, got)]:
                self._write(view[begin:end], done + begin)
                written = done + end
            done += got
            if not got or (got < wanted and done == expected):
                break
        if written < done:
            api.glfs_ftruncate(self.target, self.write_to + done, None, None)
        return done

    def _goes_on(self, at: int) -> bool:
        """Whether there is something after all where a brick has said twice that the file is empty.

        Its status, of before it was opened, told otherwise. Nobody else sees a copy of nothing.
        """
        memory, _ = api.memory(bytearray(1), writable=True)
        for pause in _PAUSES:
            if self.source.stat().st_size:  # it has been cut
                break
            time.sleep(pause)
            if api.glfs_pread(self.source, memory, 1, at, 0, None):
                return True
        return False

    def _write(self, data: memoryview, done: int) -> None:
        while data:
            memory, size = api.memory(data)
            arguments = (self.target, memory, size, self.write_to + done, 0, None, None)
            count = rewriting.at_offset(self.target.mount, api.glfs_pwrite, *arguments)
            if not count:  # it takes no more, and does not say why
                raise self.error(errno.EIO)
            data, done = data[count:], done + count

    def data_only(self) -> int:
        """Copy what is not a hole, to an empty file.

        :returns: how far that is done. Where the volume does not tell data from holes, there may
            be more behind it.
        """
        source, at = self.source, 0
        _settle(source)
        while True:
            try:
                size = source.stat().st_size
                begin = self._next_data(at, size)
                if begin is None:
                    api.glfs_ftruncate(self.target, size, None, None)
                    return size
                end: int = api.glfs_lseek(source, begin, os.SEEK_HOLE)
            except OSError:
                return at
            if not at <= begin < end:
                return at
            at = self.through_client(begin, end, end)
            if at < end:  # it has been cut
                return at

    def _next_data(self, at: int, size: int) -> Optional[int]:
        """Where data begin; None if there is a hole from here to the end.

        :raises OSError: if that is not known.
        """
        byte = bytearray(1)
        memory, _ = api.memory(byte, writable=True)
        for _ in range(2):
            try:
                found: int = api.glfs_lseek(self.source, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO or at >= size:
                    raise
            else:
                return found
            # The brick that a file has just been moved away from says so too. Reading finds the
            # one that has it now, for the next call; and whether the file has been cut.
            if not api.glfs_pread(self.source, memory, 1, size - 1, 0, None):
                raise self.error(errno.ENXIO)
        return None


def _settle(descriptor: Descriptor) -> None:
    """Have all that this client wrote to the file with the bricks, though not on their disks.

    Write-behind keeps a flush waiting for all that it has held back. It is a duplicate that is
    closed, and used before: open-behind passes on no flush of what is not open yet.
    """
    with descriptor.duplicate(Opened) as duplicate, contextlib.suppress(OSError):
        api.glfs_lseek(duplicate._descriptor, 0, os.SEEK_DATA)


def _is_single_brick(vol: Volume) -> bool:
    """Whether a brick can be asked to copy."""
    import re  # costs a part of this package to import

    try:
        types = re.findall(r"^\s*type\s+(\S+)", vol.meta.volfile(), re.MULTILINE)
    except OSError:
        return False
    return types.count("protocol/client") == 1 and _TRUSTED.issuperset(types)


def _data_in(chunk: bytearray, count: int) -> Iterator[tuple[int, int]]:
    """The runs of blocks that are not all NUL among so many bytes, as begin and end."""
    nothing = bytes(_BLOCK)
    begin: Optional[int] = None
    for at in range(0, count, _BLOCK):
        if chunk.startswith(nothing[: count - at], at):
            if begin is not None:
                yield begin, at
            begin = None
        elif begin is None:
            begin = at
    if begin is not None:
        yield begin, count
