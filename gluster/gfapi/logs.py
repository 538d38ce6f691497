"""GlusterFS's own log messages, handed to Python's :mod:`logging`.

GlusterFS logs to a file, so it is given the end of a pipe for one. What it writes there, a thread
takes from the other end. GlusterFS writes while it holds locks that its other threads want, so its
end of the pipe never blocks: messages that come faster than they are handled are lost instead.
"""

from __future__ import annotations

import calendar
import contextlib
import fcntl
import logging
import os
import re
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from . import api, mount
from .exceptions import LibgfapiException
from .gate import Gate, wait_until

if TYPE_CHECKING:
    from .volume import Volume

#: How many bytes of messages may wait.
CAPACITY = 1 << 20
#: How long the interpreter's exit waits for those that wait then, in seconds.
EXIT_TIMEOUT = 1.0

_CHUNK = 1 << 16
_LONGEST = 1 << 16  # of a line that is not cut in two
_QUIET = 0.3  # seconds in which a message that is being written gets written, on a busy machine
_SET_PIPE_SIZE, _GET_PIPE_SIZE = 1031, 1032  # F_SETPIPE_SZ, which fcntl has from Python 3.10 on

#: GlusterFS's letters for its levels: emergency, alert, critical, ...
LEVELS = {
    "M": logging.CRITICAL,
    "A": logging.CRITICAL,
    "C": logging.CRITICAL,
    "E": logging.ERROR,
    "W": logging.WARNING,
    "N": logging.INFO,
    "I": logging.INFO,
    "D": logging.DEBUG,
    "T": 5,
}

Place = Union[str, None, logging.Logger]


def checked_logger(logger: Any) -> logging.Logger:
    """What a user gave for a logger.

    :raises LibgfapiException: if it is none.
    """
    if not isinstance(logger, logging.Logger):
        raise LibgfapiException(f"logger is {logger!r}; it must be a logging.Logger")
    return logger


def log_to(glfs: Gate, logger: logging.Logger, log_level: int) -> None:
    """Send a glfs' log to a logger, for as long as the glfs lives or until it logs elsewhere.

    :raises LibgfapiException: if that fails.
    """
    reading, writing = os.pipe()
    try:
        with contextlib.suppress(OSError):  # more than an unprivileged user may have
            fcntl.fcntl(writing, _SET_PIPE_SIZE, CAPACITY)
        api.glfs_set_logging(glfs, f"/proc/self/fd/{writing}", log_level)
        _never_block(writing)
    except OSError as error:
        os.close(reading)
        words = f"cannot log to {logger!r}: {error.strerror}; it takes a /proc"
        raise LibgfapiException(words, error.errno) from None
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)  # GlusterFS opened it anew; when it closes its own, the thread ends
    reader = _Reader(reading, logger)
    _readers.add(reader)
    reader.start()


def _never_block(writing: int) -> None:
    """Find the descriptors that GlusterFS opened of a pipe's end, and have them never block."""
    pipe = os.fstat(writing)
    for fd in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):  # the one that listed them is closed by now
            flags = fcntl.fcntl(fd, fcntl.F_GETFL)
            if flags & os.O_ACCMODE == os.O_WRONLY and os.path.samestat(os.fstat(fd), pipe):
                fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_NONBLOCK)
                os.set_inheritable(fd, False)


def change(vol: Volume, place: Place, log_level: int, former: Place) -> None:
    """Have a mounted volume log elsewhere.

    libgfapi closes the file that it logs to while its other threads may be writing to it, and hangs
    then. So it is to have nothing to log meanwhile.

    :param former: where it logged to before, and goes on to if that fails.
    """
    glfs = vol._mount
    with glfs.lock:
        try:
            vol.meta.log_level = 0
        except OSError:
            mount.set_logging(glfs, place, log_level)  # not to be had better
            return
        time.sleep(_QUIET)
        try:
            mount.set_logging(glfs, place, -1)  # which leaves the level as it is
        except BaseException:
            mount.set_logging(glfs, former, -1)
            log_level = vol.log_level
            raise
        finally:
            vol.meta.log_level = log_level


# ------------------------------------------------------------------------------ the thread


class _Reader(threading.Thread):
    """Takes what one glfs logs, and hands it to a logger."""

    def __init__(self, fd: int, logger: logging.Logger) -> None:
        super().__init__(name="gfapi log", daemon=True)
        self.fd = fd
        self.capacity = fcntl.fcntl(fd, _GET_PIPE_SIZE)
        self.logger = logger
        self.handing_on = threading.Lock()
        self.is_ending = False

    def run(self) -> None:
        try:
            rest = b""
            while chunk := self._read():
                with self.handing_on:
                    *lines, rest = (rest + chunk).split(b"\n")
                    if len(rest) > _LONGEST:
                        lines, rest = [*lines, rest], b""
                    for line in lines:
                        self._hand_on(line)
        finally:
            _readers.discard(self)
            os.close(self.fd)

    def _read(self) -> bytes:
        if waiting(self.fd) > self.capacity * 7 // 8 and not self.is_ending:
            with self.handing_on:
                self._log(_lost(time.time()))
        return os.read(self.fd, _CHUNK)

    def _hand_on(self, line: bytes) -> None:
        if self.is_ending or not line.strip():
            return
        self._log(message_in(line.decode(errors="backslashreplace")))

    def _log(self, message: Message) -> None:
        logger, level = self.logger, LEVELS.get(message.letter, logging.INFO)
        try:
            if logger.isEnabledFor(level):
                logger.handle(record_of(message, level, logger))
        except BaseException as error:  # a handler's or filter's own
            report = threading.ExceptHookArgs((type(error), error, error.__traceback__, self))
            with contextlib.suppress(BaseException):
                threading.excepthook(report)

    def finish(self, deadline: float) -> None:
        """Wait until nothing waits any more, and then hand on nothing."""
        with contextlib.suppress(OSError):  # it has just ended by itself
            wait_until(lambda: not waiting(self.fd) and not self.handing_on.locked(), deadline)
        self.is_ending = True
        # And keep it: a handler that prints when the interpreter is gone would have it abort.
        self.handing_on.acquire(timeout=max(0.0, deadline - time.monotonic()) + EXIT_TIMEOUT)


