"""In whose name the calling thread's calls are made.

libgfapi keeps a user, a group, supplementary groups and a lease id for each thread, for all volumes
alike, and can neither tell them nor forget them. So what a thread has set is remembered here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterator, Sequence

from . import api
from .descriptor import names_in_use

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from .descriptor import Descriptor
    from .volume import Volume

    Names = tuple[Optional[int], Optional[int], Optional[tuple[int, ...]], Optional[bytes]]

#: How many supplementary groups fit into a call's header. libgfapi drops the rest without a word.
MAX_GROUPS = 87


class _Identity(threading.local):
    """What the thread has set; None for what it has not, which is then the process's own.

    A fork copies the thread that forks, and libgfapi's record of it likewise.
    """

    uid: Optional[int] = None
    gid: Optional[int] = None
    groups: Optional[tuple[int, ...]] = None


_mine = _Identity()


def setfsuid(vol: Volume, uid: int) -> None:
    """Have calls of this thread, on any volume, made as another user (``glfs_setfsuid``).

    :param uid: the user's number (int).
    :raises OSError: on failure.
    :raises OverflowError: if it is negative or too big.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    _set_uid(uid)


def setfsgid(vol: Volume, gid: int) -> None:
    """Have calls of this thread, on any volume, made as another group (``glfs_setfsgid``).

    :param gid: the group's number (int).
    :raises OSError: on failure.
    :raises OverflowError: if it is negative or too big.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    _set_gid(gid)


def setfsgroups(vol: Volume, groups: Sequence[int]) -> None:
    """Have calls of this thread, on any volume, made with other supplementary groups
    (``glfs_setfsgroups``), as :func:`os.setgroups`.

    :param groups: their numbers (a sequence of int); an empty one for none.
    :raises OSError: on failure.
    :raises OverflowError: if a number is negative or too big.
    :raises ValueError: if there are more than 87, as a brick would not get the others.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    _set_groups(_checked_groups(groups))


def setfsleaseid(vol: Volume, lease_id: Optional[bytes]) -> None:
    """Have calls of this thread, on any volume, made under a lease (``glfs_setfsleaseid``).

    A thread that has had an id goes on to send one. Bricks compare them up to the first NUL, and
    take an empty one, which None stands for, for anybody's.

    :param lease_id: the 16 bytes that the lease was taken with, or None.
    :raises OSError: on failure.
    :raises TypeError: if it is neither bytes nor None.
    :raises ValueError: if it has not 16 bytes.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    if lease_id is None:
        names_in_use.set_lease_id(None)
        return
    if not isinstance(lease_id, (bytes, bytearray)):
        raise TypeError(f"lease_id must be bytes or None, not {type(lease_id).__name__!r}")
    if len(lease_id) != api.LEASE_ID_SIZE:
        raise ValueError(f"lease_id has {len(lease_id)} bytes; it must have {api.LEASE_ID_SIZE}")
    names_in_use.set_lease_id(bytes(lease_id))


def identity(
    vol: Volume,
    uid: Optional[int],
    gid: Optional[int],
    groups: Optional[Sequence[int]] = (),
) -> contextlib.AbstractContextManager[None]:
    """Have calls of this thread made as somebody else, for the length of a ``with`` statement.

    Afterwards the thread is again whoever it was before, also after an exception. Other threads
    are not concerned; calls of this one on other volumes are. (``glfs_setfsuid``,
    ``glfs_setfsgid``, ``glfs_setfsgroups``)

    :param uid: the user's number (int), or None to leave it as it is.
    :param gid: the group's number (int), or None to leave it as it is.
    :param groups: the numbers of the supplementary groups (a sequence of int), none by default;
        None leaves those that the thread has, as a rule those of this process.
    :returns: a context manager.
    :raises OSError: on failure.
    :raises OverflowError: if a number is negative or too big.
    :raises ValueError: if there are more than 87 groups, as a brick would not get the others.
    """
    vol._mount.pointer  # noqa: B018 - raises VolumeNotMounted
    return _as(uid, gid, None if groups is None else _checked_groups(groups))


@contextlib.contextmanager
def _as(
    uid: Optional[int], gid: Optional[int], groups: Optional[tuple[int, ...]]
) -> Iterator[None]:
    before = _mine.uid, _mine.gid, _mine.groups
    try:
        if groups is not None:
            _set_groups(groups)
        if gid is not None:
            _set_gid(gid)
        if uid is not None:
            _set_uid(uid)
        yield
    finally:
        _restore(*before)


def _restore(uid: Optional[int], gid: Optional[int], groups: Optional[tuple[int, ...]]) -> None:
    """Go back to what the thread had.

    What it had never set cannot be unset; setting the process's own comes to the same.
    """
    if _mine.uid != uid:
        _set_uid(os.geteuid() if uid is None else uid)
        _mine.uid = uid
    if _mine.gid != gid:
        _set_gid(os.getegid() if gid is None else gid)
        _mine.gid = gid
    if _mine.groups != groups:
        _set_groups(tuple(os.getgroups()) if groups is None else groups)
        _mine.groups = groups


def own_uid() -> int:
    """Whom this thread calls as."""
    uid: Optional[int] = _mine.uid
    return os.geteuid() if uid is None else uid


def is_root() -> bool:
    """Whether this thread calls as root, whom the bricks let do everything."""
    return own_uid() == 0


def is_other() -> bool:
    """Whether this thread calls as another user than this process's."""
    return _mine.uid not in (None, os.geteuid())


