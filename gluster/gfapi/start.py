"""From what a Volume was given to a ``glfs`` that is initialised."""

from __future__ import annotations

import errno
import itertools
import os
import threading
import time
from collections.abc import Sequence

from . import api, forks
from .ending import end_in_background
from .exceptions import LibgfapiException
from .gate import Gate, wait_until
from .mount import set_logging
from .servers import Server
from .typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .logs import Place

_MISSING = (errno.ENOENT, errno.ENOMEM)  # the latter from GlusterFS 11
#: How long a start may take, in seconds. The kernel gives a dead host up after 130.
_INIT_TIMEOUT = 180.0
#: After how many seconds another server is asked at the same time.
_SILENCE = 10.0
_END_TIMEOUT = 1.0  # seconds
_STUCK = (
    "it does not get ready; most likely its bricks refuse this client (auth.allow, auth.reject, "
    "auth.ssl-allow), or glusterd hangs, or a translator was given an option without sense"
)
_GRAPH = "/.meta/graphs/active"
#: Where a brick that gets full takes a part of a write, write-behind goes on to gather small writes
#: in the buffer that the part was at the beginning of, and forgets that it was: what is more than
#: fits destroys the memory behind it. Buffers of up to 128 KiB, as by default, are just as long as
#: that; for one byte more than 256 KiB it gets 1 MiB, where what it overlooks has room.
_AGGREGATE_SIZE = ("*-write-behind", "aggregate-size", str((1 << 18) + 1))
_NO_XLATORS = (".", "..", "top", "volfile")  # "top" is a link to one


class XlatorOption(NamedTuple):
    """An option of those translators whose names match a pattern."""

    xlator: str
    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.xlator}.{self.key}"


class Configuration(NamedTuple):
    """What a mount is made from.

    :ivar servers: who is asked for the volume; empty where there is a volume file.
    :ivar volfile: the volume file, or None.
    """

    volname: str
    servers: Sequence[Server]
    volfile: Optional[str]
    options: Sequence[XlatorOption]
    log_file: Place
    log_level: int


def start_glfs(configuration: Configuration) -> int:
    """Make, configure and initialise a glfs.

    :raises LibgfapiException: if that fails, with the cause in words.
    """
    if configuration.volfile is not None:
        from .volfile import check_volfile  # few mount from one

        check_volfile(configuration.volfile)
        return _start(configuration, ())
    # libgfapi does not find its way from a host to a socket, nor back.
    alike = itertools.groupby(configuration.servers, lambda server: server.transport == "unix")
    *first, last = [list(servers) for _, servers in alike]
    for servers in first:
        try:
            return _start(configuration, servers)
        except LibgfapiException:
            if any(server.answers() for server in servers):
                raise
    return _start(configuration, last)


@forks.none_meanwhile()
def _start(configuration: Configuration, servers: Sequence[Server]) -> int:
    """Start a glfs, and others that ask another server first while one does not get ready.

    libgfapi asks the next server when a connection fails. If there is none, as the host is down, or
    nothing comes by it, as glusterd hangs, it waits for minutes or for ever.
    """
    attempts: list[_Attempt] = []
    end = time.monotonic() + _INIT_TIMEOUT
    try:
        for turn in range(max(1, len(servers))):
            attempts.append(_Attempt(configuration, (*servers[turn:], *servers[:turn])))
            is_last = turn + 1 >= len(servers)
            done = _first(attempts, end if is_last else min(end, time.monotonic() + _SILENCE))
            if done:
                done.finish()
                if configuration.options:
                    _check_options(done.glfs, configuration)
                attempts.remove(done)
                return done.glfs.pointer
        raise OSError(errno.ETIMEDOUT, _STUCK)
    except OSError as error:
        code, cause = _why_not_mounted(error, configuration)
        raise _cannot_mount(configuration, cause, code) from None
    finally:
        for attempt in attempts:
            attempt.drop()


def _cannot_mount(
    configuration: Configuration, cause: str, code: Optional[int]
) -> LibgfapiException:
    return LibgfapiException(f"cannot mount volume {configuration.volname!r}: {cause}", code)


