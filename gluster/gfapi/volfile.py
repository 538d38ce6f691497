"""Volume files, checked before libgfapi reads them.

libgfapi loads a volume file into this very process, and one that is not as it expects ends the
process, or has it wait for ever. It also runs what stands in backticks as a command.
"""

from __future__ import annotations

import errno
import os
import re
import stat as stat_module
from collections.abc import Iterator
from typing import Callable, Optional

from . import api
from .exceptions import LibgfapiException

_MAX_SIZE = 16 << 20  # bytes
_TOKEN = re.compile(r'[ \t\r\n]+|#[^\n]*|(?P<text>"(?:[^\n"\\]|\\.)*")|(?P<word>[^ \t\r\n"\\]+)')
#: The keywords, and how many words may follow each.
_COUNTS = {
    "volume": (1, 1),
    "type": (1, 1),
    "option": (2, 2),
    "subvolumes": (1, 1 << 16),
    "end-volume": (0, 0),
}
_CLIENT = "protocol/client"
#: Options that crash libgfapi if they do not fit: how their words have to.
_FITS: dict[str, Callable[[list[str], list[str]], bool]] = {
    "afr-pending-xattr": lambda words, subvolumes: len(words) == len(subvolumes),
    "decommissioned-bricks": lambda words, subvolumes: set(words) <= set(subvolumes),
    "transport-type": lambda words, subvolumes: words[0] in ("tcp", "socket", "unix"),
}
#: Those of a brick that write to the disks of their machine, where their options say.
_WRITERS = ("bit", "changelog", "index", "marker", "quotad", "snapview-server", "trash")
_SERVERS = (
    *("protocol/server", "storage/", "mount/", "mgmt/", "nfs/"),
    *(f"features/{name}" for name in _WRITERS),
)
# It becomes part of the path of a file whose code is run.
_TYPE = re.compile(r"[\w-]+(?:/[\w-]+)?", re.ASCII)


class Xlator:
    """One translator of a volume file.

    :ivar type: its type, "" until it is known.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.type = ""
        self.options: dict[str, str] = {}
        self.subvolumes: list[str] = []


def check_volfile(path: str) -> None:
    """See that libgfapi can load a volume file without harm.

    :raises LibgfapiException: if it cannot be read, is no volume file, or is none of a client.
    """
    try:
        xlators = _parse(_read(path))
        _check_graph(xlators)
        _check_types(xlators)
    except ValueError as error:
        raise LibgfapiException(f"cannot mount from the volume file {path}: {error}") from None
    except OSError as error:
        raise LibgfapiException(
            f"cannot mount from the volume file {path}: {error.strerror}", error.errno
        ) from None


def _read(path: str) -> str:
    status = os.stat(path)
    if not stat_module.S_ISREG(status.st_mode):  # a pipe would have us wait
        raise ValueError("it is no regular file")
    if status.st_size > _MAX_SIZE:
        raise ValueError("it is far too big for one")
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read(_MAX_SIZE)


def _parse(text: str) -> list[Xlator]:
    """The translators, each below those that it stands on."""
    if "\0" in text:
        raise ValueError("it is not text")
    if "`" in text:
        raise ValueError("it has a command in backticks, which GlusterFS would run")
    xlators: dict[str, Xlator] = {}
    current: Optional[Xlator] = None
    for line, keyword, words in _statements(text):
        _check_count(line, keyword, words)
        if current is None:
            if keyword != "volume" or words[0] in xlators:
                raise ValueError(f"a new volume is expected in line {line}")
            current = Xlator(words[0])
        elif keyword == "end-volume":
            _check_xlator(line, current, xlators)
            xlators[current.name] = current
            current = None
        else:
            _add(current, line, keyword, words)
    if current or not xlators:
        raise ValueError("it is empty or cut off")
    return list(xlators.values())


def _statements(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Each keyword with its line and the words that follow it."""
    line, position = 1, 0
    statement: Optional[tuple[int, str, list[str]]] = None
    while position < len(text):
        token = _TOKEN.match(text, position)
        if not token:
            raise ValueError(f"line {line} is not in the form of a volume file")
        keyword = (token["word"] or "").lower()
        if keyword in _COUNTS:
            if statement:
                yield statement
            statement = line, keyword, []
        elif token["word"] or token["text"]:
            if not statement:
                raise ValueError(f"a volume is expected in line {line}")
            statement[2].append(token["word"] or token["text"][1:-1])
        line += token[0].count("\n")
        position = token.end()
    if statement:
        yield statement


def _check_count(line: int, keyword: str, words: list[str]) -> None:
    least, most = _COUNTS[keyword]
    if not least <= len(words) <= most:
        raise ValueError(f"{keyword!r} has {len(words)} words after it in line {line}")


def _add(xlator: Xlator, line: int, keyword: str, words: list[str]) -> None:
    if keyword == "type" and not (xlator.type or xlator.options or xlator.subvolumes):
        xlator.type = words[0]
    elif keyword == "option" and xlator.type:
        xlator.options[words[0]] = words[1]
    elif keyword == "subvolumes" and xlator.type and not xlator.subvolumes:
        xlator.subvolumes = words
    else:
        raise ValueError(f"{keyword!r} is not expected in line {line}")


def _check_xlator(line: int, xlator: Xlator, below: dict[str, Xlator]) -> None:
    """See that a translator can do its work in this process."""
    name, kind = xlator.name, xlator.type
    unknown = [subvolume for subvolume in xlator.subvolumes if subvolume not in below]
    if unknown:
        raise ValueError(f"the subvolume {unknown[0]!r} of {name!r} is not above it")
    if not kind or not (xlator.options or xlator.subvolumes):
        raise ValueError(f"the volume {name!r} that ends in line {line} has nothing in it")
    if not _TYPE.fullmatch(kind):
        raise ValueError(f"{kind!r} of {name!r} is no type of a translator")
    if kind.startswith(_SERVERS) or (kind == _CLIENT) == bool(xlator.subvolumes):
        raise ValueError(
            f"{name!r} of type {kind} has no place there; "
            f"a client's volume file ends at translators of type {_CLIENT}"
        )
    for key, fits in _FITS.items():
        if key in xlator.options and not fits(xlator.options[key].split(","), xlator.subvolumes):
            raise ValueError(f"the option {key} of {name!r} does not fit it")


def _check_graph(xlators: list[Xlator]) -> None:
    """See that the translators stand on one another, and one on top."""
    carried = [subvolume for xlator in xlators for subvolume in xlator.subvolumes]
    tops = [xlator.name for xlator in xlators if xlator.name not in carried]
    if len(tops) != 1 or tops[0] != xlators[-1].name:
        raise ValueError(f"the last volume must be the one on top, but that is {tops[0]!r}")
    if len(carried) != len(set(carried)):
        raise ValueError("a volume is the subvolume of two")


def _check_types(xlators: list[Xlator]) -> None:
    """See that the translators are installed.

    At one that is not, libgfapi's parser stops for good: no volume can be mounted any more.
    """
    if not api.translators_installed():
        return  # none is, which is another matter
    for xlator in xlators:
        if not api.translator_installed(xlator.type):
            words = f"{xlator.name!r} is of type {xlator.type}, a type that is not installed"
            raise FileNotFoundError(errno.ENOENT, words)
