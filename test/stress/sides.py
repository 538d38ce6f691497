"""A volume, and beside it a local folder, on which the same is done: all has to come out alike.

:class:`Both` has a method for each operation of :mod:`operations`. It does it on the local folder
by way of :mod:`os`, :mod:`shutil` and :mod:`io`, and then on the volume, and raises
:exc:`Different` if a result, an errno or a class of exception is another. What it has done it
knows as a program that does it again::

    with Both.on_sandbox() as both:
        both.mkdir('a')
        f1 = both.fopen('a/b', 'w+')
        f1.write(b'text')
        both.check_trees()
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
import os
import re
import shutil
import stat as stat_module
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Optional

if __name__ == "__main__" or "gluster.gfapi" not in sys.modules:
    sys.path.insert(0, str(Path(__file__).parents[2]))

import differences
import operations

from gluster import gfapi
from gluster.gfapi import sandbox

_CLONE_FS = 0x200
_OLD = 1_000_000_000  # seconds: whoever sets a time sets one before, so later ones are of now
KINDS = {
    "plain": {},
    "replica": {"replica": 3},
    "distribute": {"distribute": 3},
    "disperse": {"disperse": 3, "redundancy": 1},
}


class Different(AssertionError):
    """The two sides differ in something that no table of differences has."""


class Fill(bytes):
    """Many bytes that are shown as few: ``Fill(b"ab", 10)`` is ``b"ababababab"``."""

    def __new__(cls, pattern: bytes, size: int) -> Fill:
        made = super().__new__(cls, (pattern * (size // len(pattern) + 1))[:size])
        made.shown = f"Fill({pattern!r}, {size})"  # type: ignore[attr-defined]
        return made

    def __repr__(self) -> str:
        return self.shown  # type: ignore[attr-defined, no-any-return]


class Local:
    """A thread that has its own root directory, working directory and umask."""

    def __init__(self, root: str) -> None:
        self._executor = ThreadPoolExecutor(1, initializer=_enter, initargs=(root,))

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._executor.submit(function, *arguments).result()

    def end(self) -> None:
        self._executor.shutdown()


def _enter(root: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_FS):
        raise OSError(ctypes.get_errno(), "unshare")
    os.chroot(root)
    os.chdir("/")
    os.umask(0)
    # gfapi's copies leave extended attributes out, as its documentation says.
    shutil._copyxattr = lambda *_, **__: None  # type: ignore[attr-defined]


class Both:
    """A volume and a local folder.

    :ivar kind: the kind of the volume.
    :ivar script: the lines of a program that does what has been done since :meth:`reset`.
    :ivar counts: how often each operation was done.
    :ivar excused: how often the two sides differed for which known reason.
    :ivar found: the difference that was found last, or "".
    """

    def __init__(
        self, vol: gfapi.Volume, local: Local, kind: str, journal: Optional[str] = None
    ) -> None:
        self._journal = journal and open(journal, "w", encoding="utf-8")  # noqa: SIM115
        self.vol = vol
        self.local = local
        self.kind = kind
        self.counts: Counter[str] = Counter()
        self.excused: Counter[str] = Counter()
        self.script: list[str] = []
        self.found = ""
        self._files: dict[str, BothFile] = {}
        self._made = 0

    @classmethod
    @contextlib.contextmanager
    def on(cls, vol: gfapi.Volume, kind: str, journal: Optional[str] = None) -> Iterator[Both]:
        """On a mounted volume, whose content is removed.

        :param journal: a file to have the program in, for the case that the process dies.
        """
        with tempfile.TemporaryDirectory() as root:
            local = Local(root)
            try:
                both = cls(vol, local, kind, journal)
                both.reset()
                yield both
                both.reset()
            finally:
                local.end()

    @classmethod
    @contextlib.contextmanager
    def on_sandbox(cls, kind: str = "plain") -> Iterator[Both]:
        """On a volume of a cluster of its own."""
        with sandbox.Cluster(nodes=1) as cluster:
            volume = cluster.create_volume(kind, **KINDS[kind])
            with volume.client() as vol, cls.on(vol, kind) as both:
                yield both

    # ------------------------------------------------------------------ operations

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in operations.OF_VOLUME:
            raise AttributeError(name)
        return functools.partial(self._do, "both", name, None)

    def _do(self, subject: str, name: str, file: Any, *arguments: Any) -> Any:
        table = operations.OF_VOLUME if file is None else operations.OF_FILE
        operation = table[name]
        target = ""
        if operation.opens:
            self._made += 1
            target = f"f{self._made}"
        shown = ", ".join(map(_shown, arguments))
        step = f"{f'{target} = ' if target else ''}{subject}.{name}({shown})"
        call = differences.Call(self, name, arguments, file)
        if differences.is_avoided(call):
            return None
        self._note(step)
        self.counts[name] += 1
        here = self.local.call(
            outcome, operation.local, file.local if file else None, self, arguments
        )
        there = outcome(operation.vol, file.vol if file else self.vol, self, arguments)
        if here.said != there.said and name in differences.TELL_SIZES:
            time.sleep(differences.SIZE_AGE)
            again = outcome(operation.vol, file.vol if file else self.vol, self, arguments)
            if again.said == here.said:
                self.excused["A size may be that from before a write, for a second"] += 1
                there = again
        if here.said != there.said:
            self._judge(call, here, there)
        if target:
            if not (here.ok and there.ok):
                self._close(here, there)
                return None
            self._files[target] = BothFile(self, target, there.value, here.value)
            return self._files[target]
        return None

    def _judge(self, call: differences.Call, here: Outcome, there: Outcome) -> None:
        reason = differences.reason_for(call, here, there)
        if not reason:
            raise self.different(f"local:  {here.said}\nvolume: {there.said}")
        self.excused[reason] += 1

    def _close(self, here: Outcome, there: Outcome) -> None:
        if here.ok:
            self.local.call(here.value.close)
        if there.ok:
            there.value.close()

    def _note(self, step: str) -> None:
        self.script.append(step)
        if self._journal:
            self._journal.write(step + "\n")
            self._journal.flush()

    def different(self, words: str) -> Different:
        """The exception for a difference, with the program that shows it."""
        self.found = f"\n{words}\n{program(self.kind, self.script)}"
        return Different(self.found)

    # ------------------------------------------------------------------ trees

    def check_trees(self) -> None:
        """Raise an error if the two trees are not alike."""
        self._note("both.check_trees()")
        here = self.local.call(tree, os, _read_local)
        try:
            there = tree(self.vol, functools.partial(_read, self.vol))
        except OSError as error:
            raise self.different(f"the tree of the volume: {error}") from error
        if here != there:
            time.sleep(differences.SIZE_AGE)
            there = tree(self.vol, functools.partial(_read, self.vol))
        if here != there:
            odd = [
                f"{name!r}\n  local:  {here.get(name)}\n  volume: {there.get(name)}"
                for name in sorted({*here, *there})
                if here.get(name) != there.get(name)
            ]
            raise self.different("\n".join(odd))

    def finish(self) -> None:
        """Close what is open, and check what is there in the end."""
        for file in list(self._files.values()):
            file.close()
        self._files.clear()
        self.check_trees()

    def reset(self) -> None:
        """Close what is open and remove all that there is."""
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.vol.close()
            with contextlib.suppress(OSError):
                self.local.call(file.local.close)
        self._files.clear()
        self._made = 0
        self.script.clear()
        if self._journal:
            self._journal.seek(0)
            self._journal.truncate()
        self.local.call(_empty, os, shutil.rmtree)
        _empty(self.vol, self.vol.rmtree)

    def forget(self, file: BothFile) -> None:
        self._files.pop(file.name, None)


def _shown(value: Any) -> str:
    """A value as Python code, with long names in short."""
    return re.sub(r"'?(L{99,})'?", lambda match: f"' + 'L' * {len(match[1])} + '", repr(value))


def program(kind: str, steps: list[str]) -> str:
    """A program that does these steps."""
    lines = "\n    ".join(steps or ["pass"])
    return (
        "---- in test/stress:\nfrom sides import Both, Fill\n"
        f"with Both.on_sandbox({kind!r}) as both:\n    {lines}\n----"
    )


class BothFile:
    """A file that is open on both sides."""

    def __init__(self, both: Both, name: str, vol: Any, local: Any) -> None:
        self.both = both
        self.name = name
        self.vol = vol
        self.local = local

    def __repr__(self) -> str:
        return self.name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in operations.OF_FILE:
            raise AttributeError(name)
        return functools.partial(self.both._do, self.name, name, self)


class Outcome:
    """What came of a call.

    :ivar ok: whether it returned.
    :ivar said: what is compared: the result or the exception.
    :ivar code: the errno.
    """

    def __init__(self, ok: bool, said: Any, value: Any = None) -> None:
        self.ok = ok
        self.said = said
        self.value = value
        self.code: Optional[int] = None


def outcome(function: Any, subject: Any, both: Both, arguments: tuple[Any, ...]) -> Outcome:
    side = "local" if threading_is_local() else "vol"
    given = [getattr(a, side) if isinstance(a, BothFile) else a for a in arguments]
    given = [bytes(a) if type(a) is Fill else a for a in given]
    try:
        value = function(subject, *given) if subject is not None else function(*given)
    except Exception as error:
        failed = Outcome(False, said_of(error))
        failed.code = getattr(error, "errno", None)
        return failed
    return Outcome(True, operations.seen(value), value)


def threading_is_local() -> bool:
    import threading

    return threading.current_thread() is not threading.main_thread()


def said_of(error: Exception) -> tuple[Any, ...]:
    """What is compared of an exception."""
    if isinstance(error, (shutil.Error, gfapi.Error)):
        problems = error.args[0]
        if isinstance(problems, list):
            return "Error", sorted((str(src), str(dst)) for src, dst, _ in problems)
        return ("Error",)
    if isinstance(error, OSError):
        code = os.strerror(error.errno) if error.errno else None
        # Of a file that is not open for it, io has a class of its own.
        is_io = isinstance(error, io.UnsupportedOperation)
        return "OSError" if is_io else type(error).__name__, code
    return (type(error).__name__,)


# ------------------------------------------------------------------------------------- trees


def tree(side: Any, read: Callable[[Any], bytes]) -> dict[bytes, Any]:
    """All that there is on a side, which is :mod:`os` or a Volume."""
    found: dict[bytes, Any] = {}
    waiting = [b"/"]
    while waiting:
        folder = waiting.pop()
        for name in side.listdir(folder):
            path = os.path.join(folder, name)
            stat = side.lstat(path)
            content: Any = None
            if stat_module.S_ISDIR(stat.st_mode):
                waiting.append(path)
            elif stat_module.S_ISLNK(stat.st_mode):
                content = side.readlink(path)
            elif stat_module.S_ISREG(stat.st_mode):
                content = read(path)
            found[path] = *operations.facts(stat), _xattrs(side, path), content
    return found


def _xattrs(side: Any, path: bytes) -> dict[str, bytes]:
    return {
        name: side.getxattr(path, name.encode(), follow_symlinks=False)
        for name in sorted(side.listxattr(path, follow_symlinks=False))
        if name.startswith("user.")
    }


def _read_local(path: bytes) -> bytes:
    return Path(os.fsdecode(path)).read_bytes()


def _read(vol: gfapi.Volume, path: bytes) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


def _empty(side: Any, rmtree: Callable[[Any], Any]) -> None:
    side.chdir("/")
    side.chown("/", 0, 0)
    side.chmod("/", 0o755)
    for key in _xattrs(side, b"/"):
        side.removexattr("/", key)
    for name in side.listdir(b"/"):
        path = b"/" + name
        if stat_module.S_ISDIR(side.lstat(path).st_mode):
            rmtree(path)
        else:
            side.unlink(path)