def as_process() -> contextlib.AbstractContextManager[None]:
    """Have calls of this thread made as this process's user, for a ``with`` statement."""
    return _as(os.geteuid(), None, None) if is_other() else contextlib.nullcontext()


def check_root(path: Any) -> None:
    """See that this thread may do what the kernel leaves to root, and bricks let everybody do.

    :param path: what the error names.
    :raises OSError: EPERM if not.
    """
    if not is_root():
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), path)


def check_opened(descriptor: Descriptor) -> None:
    """See that this thread may have what was just opened, or was there.

    GlusterFS's open-behind answers an open before they do, and quick-read has small files from
    their look-up: anybody would be given their content. The names of extended attributes are for
    those who may read, are in no cache, and wait for the open.

    What the client shows below ``/.meta`` is of no brick. It is for this process's own user: it has
    the password of the volume's clients, and what is written there changes all of the client. It
    has no list of names: another error betrays it where a symbolic link leads there.

    :raises OSError: if they say no; EACCES for what is for another.
    """
    if is_root():
        return
    if _is_meta(descriptor):
        if is_other():
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), descriptor.path)
        return
    try:
        api.glfs_flistxattr(descriptor, None, 0)
    except OSError as error:
        # Who may only write gets no list, but no other error either.
        if descriptor.is_readable or error.errno not in (errno.EACCES, errno.EPERM):
            raise


def _is_meta(descriptor: Descriptor) -> bool:
    """Whether it is what the client itself shows below ``/.meta``, by a path that says so."""
    return descriptor.whole_path().lstrip(b"/").startswith(b".meta/")


def names() -> Names:
    """In whose name this thread calls, for :func:`take_on`."""
    return _mine.uid, _mine.gid, _mine.groups, names_in_use.lease_id


def take_on(others: Names) -> None:
    """Have calls of this thread made in the name that another thread has."""
    uid, gid, groups, lease_id = others
    _restore(uid, gid, groups)
    if names_in_use.lease_id != lease_id:
        names_in_use.set_lease_id(lease_id)


# Each remembers before it sets: an interrupt in between is to restore too much, not too little.


def _set_uid(uid: int) -> None:
    _mine.uid = number = api.check_uint32(uid)
    api.glfs_setfsuid(number)


def _set_gid(gid: int) -> None:
    _mine.gid = number = api.check_uint32(gid)
    api.glfs_setfsgid(number)


def _set_groups(groups: tuple[int, ...]) -> None:
    array = api.uint32_array(groups)
    _mine.groups = tuple(array)
    api.glfs_setfsgroups(len(array), array)


def _checked_groups(groups: Sequence[int]) -> tuple[int, ...]:
    if isinstance(groups, (str, bytes)):
        raise TypeError(f"groups must be a sequence of int, not {type(groups).__name__!r}")
    listed: list[int] = []
    for number in groups:  # of which there may be no end
        if len(listed) == MAX_GROUPS:
            raise ValueError(
                f"groups has too many numbers; no more than {MAX_GROUPS} reach a brick"
            )
        listed.append(api.check_uint32(number))
    return tuple(listed)