class _Attempt(threading.Thread):
    """A glfs, configured, and a thread that initialises it.

    ``glfs_init`` waits for ever where bricks refuse this client, for instance. In a thread of its
    own, an interrupt ends the waiting too.

    :raises LibgfapiException: if that is no name of a volume.
    :raises OSError: if something else is refused.
    """

    def __init__(self, configuration: Configuration, servers: Sequence[Server]) -> None:
        super().__init__(name="glfs_init", daemon=True)
        self._error: Optional[BaseException] = None
        # Who takes it first, the thread at its end or who drops it, leaves the rest to the other.
        self._token = [None]
        volname, _, volfile, options, log_file, log_level = configuration
        try:
            self.glfs = Gate(api.glfs_new(volname))
        except OSError as error:
            raise LibgfapiException(f"{volname!r} is no volume name", error.errno) from None
        try:
            if volfile is not None:
                api.glfs_set_volfile(self.glfs, volfile)
            for server in servers:
                api.glfs_set_volfile_server(self.glfs, *server)
            for option in (_AGGREGATE_SIZE, *options):
                api.glfs_set_xlator_option(self.glfs, *option)
            set_logging(self.glfs, log_file, log_level)
        except BaseException:
            end_in_background(self.glfs.pointer)
            raise
        try:
            self.start()
        except RuntimeError:  # the interpreter is past starting threads: it exits
            self.run()

    def run(self) -> None:
        try:
            api.glfs_init(self.glfs)
        except BaseException as error:
            self._error = error
        if not self._token_taken():
            end_in_background(self.glfs.pointer)

    def finish(self) -> None:
        """Raise what its initialisation, which is over, has raised."""
        # join() returns when Python is done with it; in C it still gives memory back, under locks
        # that a fork at this moment would leave locked in the child.
        task = f"/proc/self/task/{self.native_id}"
        wait_until(lambda: not os.path.exists(task), time.monotonic() + _END_TIMEOUT)
        if self._error:
            raise self._error

    def drop(self) -> None:
        """Tear the glfs down, as soon as its initialisation is over."""
        if not self._token_taken():
            end_in_background(self.glfs.pointer)

    def _token_taken(self) -> bool:
        try:
            self._token.pop()
        except IndexError:
            return False
        return True


def _first(attempts: Sequence[_Attempt], end: float) -> Optional[_Attempt]:
    """The first whose initialisation is over, or None if there is none at the end."""
    if len(attempts) == 1 and attempts[0].is_alive():
        attempts[0].join(max(0.0, end - time.monotonic()))
    over: list[_Attempt] = []

    def is_over() -> bool:
        over.extend(attempt for attempt in attempts if not attempt.is_alive())
        return bool(over)

    return over[0] if wait_until(is_over, end) else None


def _check_options(glfs: Gate, configuration: Configuration) -> None:
    """See that each option is for a translator that there is: libgfapi says nothing if not.

    :raises LibgfapiException: if one is not, naming it and the translators.
    """
    from fnmatch import fnmatchcase  # few give options

    xlators = _xlators(glfs)
    for option in configuration.options:
        if not any(fnmatchcase(xlator, option.xlator) for xlator in xlators):
            cause = f"xlator_options has {option}, and the volume no such translator; it has "
            raise _cannot_mount(configuration, cause + ", ".join(xlators), errno.EINVAL)


def _xlators(glfs: Gate) -> list[str]:
    """The names of the translators in use."""
    names = []
    entry, found = api.Dirent(), api.result_pointer()
    folder = Gate(api.glfs_opendir(glfs, _GRAPH), _GRAPH)
    try:
        while not api.glfs_readdir_r(folder, entry, found) and found:
            names.append(os.fsdecode(entry.d_name))
    finally:
        api.glfs_closedir(folder)
    return sorted(name for name in names if name not in _NO_XLATORS)


def _why_not_mounted(error: OSError, configuration: Configuration) -> tuple[Optional[int], str]:
    """The error number and the words for what ``glfs_init`` said."""
    servers, volfile = configuration.servers, configuration.volfile
    where = ", ".join(map(str, servers))
    if error.errno == errno.ETIMEDOUT and error.strerror == _STUCK:
        return error.errno, _STUCK
    if error.errno in _MISSING and not api.translators_installed():
        return errno.ENOENT, (
            "GlusterFS's translators are not installed; on Debian and Ubuntu they are in "
            "glusterfs-common, on Fedora and Enterprise Linux in glusterfs-client-xlators"
        )
    if error.errno == errno.EINVAL and configuration.options:
        given = ", ".join(f"{option}={option.value}" for option in configuration.options)
        return error.errno, f"GlusterFS refuses a value, most likely one of xlator_options: {given}"
    if volfile is not None:
        if error.errno in _MISSING:
            return errno.ENOENT, f"{volfile} has a translator of a type that is not installed"
        return error.errno, (
            f"none of the bricks that {volfile} names can be reached, or no TLS connection comes "
            "about, or GlusterFS refuses it"
        )
    if not any(server.answers() for server in servers):
        return error.errno, f"nothing answers on {where}; is glusterd running there?"
    if error.errno in _MISSING:
        return errno.ENOENT, f"glusterd on {where} knows no such volume"
    if error.errno in (errno.EIO, errno.ENOTCONN):
        return error.errno, (
            "it is not started, or none of its bricks can be reached, or no TLS connection comes "
            "about because only one side wants it or does not trust the other"
        )
    return error.errno, error.strerror or str(error)
