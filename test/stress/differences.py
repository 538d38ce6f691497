"""Where a volume is known to differ from a local folder, and why."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from errno import (
    EBADF,
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    ERANGE,
    ESTALE,
)
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from gluster.gfapi.descriptor import AT_END

if TYPE_CHECKING:
    from sides import Both, BothFile, Outcome


#: What tells a size, which may be that of a read which a write was overtaken by, and for how long
#: GlusterFS's md-cache keeps it, in seconds.
TELL_SIZES, SIZE_AGE = ("stat", "lstat", "fstat", "getsize", "scandir"), 1.2


class Call(NamedTuple):
    """What is done.

    :ivar file: the file that it is done with, if any.
    """

    both: Both
    name: str
    arguments: tuple[Any, ...]
    file: Optional[BothFile]

    @property
    def paths(self) -> list[str]:
        """The paths among the arguments."""
        if self.file is not None:
            return []
        return [os.fsdecode(a) for a in self.arguments[:2] if isinstance(a, (str, bytes))]


class Known(NamedTuple):
    """Results that are not the same, though both sides have come to the same state.

    :ivar reason: why.
    :ivar fits: whether it is that: a function of the Call and the Outcome of both sides.
    """

    reason: str
    fits: Callable[[Call, Outcome, Outcome], bool]


def _in_vain(call: Call, here: Outcome, there: Outcome) -> bool:
    return not (here.ok or there.ok)


def _leads_nowhere(call: Call, here: Outcome, there: Outcome) -> bool:
    """A path that goes on behind a link that is broken or one of a loop."""
    return (
        here.code in (ELOOP, ENOENT, EISDIR, ENAMETOOLONG, EEXIST)
        and there.code in (ENOTDIR, ELOOP, ENOENT)
        and any(_is_link(call, prefix) for path in call.paths for prefix in _prefixes(path))
    )


def _prefixes(path: str) -> Iterator[str]:
    parts = path.rstrip("/").split("/")
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end]) or "/"


def _is_link(call: Call, path: str) -> bool:
    return bool(call.both.local.call(os.path.islink, path))


def _is_too_long(path: str) -> bool:
    return len(path) > 4095 or any(len(os.fsencode(name)) > 255 for name in path.split("/"))


_XATTR = ("getxattr", "setxattr", "removexattr", "fgetxattr", "fsetxattr", "fremovexattr")


def _is_idle(call: Call) -> bool:
    """Whether there is nothing to be read or written."""
    what = call.arguments[0]
    return not what or (isinstance(what, list) and not any(what))


def _has_appended_before_others(call: Call) -> bool:
    """Whether a file is where it appended, and the file does not end there any more.

    The volume has it where the file ends by now.
    """
    if call.file is None or call.file.vol._descriptor.place != AT_END:
        return False
    return bool(call.both.local.call(_is_elsewhere, call.file.local))


def _is_elsewhere(file: Any) -> bool:
    return bool(file.tell() != os.fstat(file.fd).st_size)


_AT_POSITION = ("tell", "read", "readall", "readinto", "readline", "readlines", "readv")


_OF_PATHS = (ENOENT, ENOTDIR, EISDIR, EBUSY)

KNOWN = [
    Known(
        "A path that goes through a link that leads nowhere is ENOTDIR",
        _leads_nowhere,
    ),
    Known(
        "Names that are too long are noticed earlier or later than other mistakes",
        lambda call, here, there: (
            _in_vain(call, here, there) and any(map(_is_too_long, call.paths))
        ),
    ),
    Known(
        "A name of an attribute that is too long or empty is another error",
        lambda call, here, there: (
            call.name in _XATTR
            and here.code in (ERANGE, EINVAL, ENOENT, ENOTDIR)
            and not (here.ok or there.ok)
            and any(
                isinstance(key, str) and (len(key) > 255 or key in ("user.", "nonsense"))
                for key in call.arguments
            )
        ),
    ),
    Known(
        "A file to be made whose path ends in a slash is another error",
        lambda call, here, there: (
            call.name
            in ("open", "fopen", "mknod", "touch", "symlink", "link", "copyfile", "copy", "copy2")
            and here.code in (EISDIR, EEXIST)
            and there.code in (ENOENT, ENOTDIR, EEXIST)
            and any(path.endswith("/") for path in call.paths)
        ),
    ),
    Known(
        "A hard link of a directory is EISDIR",
        lambda call, here, there: call.name == "link" and not here.ok and there.code == EISDIR,
    ),
    Known(
        "Root may execute any file, says access",
        lambda call, here, there: (
            call.name == "access" and call.arguments[1] & os.X_OK and there.said is True
        ),
    ),
    Known(
        "Whether something is moved into itself is found by real paths",
        lambda call, here, there: call.name == "move" and _in_vain(call, here, there),
    ),
    Known(
        "A move of something to where it is returns the path",
        lambda call, here, there: call.name == "move" and here.ok and here.said is None,
    ),
    Known(
        "A number that does not fit is noticed later, or not where nothing is to be moved",
        lambda call, here, there: (
            here.said == ("OverflowError",) and (not there.ok or there.said == 0 or _is_idle(call))
        ),
    ),
    Known(
        "A file that is not open for it is noticed before an offset that is negative",
        lambda call, here, there: here.code == EINVAL and there.code == EBADF,
    ),
    Known(
        "Nothing can be read of a directory that is open",
        lambda call, here, there: (
            call.file is not None and here.code == EISDIR and there.said in (b"", 0, (0, b""))
        ),
    ),
    Known(
        "A NUL in a path is an error also where errors are ignored",
        lambda call, here, there: call.name == "rmtree" and there.said == ("ValueError",),
    ),
    Known(
        "A symbolic link to be removed as a tree is an error with an errno",
        lambda call, here, there: call.name == "rmtree" and here.said == ("OSError", None),
    ),
    Known(
        "A directory that was opened as a file and is gone is told of when it is closed",
        lambda call, here, there: call.name == "close" and there.code == ESTALE,
    ),
    Known(
        "A directory to be renamed to a file, with a slash behind, is EEXIST",
        lambda call, here, there: (
            call.name in ("rename", "replace") and here.code == ENOTDIR and there.code == EEXIST
        ),
    ),
    Known(
        "A size that is negative is noticed before a NUL in a path",
        lambda call, here, there: here.said == ("ValueError",) and there.code == EINVAL,
    ),
    Known(
        "An offset that is negative is always EINVAL",
        lambda call, here, there: (
            call.name == "copy_file_range" and not here.ok and there.code == EINVAL
        ),
    ),
    Known(
        "A real path has to lead to a directory if it ends in a slash",
        lambda call, here, there: call.name == "realpath" and there.code == ENOTDIR,
    ),
    Known(
        "shutil gives no errno where a copy is to be made in a directory that is missing",
        lambda call, here, there: (
            here.said == ("FileNotFoundError", None) and there.code in _OF_PATHS
        ),
    ),
    Known(
        "An empty path is noticed first",
        lambda call, here, there: "" in call.paths and not here.ok and there.code == ENOENT,
    ),
    Known(
        "Of two mistakes in a copy or a rename, the other one is noticed",
        lambda call, here, there: (
            call.name.startswith(("copy", "rename", "replace"))
            and (here.said in (("ValueError",), ("Error",)) or here.code in (*_OF_PATHS, EINVAL))
            and there.code in _OF_PATHS
        ),
    ),
]


def is_avoided(call: Call) -> bool:
    """Whether it is not to be done, since the two sides would not be in the same state afterwards.

    shutil copies a directory into itself until that is too deep, and into one that ends in a dot;
    os.renames makes no directories for a path that ends in a slash, nor below a file, and fails
    after it has made some for a path with dots. shutil moves ``//`` by copying all and removing it,
    and so a directory to where the directories above are missing, and makes these. The kernel takes
    its set-ID bits from a file that is given to nobody else, and makes the target of a link that is
    broken. It knows where a file is that has appended to what others have cut or extended since.
    """
    if _has_appended_before_others(call):
        from_here = call.name == "seek" and call.arguments[1:] == (os.SEEK_CUR,)
        return from_here or call.name in _AT_POSITION or None in call.arguments
    if call.name in ("open", "fopen", "copyfile", "copy", "copy2"):
        exists = functools.partial(call.both.local.call, os.path.exists)
        return any(_is_link(call, path) and not exists(path) for path in call.paths)
    if call.name in ("chown", "lchown", "fchown"):
        return [number for number in call.arguments if type(number) is int] == [-1, -1]
    if call.name == "move":
        source, target = call.paths
        isdir = functools.partial(call.both.local.call, os.path.isdir)
        above = os.path.dirname(target.rstrip("/")) or "."
        return not source.strip("/") or (isdir(source) and not isdir(above))
    if call.name == "renames":
        source, target = call.paths
        isfile = call.both.local.call(os.path.isfile, os.path.dirname(target))
        return source.endswith("/") or target.endswith("/") or ".." in target.split("/") or isfile
    if call.name != "copytree":
        return False
    source, target = call.paths
    if "\0" in source + target:
        return False
    real = call.both.local.call(os.path.realpath, source)
    place = call.both.local.call(os.path.realpath, target)
    return f"{place}/".startswith(f"{real}/".replace("//", "/")) or target.endswith("/.")


def reason_for(call: Call, here: Outcome, there: Outcome) -> Optional[str]:
    """Why it came out differently, if that is known."""
    return next((known.reason for known in KNOWN if known.fits(call, here, there)), None)
