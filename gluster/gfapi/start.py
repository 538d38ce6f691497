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
_END_TIMEOUT = 1.0  # seconds
_STUCK = (
    "it does not get ready; most likely its bricks refuse this client (auth.allow, auth.reject, "
    "auth.ssl-allow), or a translator was given an option without sense"
)
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
    volname, _, volfile, options, log_file, log_level = configuration
    try:
        glfs = _Starting(api.glfs_new(volname))
    except OSError as error:
        raise LibgfapiException(f"{volname!r} is no volume name", error.errno) from None
    try:
        if volfile is not None:
            api.glfs_set_volfile(glfs, volfile)
        for server in servers:
            api.glfs_set_volfile_server(glfs, *server)
        for option in options:
            api.glfs_set_xlator_option(glfs, *option)
        set_logging(glfs, log_file, log_level)
        _init_within(_INIT_TIMEOUT, glfs)
        if options:
            _check_options(glfs, configuration)
    except OSError as error:
        code, cause = _why_not_mounted(error, configuration)
        glfs.drop()
        raise LibgfapiException(f"cannot mount volume {volname!r}: {cause}", code) from None
    except BaseException:
        glfs.drop()
        raise
    return glfs.pointer


class _Starting(Gate):
    """A glfs that is not mounted yet."""

    is_dropped = False

    def drop(self) -> None:
        """Tear it down, now or when its initialisation ends: until then, nothing may touch it."""
        self.is_dropped = True
        self.end_if_dropped()

    def end_if_dropped(self) -> None:
        """Done by whoever comes last: who drops it, or the thread that initialises it."""
        if self.is_dropped and not self.calls:
            pointer = self.shut()
            if pointer is not None:
                end_in_background(pointer)


def _init_within(timeout: float, glfs: _Starting) -> None:
    """Call ``glfs_init``, which waits for ever where bricks refuse this client, for instance.

    It is called in a thread of its own, so an interrupt ends the waiting too.

    :param timeout: how long to wait, in seconds.
    :raises OSError: if it fails or does not end.
    """
    errors: list[BaseException] = []

    def init() -> None:
        try:
            api.glfs_init(glfs)
        except BaseException as error:
            errors.append(error)
        glfs.end_if_dropped()

    thread = threading.Thread(target=init, name="glfs_init", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is past starting threads: it exits
        api.glfs_init(glfs)
        return
    thread.join(timeout)
    if thread.is_alive():
        raise OSError(errno.ETIMEDOUT, _STUCK)
    # join() returns when Python is done with it; in C it still gives memory back, under locks that
    # a fork at this moment would leave locked in the child.
    task = f"/proc/self/task/{thread.native_id}"
    wait_until(lambda: not os.path.exists(task), time.monotonic() + _END_TIMEOUT)
    if errors:
        raise errors[0]


def _check_options(glfs: Gate, configuration: Configuration) -> None:
    """See that each option is for a translator that there is: libgfapi says nothing if not.

    :raises LibgfapiException: if one is not, naming it and the translators.
    """
    from fnmatch import fnmatchcase  # few give options

    xlators = _xlators(glfs)
    for option in configuration.options:
        if not any(fnmatchcase(xlator, option.xlator) for xlator in xlators):
            raise LibgfapiException(
                f"cannot mount volume {configuration.volname!r}: xlator_options has {option}, "
                f"and the volume no such translator; it has {', '.join(xlators)}",
                errno.EINVAL,
            )


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
