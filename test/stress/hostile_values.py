"""Values that no argument should have, each made anew for each call.

A maker gets the stage of the call: with ``shut`` it closes what the method is called on, with
``unmount`` it unmounts the volume, and ``at_end`` has something done when the call is over.
"""

from __future__ import annotations

import array
import ctypes
import decimal
import enum
import fractions
import mmap
import os
import pathlib
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Callable

LONG = 10_000


class Boom(Exception):
    """What hostile objects raise."""


def boom(*arguments: Any, **options: Any) -> Any:
    raise Boom


class Index:
    """An integer that does something when it is asked for its value."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask

    def __index__(self) -> Any:
        return self._ask()


class Path:
    """The same for a path."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self._ask = ask

    def __fspath__(self) -> Any:
        return self._ask()


class Items:
    """A sequence that does something when it is gone through."""

    def __init__(self, ask: Callable[[], Any], length: int = 2) -> None:
        self._ask, self._length = ask, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Any:
        if index >= 2:
            raise IndexError(index)
        self._ask()
        return bytearray(3)


class LyingInt(int):
    """An int that says that it is within all bounds."""

    def __lt__(self, other: object) -> bool:
        return False

    __gt__ = __lt__

    def __le__(self, other: object) -> bool:
        return True

    __ge__ = __le__

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class LyingStr(str):
    """A str that encodes to something else, and is equal to everything."""

    __slots__ = ()

    def encode(self, *arguments: Any) -> Any:
        return [0x41]

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class LyingBytes(bytes):
    """Bytes that say that there are more of them."""

    def __len__(self) -> int:
        return 1 << 40

    def __contains__(self, other: object) -> bool:
        return False


class EqualToAll:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class Refusing:
    """An object that raises whatever is asked of it."""

    __index__ = __fspath__ = __len__ = __iter__ = __getitem__ = __bool__ = __eq__ = boom
    __lt__ = __le__ = __gt__ = __ge__ = __call__ = __float__ = __int__ = boom
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "<Refusing>"


class Number(enum.IntEnum):
    ONE = 1


class Buffer:
    """A buffer that gives something else each time, which Python has had a word for since 3.12."""

    def __init__(self, *turns: Callable[[], Any]) -> None:
        self._turns = list(turns)

    def __buffer__(self, flags: int) -> memoryview:
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        return memoryview(turn())


def in_turn(*answers: Any) -> Callable[[], Any]:
    """What gives one answer after the other, and the last one from then on."""
    left = list(answers)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def _after(action: Callable[[], object], answer: Any) -> Callable[[], Any]:
    def ask() -> Any:
        action()
        return answer

    return ask


def _released() -> memoryview:
    view = memoryview(bytearray(10))
    view.release()
    return view


def _mapped(stage: Any, is_closed: bool = False, access: int = mmap.ACCESS_WRITE) -> mmap.mmap:
    mapped = mmap.mmap(-1, 4096, access=access)
    if is_closed:
        mapped.close()
    else:
        stage.at_end(lambda: _close(mapped))
    return mapped


def _close(mapped: mmap.mmap) -> None:
    try:
        mapped.close()
    except BufferError as error:
        raise AssertionError("its buffer is still held") from error


def _resized(stage: Any) -> bytearray:
    """A bytearray that another thread resizes meanwhile."""
    data, is_over = bytearray(100), threading.Event()

    def resize() -> None:
        while not is_over.is_set():
            for change in (lambda: data.extend(bytes(1 << 16)), data.clear):
                try:
                    change()
                except BufferError:
                    time.sleep(0)

    thread = threading.Thread(target=resize, daemon=True)
    thread.start()

    def end() -> None:
        is_over.set()
        thread.join()
        data.clear()  # nobody holds it any more

    stage.at_end(end)
    return data


def _pipe(stage: Any) -> Any:
    reading, writing = os.pipe()
    os.close(writing)
    file = os.fdopen(reading, "rb")
    stage.at_end(file.close)
    return file


def _items_then(action: Callable[[], object]) -> Iterator[Any]:
    yield bytearray(3)
    action()
    yield bytearray(3)


def _coroutine(stage: Any) -> Any:
    async def wait() -> None: ...

    waiting = wait()
    stage.at_end(waiting.close)
    return waiting


