"""What a mount still has to do: its calls to the bricks, and the threads that are inside a call."""

from __future__ import annotations

import errno
import os
import sys
import threading

from . import api
from .gate import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .meta import Call

_FRAMES = "/.meta/frames"
_META = "meta-autoload"  # the translator that answers below /.meta
# An open that no read has followed yet. Nobody waits for it, and if the file is closed without a
# read, open-behind keeps it for ever. Or a question to a glusterd that is not there (gfapi alone),
# which libgfapi forgets to give up.
_HELD_BACK = (
    rb'\[\s*\{\s*"Number": 1,\s*"Xlator": "(?:[^"]*-open-behind|gfapi)",'
    rb'\s*"Complete": 0\s*\}\s*\]'
)
_MOST_TOLD = 10
_MOST_DIGITS = 20
_NOT_TOLD = "calls to the bricks are still in flight; which ones cannot be told"


def frames_in_flight(pointer: int) -> int:
    """How many calls a mount has sent and not yet got back, without the one that asks.

    It is 0 too where the graph cannot tell.
    """
    try:
        content = _read_frames(pointer)
    except OSError as error:
        # In the middle of a change of the graph nobody can tell: ask again.
        return 1 if error.errno == errno.EBADFD else 0
    return count_in(content)


def count_in(content: bytes) -> int:
    """The calls in what ``/.meta/frames`` says, without the one that reads it.

    One, as long as that is not understood: who asks again may get a whole text. None, where
    nothing is said.
    """
    if not content:
        return 0
    number = content.rpartition(b'"Call_Count":')[2].strip(b" \n}")
    if not (number.isdigit() and len(number) < _MOST_DIGITS):
        return 1
    count = int(number) - 1
    if count <= 0:
        return 0
    import re  # a quiet mount does not wait for this import

    return max(0, count - len(re.findall(_HELD_BACK, content)))


def _read_frames(pointer: int) -> bytes:
    content, chunk = b"", bytearray(1 << 16)
    memory, size = api.memory(chunk, writable=True)
    frames = Gate(api.glfs_open(Gate(pointer), _FRAMES, os.O_RDONLY), _FRAMES)
    try:
        while count := api.glfs_read(frames, memory, size, 0):
            content += chunk[:count]
    finally:
        api.glfs_close(frames)
    return content


def frames_told(pointer: int) -> str:
    """The calls that a mount has in flight, in words: which, and where they are."""
    try:
        return calls_told(_read_frames(pointer))
    except OSError:
        return _NOT_TOLD


def calls_told(content: bytes) -> str:
    """The calls in what ``/.meta/frames`` says, in words."""
    import re  # nobody asks as long as all is well

    from .meta import calls_in

    try:
        calls = calls_in(os.fsdecode(re.sub(_HELD_BACK, b"[]", content)))
    except ValueError:
        return _NOT_TOLD
    places = [_place(call) for call in calls if call.frames and call.frames[-1].translator != _META]
    count = f"{len(places)} calls" if len(places) != 1 else "1 call"
    return f"{count} to the bricks still in flight: {_joined(_counted(places))}"


def _place(call: Call) -> str:
    """What a call does, and the last translators that have not answered."""
    waiting = [frame for frame in call.frames if not frame.complete]
    callers = {frame.caller for frame in waiting}
    last = [frame.translator for frame in waiting if frame.translator not in callers]
    return f"{call.operation} at {', '.join(last) or call.frames[-1].translator}"


def threads_told(gates: Iterable[Any]) -> str:
    """The threads that are inside a call through one of some gates, in words."""
    inside = list(_threads_inside({id(gate): gate for gate in gates if gate.calls}))
    return _joined(inside) if inside else "a call of a thread that cannot be told"


def _threads_inside(gates: dict[int, Any]) -> Iterator[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        while frame and ident != threading.get_ident():
            # The innermost that knows the gate is the one that passes it on to C.
            gate = next((gates[id(v)] for v in frame.f_locals.values() if id(v) in gates), None)
            if gate is not None:
                of_path = f" of {os.fsdecode(gate.path)!r}" if gate.path else ""
                yield f"thread {names.get(ident, ident)!r} in {frame.f_code.co_name}{of_path}"
                break
            frame = frame.f_back  # type: ignore[assignment]


def paths_told(paths: Iterable[Any]) -> str:
    """Some paths, in words."""
    return _joined([repr(os.fsdecode(path)) for path in paths])


def _counted(words: Iterable[str]) -> list[str]:
    words = list(words)
    counts = {word: words.count(word) for word in words}
    return [word if count == 1 else f"{count} times {word}" for word, count in counts.items()]


def _joined(words: list[str]) -> str:
    rest = len(words) - _MOST_TOLD
    return ", ".join(words[:_MOST_TOLD]) + (f" and {rest} more" if rest > 0 else "")