def waiting(fd: int) -> int:
    """How many bytes can be read from a pipe."""
    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)


_readers: set[_Reader] = set()


def _finish_all() -> None:
    deadline = time.monotonic() + EXIT_TIMEOUT
    while _readers:
        _readers.pop().finish(deadline)


def _forget_all() -> None:
    for reader in list(_readers):
        with contextlib.suppress(OSError):
            os.close(reader.fd)
    _readers.clear()


mount.after_settling.append(_finish_all)
os.register_at_fork(after_in_child=_forget_all)


# ------------------------------------------------------------------------------- messages


class Message(NamedTuple):
    """A message of GlusterFS.

    :ivar letter: its level.
    :ivar file: the C file that it comes from, with ``line`` and ``function``.
    :ivar graph: the number of the graph that ``translator`` belongs to.
    :ivar msgid: GlusterFS's number for this kind of message, if it has one.
    :ivar created: when, in seconds since the epoch, or None if that is not known.
    """

    letter: str
    file: str
    line: int
    function: str
    graph: int
    translator: str
    msgid: Optional[int]
    created: Optional[float]
    text: str


_STAMP = r"\[(?P<stamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)(?P<zone> [+-]\d{4})?\]"
_BODY = (
    r"(?P<letter>[A-Z]) (?:\[MSGID: (?P<msgid>\d{1,18})\] )?"
    r"\[(?P<file>[^\]:]*):(?P<line>\d{1,9}):(?P<function>[^\]]*)\] "
    r"(?:\(.*?\) )?(?P<graph>\d{1,9})-(?P<translator>[^:\s]*): (?P<text>.*)"
)
_MESSAGE = re.compile(f"{_STAMP} {_BODY}", re.DOTALL)
# In the final graph. Who has it may do anything on the bricks, and records go far.
_PASSWORD = re.compile(r"^( *\d+: +option \S*password ).*")
_REPEATED = re.compile(rf"(?P<times>\d+) times between \[[^\]]*\] and {_STAMP}")


def message_in(line: str) -> Message:
    """What a line of a log says. One without a head, as those of the final graph, informs."""
    found, suffix = _fields_of(line), ""
    if line.startswith('The message "'):  # GlusterFS held some back that were the same
        message, _, ending = line.partition('"')[2].rpartition('" repeated ')
        if match := _REPEATED.match(ending):
            found = _fields_of(f"{ending[match.start('stamp') - 1 : match.end()]} {message}")
            suffix = f" (repeated {match['times']} times)"
    if not found:
        return Message("I", "", 0, "", 0, "", None, None, _PASSWORD.sub(r"\1***", line.rstrip()))
    return Message(
        found["letter"],
        found["file"],
        int(found["line"]),
        found["function"],
        int(found["graph"]),
        found["translator"],
        int(found["msgid"]) if found["msgid"] else None,
        _seconds(found["stamp"], found["zone"]),
        found["text"].rstrip() + suffix,
    )


def _fields_of(line: str) -> dict[str, str]:
    match = _MESSAGE.match(line)
    return match.groupdict() if match else {}


def _seconds(stamp: str, zone: Optional[str]) -> Optional[float]:
    """The time of a message; those without a zone are in UTC."""
    whole, _, fraction = stamp.partition(".")
    numbers = tuple(int(number) for number in re.findall(r"\d+", whole))
    offset = 0
    if zone:
        minutes = int(zone[2:4]) * 60 + int(zone[4:6])
        offset = -60 * minutes if zone[1] == "-" else 60 * minutes
    try:
        return calendar.timegm(numbers) - offset + float("0." + (fraction or "0"))
    except ValueError:
        return None


def record_of(message: Message, level: int, logger: logging.Logger) -> logging.LogRecord:
    """The LogRecord of a message."""
    record = logger.makeRecord(
        logger.name,
        level,
        message.file,
        message.line,
        message.text,
        (),
        None,
        message.function,
        {"msgid": message.msgid, "translator": message.translator, "graph": message.graph},
    )
    if message.created is not None:
        late = record.created - message.created
        record.created = message.created
        record.msecs = int(message.created % 1 * 1000) + 0.0
        record.relativeCreated -= late * 1000
    return record


def _lost(now: float) -> Message:
    text = "GlusterFS logged faster than its messages were handled; some are probably lost"
    return Message("W", __file__, 0, "", 0, "gfapi", None, now, text)
