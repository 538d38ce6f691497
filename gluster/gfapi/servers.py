"""The servers that a volume's description is fetched from."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from . import api
from .arguments import checked_host, checked_hosts, checked_int, checked_protocol
from .exceptions import LibgfapiException
from .typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .volume import Volume

_PROBE_TIMEOUT = 3.0  # seconds


class Server(NamedTuple):
    """Where glusterd listens.

    :ivar host: an address, or the path of glusterd's socket where ``transport`` is unix.
    """

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else self.host

    def has_address(self) -> bool:
        """Whether the host's name can be resolved; True for a socket."""
        import socket  # only a mount that failed asks

        if self.transport == "unix":
            return True
        try:
            return bool(socket.getaddrinfo(self.host, None))
        except (OSError, UnicodeError):  # the latter for what is no host's name at all
            return False

    def answers(self) -> bool:
        """Whether anything accepts a connection there."""
        import socket  # only a mount that failed asks

        address: Any = (self.host, self.port)
        # Of a name, libgfapi looks for IPv4 addresses only.
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        if self.transport == "unix":
            family, address = socket.AF_UNIX, self.host
        try:
            with socket.socket(family) as client:
                client.settimeout(_PROBE_TIMEOUT)
                client.connect(address)
        except (OSError, UnicodeError):  # the latter for what is no host's name at all
            return False
        return True


def servers_of(hosts: Union[str, Sequence[str], None], proto: str, port: int) -> list[Server]:
    """The servers that the arguments of Volume's constructor mean.

    :raises LibgfapiException: if one of them is not usable.
    """
    checked_protocol(proto)
    checked_int("port", port, 0, 65535)
    return [_server(host, proto, port) for host in checked_hosts(hosts)]


def _server(host: str, proto: str, port: int) -> Server:
    is_socket = proto == "unix" or host.startswith("/")
    return Server("unix", host, 0) if is_socket else Server(proto, host, port)


def add_server(vol: Volume, host: str, proto: str = "tcp", port: int = 24007) -> None:
    """Have another server asked for the volume when those before it do not answer
    (``glfs_set_volfile_server``).

    It counts at the next :meth:`mount`. A mount that exists stays with the server that it began
    with: libgfapi changes to no other later.

    :param host: the host that glusterd runs on (str), or the path of glusterd's UNIX socket.
    :param proto: how to reach it, as in the constructor.
    :param port: the port that it listens on (int).
    :raises LibgfapiException: if an argument is not usable, or the volume comes from a volume
        file.
    """
    if vol.volfile is not None:
        raise LibgfapiException("a volume that is mounted from a volume file asks no server")
    checked_protocol(proto)
    checked_int("port", port, 0, 65535)
    server = _server(checked_host("host", host), proto, port)
    with vol._mount.lock:
        if server in vol._servers:
            return
        if vol._mount.is_open:
            api.glfs_set_volfile_server(vol._mount, *server)
        vol._servers.append(server)


def remove_server(vol: Volume, host: str, proto: str = "tcp", port: int = 24007) -> None:
    """Have a server not asked any more (``glfs_unset_volfile_server``).

    It counts at the next :meth:`mount`. A mount that exists stays with the server that it began
    with, even if that is the one removed.

    :param host: the host (str), as it was given.
    :param proto: the protocol that it was given with.
    :param port: the port that it was given with (int).
    :raises LibgfapiException: if an argument is not usable, there is no such server, or it is
        the last one.
    """
    checked_protocol(proto)
    checked_int("port", port, 0, 65535)
    server = _server(checked_host("host", host), proto, port)
    with vol._mount.lock:
        if server not in vol._servers:
            known = ", ".join(map(str, vol._servers)) or "none"
            raise LibgfapiException(f"{server} is none of the servers, which are: {known}")
        if len(vol._servers) == 1:
            raise LibgfapiException(f"{server} is the last server; add another one before")
        if vol._mount.is_open:
            # libgfapi cannot remove the one in use, nor any that it reaches by a socket.
            with contextlib.suppress(OSError):
                api.glfs_unset_volfile_server(vol._mount, "tcp", server.host, server.port)
        vol._servers.remove(server)