#: What there is, by names that say it.
VALUES: dict[str, Callable[[Any], Any]] = {
    "None": lambda s: None,
    "True": lambda s: True,
    "an object": lambda s: object(),
    "a class": lambda s: int,
    "a function": lambda s: len,
    "Ellipsis": lambda s: ...,
    "a module": lambda s: os,
    # numbers
    "0": lambda s: 0,
    "1": lambda s: 1,
    "-1": lambda s: -1,
    "-2": lambda s: -2,
    "2**31": lambda s: 1 << 31,
    "2**32": lambda s: 1 << 32,
    "2**32-1": lambda s: (1 << 32) - 1,
    "2**63-1": lambda s: (1 << 63) - 1,
    "2**63": lambda s: 1 << 63,
    "2**64": lambda s: 1 << 64,
    "-2**31-1": lambda s: -(1 << 31) - 1,
    "-2**63": lambda s: -(1 << 63),
    "-2**63-1": lambda s: -(1 << 63) - 1,
    "10**100": lambda s: 10**100,
    "1.5": lambda s: 1.5,
    "-1.0": lambda s: -1.0,
    "NaN": lambda s: float("nan"),
    "infinity": lambda s: float("inf"),
    "1e300": lambda s: 1e300,
    "1j": lambda s: 1j,
    "a Decimal": lambda s: decimal.Decimal("NaN"),
    "a Fraction": lambda s: fractions.Fraction(1, 3),
    "a member of an enumeration": lambda s: Number.ONE,
    "a lying int": lambda s: LyingInt(-5),
    "a lying huge int": lambda s: LyingInt(1 << 70),
    "an index": lambda s: Index(lambda: 1),
    "an index that raises": lambda s: Index(boom),
    "an index that is a str": lambda s: Index(lambda: "1"),
    "an index that is 2**70": lambda s: Index(lambda: 1 << 70),
    "an index that becomes negative": lambda s: Index(in_turn(1, -1)),
    "an index that becomes huge": lambda s: Index(in_turn(1, 1 << 62)),
    "an index that closes": lambda s: Index(_after(s.shut, 1)),
    "an index that unmounts": lambda s: Index(_after(s.unmount, 1)),
    # text
    "an empty str": lambda s: "",
    "a str": lambda s: "x",
    "a NUL": lambda s: "a\0b",
    "10,000 characters": lambda s: "x" * LONG,
    "10,000 characters in folders": lambda s: "x/" * (LONG // 2),
    "300 bytes": lambda s: "é" * 150,
    "a lone surrogate": lambda s: "\ud800",
    "an escaped byte": lambda s: "\udcff",
    "format characters": lambda s: "%s%n%d%s%n",
    "a newline": lambda s: "a\nb",
    "dots": lambda s: "../x",
    "a lying str": lambda s: LyingStr("x"),
    # bytes and buffers
    "empty bytes": lambda s: b"",
    "bytes": lambda s: b"x",
    "a NUL in bytes": lambda s: b"a\0b",
    "10,000 bytes": lambda s: b"x" * LONG,
    "no UTF-8": lambda s: b"\xff\xfe",
    "lying bytes": lambda s: LyingBytes(b"abc"),
    "a bytearray": lambda s: bytearray(b"abc"),
    "an empty bytearray": lambda s: bytearray(),
    "a read-only view": lambda s: memoryview(b"abc"),
    "a view with gaps": lambda s: memoryview(bytearray(10))[::2],
    "a view backwards": lambda s: memoryview(bytearray(10))[::-1],
    "a view of two dimensions": lambda s: memoryview(bytearray(12)).cast("B", (3, 4)),
    "a view of no dimension": lambda s: memoryview(ctypes.c_int(5)),
    "a view of nothing": lambda s: memoryview(bytearray()),
    "a released view": lambda s: _released(),
    "an array of doubles": lambda s: array.array("d", [1.0, 2.0]),
    "an array of C": lambda s: (ctypes.c_uint32 * 3)(1, 2, 3),
    "a structure of C": lambda s: ctypes.py_object(),
    "a mapped file": lambda s: _mapped(s),
    "a read-only mapped file": lambda s: _mapped(s, access=mmap.ACCESS_READ),
    "a closed mapped file": lambda s: _mapped(s, is_closed=True),
    "a bytearray that is resized": lambda s: _resized(s),
    # paths
    "a path": lambda s: pathlib.PurePosixPath("x"),
    "a path that raises": lambda s: Path(boom),
    "a path that is None": lambda s: Path(lambda: None),
    "a path that is an int": lambda s: Path(lambda: 0),
    "a path that closes": lambda s: Path(_after(s.shut, "x")),
    "a path that unmounts": lambda s: Path(_after(s.unmount, "x")),
    "a path that becomes another": lambda s: Path(in_turn("x", "no/such/folder/y")),
    "a path that becomes bytes": lambda s: Path(in_turn("x", b"x")),
    "a path that becomes a NUL": lambda s: Path(in_turn("x", "a\0b")),
    "a path that raises later": lambda s: Path(_in_turn_or_boom("x")),
    # containers
    "an empty list": lambda s: [],
    "a list": lambda s: [1, "x", None],
    "a list of buffers": lambda s: [bytearray(3), bytearray(3)],
    "2,000 buffers": lambda s: [bytearray(1)] * 2000,
    "a dict": lambda s: {"x": 1},
    "a dict of nonsense": lambda s: {None: object()},
    "a set": lambda s: {1},
    "an empty tuple": lambda s: (),
    "two numbers": lambda s: (1, 2),
    "three numbers": lambda s: (1, 2, 3),
    "two of None": lambda s: (None, None),
    "two of NaN": lambda s: (float("nan"), float("nan")),
    "two of 2**64": lambda s: (1 << 64, 1 << 64),
    "two str": lambda s: ("x", "y"),
    "two indices that raise": lambda s: (Index(boom), Index(boom)),
    "two indices that close": lambda s: (Index(_after(s.shut, 1)), 2),
    "a range": lambda s: range(100),
    "a generator": lambda s: (bytearray(1) for _ in range(3)),
    "a generator that closes": lambda s: _items_then(s.shut),
    "a generator that unmounts": lambda s: _items_then(s.unmount),
    "a generator that raises": lambda s: _items_then(boom),
    "a sequence that raises": lambda s: Items(boom),
    "a sequence that closes": lambda s: Items(s.shut),
    "a sequence of too great a length": lambda s: Items(lambda: None, 1 << 40),
    # objects of the package and the like
    "an open file of Python's": lambda s: _pipe(s),
    "a closed file": lambda s: s.closed_file,
    "a closed directory": lambda s: s.closed_directory,
    "a closed handle": lambda s: s.closed_handle,
    "a file of another volume": lambda s: s.foreign_file,
    "a handle of another volume": lambda s: s.foreign_handle,
    "a volume": lambda s: s.volume,
    "a volume that is not mounted": lambda s: s.unmounted,
    "what is equal to all": lambda s: EqualToAll(),
    "what refuses everything": lambda s: Refusing(),
    "a function that raises": lambda s: boom,
    "a function that closes": lambda s: lambda *_: s.shut(),
    "a function that unmounts": lambda s: lambda *_: s.unmount(),
    "a coroutine": lambda s: _coroutine(s),
    "an exception": lambda s: ValueError("x"),
}


def _in_turn_or_boom(answer: Any) -> Callable[[], Any]:
    turns: list[Callable[[], Any]] = [lambda: answer, boom]
    return lambda: (turns.pop(0) if len(turns) > 1 else turns[0])()


if sys.version_info >= (3, 12):
    VALUES.update(
        {
            "a buffer that raises": lambda s: Buffer(boom),
            "a buffer that becomes read-only": lambda s: Buffer(
                lambda: bytearray(8), lambda: bytes(8)
            ),
            "a buffer that becomes short": lambda s: Buffer(
                lambda: bytearray(1 << 20), lambda: bytearray(1)
            ),
            "a buffer that closes": lambda s: Buffer(_after(s.shut, bytearray(8))),
            "a buffer that unmounts": lambda s: Buffer(_after(s.unmount, bytearray(8))),
        }
    )

#: Those that take a mount each.
UNMOUNTING = tuple(name for name in VALUES if "unmount" in name)
