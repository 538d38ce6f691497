"""What a sandbox needs of this machine: root, the programs, folders and addresses."""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import socket
import tempfile
from typing import Optional

from .exceptions import SandboxError

PORT = 24007
MAX_NODES = 99

_PROGRAMS = ("glusterd", "glusterfsd", "gluster")
_SEARCH = os.pathsep.join(("/usr/sbin", "/usr/local/sbin", "/sbin"))
# sizeof(sockaddr_un.sun_path), less the closing NUL.
_LONGEST_SOCKET = 107
_PREFIX = "gf-"
_ATTEMPTS = 16


def program(name: str) -> str:
    """The path of a GlusterFS program.

    :raises SandboxError: if it is not installed, naming the package that has it.
    """
    found = shutil.which(name) or shutil.which(name, path=_SEARCH)
    if not found:
        raise SandboxError(
            f"The program {name} is not installed: a sandbox needs the GlusterFS server "
            "(package glusterfs-server on Debian, Ubuntu, Fedora and Enterprise Linux, "
            "glusterfs on Arch and openSUSE)."
        )
    return found


def check() -> None:
    """See that this process may start GlusterFS servers at all.

    :raises SandboxError: if it is not root's, or a program is missing.
    """
    for name in _PROGRAMS:
        program(name)
    if os.geteuid() != 0:
        raise SandboxError(
            "A sandbox has to be started by root, since GlusterFS servers "
            "set trusted extended attributes."
        )


def check_storage(folder: str) -> None:
    """See that bricks can live below a folder.

    :raises SandboxError: if it is missing, or takes no trusted extended attributes.
    """
    try:
        # Without a name, as this process may be killed meanwhile.
        with tempfile.TemporaryFile(dir=folder) as probe:
            os.setxattr(probe.fileno(), "trusted.glusterfs.sandbox", b"1")
    except PermissionError:
        raise SandboxError(
            "This process may not set trusted extended attributes, which GlusterFS needs: "
            "it lacks CAP_SYS_ADMIN (with Docker: --cap-add SYS_ADMIN)."
        ) from None
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            raise SandboxError(
                f"The file system of the storage folder {folder} has no trusted extended "
                "attributes; choose a folder on ext4, XFS or btrfs."
            ) from None
        raise SandboxError(
            f"The storage folder {folder} cannot be used: {error.strerror}."
        ) from None


def fresh_path(parent: str) -> str:
    """Choose a name for a new folder.

    :param parent: where.
    :returns: its absolute path, without symbolic links.
    :raises SandboxError: if GlusterFS could not deal with that name.
    """
    parent = os.path.realpath(parent)
    if not re.fullmatch(r"[\w/.+@%=~-]+", parent, re.ASCII):
        raise SandboxError(
            f"The folder {parent!r} has characters in its name that GlusterFS's "
            "configuration cannot hold."
        )
    names = (_PREFIX + os.urandom(4).hex() for _ in range(_ATTEMPTS))
    paths = (os.path.join(parent, name) for name in names)
    return next(path for path in paths if not os.path.lexists(path))


def make_folder(path: str) -> None:
    """Make a folder that only root can enter.

    :param path: of :func:`fresh_path`.
    :raises SandboxError: if that is impossible.
    """
    try:
        os.mkdir(path, 0o700)
    except OSError as error:
        parent = os.path.dirname(path)
        raise SandboxError(f"The folder {parent} cannot be used: {error.strerror}.") from None


def check_length(parent: str) -> None:
    """See that the paths of sockets below a base folder will not be too long.

    :raises SandboxError: if they would be.
    """
    deepest = os.path.join(os.path.realpath(parent), f"{_PREFIX}01234567", "99", "gd.sock")
    excess = len(deepest) - _LONGEST_SOCKET
    if excess > 0:
        raise SandboxError(
            f"The base folder {parent} has too long a path for the UNIX sockets in it: "
            f"choose one shorter by {excess} characters, such as /tmp."
        )


def default_folder() -> str:
    """The temporary folder that suits best: one where bricks can live, if there is one."""
    candidates = (tempfile.gettempdir(), "/var/tmp", "/tmp")
    for folder in candidates:
        try:
            check_length(folder)
            check_storage(folder)
        except SandboxError:
            continue
        return folder
    return candidates[0]


def claim_addresses(count: int) -> tuple[socket.socket, list[str]]:
    """Choose loopback addresses that no other sandbox uses, nor will.

    :param count: how many.
    :returns: a socket that holds the claim until it is closed, and the addresses.
    :raises SandboxError: if port 24007 is taken everywhere.
    """
    # Not the shared generator: programs seed that, to have the same numbers in each run.
    choice = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        network = f"127.{choice.randint(1, 254)}.{choice.randint(1, 254)}"
        addresses = [f"{network}.{number}" for number in range(1, count + 1)]
        claim = _claim(network, addresses)
        if claim:
            return claim, addresses
    raise SandboxError(
        f"Port {PORT} is taken on every loopback address: a process, probably this machine's "
        "own glusterd, listens on all addresses; stop it, or give it one address with 'option "
        "transport.socket.bind-address' in /etc/glusterfs/glusterd.vol."
    )


def _claim(network: str, addresses: list[str]) -> Optional[socket.socket]:
    # Bound without SO_REUSEADDR, it excludes every other such socket: that makes it a lock.
    claim = _bound(f"{network}.254", reuse=False)
    if claim and all(map(_is_free, addresses)):
        return claim
    if claim:
        claim.close()
    return None


def _is_free(address: str) -> bool:
    probe = _bound(address, reuse=True)
    if probe:
        probe.close()
    return probe is not None


def _bound(address: str, reuse: bool) -> Optional[socket.socket]:
    candidate = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
    try:
        candidate.bind((address, PORT))
    except OSError as error:
        candidate.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise SandboxError(
            f"The loopback address {address} cannot be used: {error.strerror}."
        ) from None
    return candidate


def why_not() -> Optional[str]:
    """Tell why no sandbox could run on this machine.

    :returns: one sentence, or None if nothing stands in the way.
    """
    try:
        check()
        check_storage(default_folder())
        claim_addresses(1)[0].close()
    except SandboxError as error:
        return str(error)
    return None
