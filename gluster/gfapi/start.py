"""From what a Volume was given to a ``glfs`` that is initialised."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import time
from collections.abc import Sequence

from . import api, forks
from .attempt import Attempt, first_of
from .exceptions import LibgfapiException
from .gate import Gate
from .servers import Server
from .typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from .logs import Place
    from .mount import Mount

_MISSING = (errno.ENOENT, errno.ENOMEM)  # the latter from GlusterFS 11
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
#: After how many seconds another server is asked at the same time.
_SILENCE = 10.0
_STUCK = (
    "it does not get ready; most likely its bricks refuse this client (auth.allow, auth.reject, "
    "auth.ssl-allow, server.allow-insecure), or glusterd hangs, or a translator was given an "
    "option without sense"
)
# What GlusterFS logs then, and nothing else tells.
_REFUSALS = ("SSL routines:", "could not load our", "could not load CA", "remote-error=")
_LOG_SIZE = 1 << 20  # so much of it is looked at, in bytes
_GRAPH = "/.meta/graphs/active"
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


def start_glfs(configuration: Configuration, mount: Mount) -> None:
    """Make, configure and initialise a glfs, and have a mount take it.

    :raises LibgfapiException: if that fails, with the cause in words.
    """
    if configuration.volfile is not None:
        from .volfile import check_volfile  # few mount from one

        check_volfile(configuration.volfile)
        return _start(configuration, (), mount)
    # libgfapi does not find its way from a host to a socket, nor back.
    alike = itertools.groupby(configuration.servers, lambda server: server.transport == "unix")
    *first, last = [list(servers) for _, servers in alike]
    for servers in first:
        try:
            return _start(configuration, servers, mount)
        except LibgfapiException:
            if any(server.answers() for server in servers):
                raise
    return _start(configuration, last, mount)


@forks.none_meanwhile()
def _start(configuration: Configuration, servers: Sequence[Server], mount: Mount) -> None:
    attempts: list[Attempt] = []
    try:
        mount.take(_first_ready(configuration, servers, attempts))
    finally:
        for attempt in attempts:
            if attempt.glfs.pointer != mount.peek():
                attempt.drop()


def _first_ready(
    configuration: Configuration, servers: Sequence[Server], attempts: list[Attempt]
) -> int:
    """Start a glfs, and others that ask another server first while one does not get ready.

    libgfapi asks the next server when a connection fails. If there is none, as the host is down, or
    nothing comes by it, as glusterd hangs, it waits for minutes or for ever.

    :param attempts: gets all that were begun.
    """
    log_size = _size_of(configuration.log_file)
    try:
        for turn in range(max(1, len(servers))):
            attempts.append(Attempt(configuration, (*servers[turn:], *servers[:turn])))
            attempts[-1].begin()
            is_last = turn + 1 >= len(servers)
            end = attempts[0].deadline
            done = first_of(attempts, end if is_last else min(end, time.monotonic() + _SILENCE))
            if done:
                done.finish()
                if configuration.options:
                    _check_options(done.glfs, configuration)
                return done.glfs.pointer
        raise OSError(errno.ETIMEDOUT, _STUCK)
    except OSError as error:
        code, cause = _why_not_mounted(error, configuration)
        if said := _refusal_in(configuration.log_file, log_size):
            cause = f"{cause}; the log says: {said}"
        raise _cannot_mount(configuration, cause, code) from None


def _cannot_mount(
    configuration: Configuration, cause: str, code: Optional[int]
) -> LibgfapiException:
    return LibgfapiException(f"cannot mount volume {configuration.volname!r}: {cause}", code)


def _size_of(log_file: Place) -> int:
    """How long the log is; -1 if it is no file, and cannot become one."""
    if not isinstance(log_file, str) or not log_file:
        return -1
    if not os.path.exists(log_file):
        return 0
    return os.path.getsize(log_file) if os.path.isfile(log_file) else -1


def _refusal_in(log_file: Place, start: int) -> Optional[str]:
    """What a log says since then of a certificate, or of bricks that refuse this client."""
    if start < 0:
        return None
    with contextlib.suppress(OSError), open(str(log_file), "rb") as log:
        log.seek(start)
        for line in log.read(_LOG_SIZE).decode(errors="replace").splitlines():
            if any(words in line for words in _REFUSALS):
                return line.partition("-client-")[2].partition(": ")[2].strip()
    return None


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
    if error.errno in _NO_DESCRIPTOR:
        return error.errno, f"{error.strerror}; a mount takes up to ten, and one for each brick"
    if error.errno in _NOT_WRITTEN:
        return error.errno, (
            f"{error.strerror}; most likely in /tmp, where libgfapi keeps the volume's description "
            "for a moment"
        )
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
        cause = f"nothing answers on {where}; "
        unknown = [server.host for server in servers if not server.has_address()]
        if unknown:
            cause += f"no address is known of {', '.join(unknown)}; "
        return error.errno, cause + "is glusterd running there?"
    if error.errno in _MISSING:
        return errno.ENOENT, f"glusterd on {where} knows no such volume"
    if error.errno in (errno.EIO, errno.ENOTCONN):
        return error.errno, (
            "it is not started, or none of its bricks can be reached, or no TLS connection comes "
            "about because only one side wants it or does not trust the other, as with a "
            "certificate that is expired or of an unknown authority"
        )
    return error.errno, error.strerror or str(error)
