"""A volume from a URL, in the syntax that QEMU uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from .exceptions import LibgfapiException

if TYPE_CHECKING:
    from .volume import Volume

    AnyVolume = TypeVar("AnyVolume", bound=Volume)

_TRANSPORTS = {
    "gluster": "tcp",
    "gluster+tcp": "tcp",
    "gluster+unix": "unix",
    "gluster+rdma": "rdma",
}
_OPTIONS = ("socket", "debug", "logfile")


def volume_from_url(kind: type[AnyVolume], url: str, **others: Any) -> AnyVolume:
    """What :meth:`Volume.from_url` does.

    :param others: the arguments of the constructor that no URL has.
    """
    if not isinstance(url, str):
        raise LibgfapiException(f"url is {url!r}; it must be a str")
    try:
        return kind(**_arguments(url), **others)
    except (ValueError, LibgfapiException) as error:
        raise LibgfapiException(f"url is {url!r}; {error}") from None


def _arguments(url: str) -> dict[str, Any]:
    """The arguments of Volume's constructor that a URL means."""
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("a space or control character in it has to be written as %20 or the like")
    parts = urlsplit(url)
    transport = _TRANSPORTS.get(parts.scheme)
    if not transport:
        raise ValueError(f"it must begin with one of {', '.join(_TRANSPORTS)} and ://")
    if (
        parts.fragment
        or parts.username is not None
        or not url[len(parts.scheme) :].startswith("://")
    ):
        raise ValueError("it must be like gluster+tcp://host:24007/volume")
    options = _options(parts.query)
    arguments = {"volname": _volname(parts.path), "proto": transport, **_logging(options)}
    if transport == "unix":
        return {**arguments, "hosts": _socket(parts, options)}
    if "socket" in options:
        raise ValueError("only one that begins with gluster+unix has a socket")
    host = _decoded(parts.hostname or "localhost")
    port = parts.port
    return {**arguments, "hosts": host, **({} if port is None else {"port": port})}


def _volname(path: str) -> str:
    volname, _, inside = path[1:].partition("/")
    if not volname:
        raise ValueError("it names no volume")
    if inside.strip("/"):
        raise ValueError(f"it names {inside!r} inside the volume, and a Volume is a whole one")
    return _decoded(volname)


def _socket(parts: SplitResult, options: Mapping[str, str]) -> str:
    if parts.netloc:
        raise ValueError("one that begins with gluster+unix has no host, so it has :///")
    if "socket" not in options:
        raise ValueError("one that begins with gluster+unix needs ?socket= and the path of it")
    return options["socket"]


def _options(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, True, True, errors="surrogateescape") if query else []
    options: dict[str, str] = {}
    for name, value in pairs:
        if name not in _OPTIONS:
            raise ValueError(f"its option {name!r} is none of {', '.join(_OPTIONS)}")
        if name in options or not value:
            raise ValueError(f"its option {name} is given twice or empty")
        options[name] = value
    return options


def _logging(options: Mapping[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if "logfile" in options:
        arguments["log_file"] = options["logfile"]
    if "debug" in options:
        if options["debug"] not in tuple("0123456789"):
            raise ValueError("its option debug must be from 0 to 9")
        arguments["log_level"] = int(options["debug"])
    return arguments


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")
