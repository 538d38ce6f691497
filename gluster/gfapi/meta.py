"""What a mounted volume tells about itself: GlusterFS's ``/.meta``, as Python objects.

Reading it asks no brick, so it is quick, and works when bricks are dead.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional, TypeVar

from .arguments import checked_int
from .gate import Unpicklable
from .identity import as_process

if TYPE_CHECKING:
    from .file import File
    from .volume import Volume

T = TypeVar("T")
Sections = dict[str, dict[str, str]]

_CLIENT = "protocol/client"
_META = "meta"  # the type of the translator that answers here
_ATTEMPTS = 5
_PAUSE = 0.002  # seconds


class Frame(NamedTuple):
    """The part of a call in flight that one translator has.

    :ivar translator: its name (str).
    :ivar caller: the name of the translator that called it (str), None for the first.
    :ivar function: what it was called by (str or None), as ``"subvol->fops->readv"``.
    :ivar complete: whether it has answered (bool).
    :ivar created: when it was called, in seconds of :func:`time.monotonic` (float); None if
        :attr:`Meta.measure_latency` was off by then.
    """

    translator: str
    caller: Optional[str]
    function: Optional[str]
    complete: bool
    created: Optional[float]


class Call(NamedTuple):
    """A call in flight: sent on its way through the translators, and not back yet.

    :ivar operation: what it does (str), as ``"WRITE"``; ``"NULL"`` where GlusterFS does not tell.
    :ivar uid: the user that it is made as (int).
    :ivar gid: that user's group (int).
    :ivar lock_owner: the lock owner that goes with it, in hexadecimal (str).
    :ivar unique: a number that GlusterFS gave it (int).
    :ivar frames: a :class:`Frame` for each translator that it reached (tuple), the first one first.
    """

    operation: str
    uid: int
    gid: int
    lock_owner: str
    unique: int
    frames: tuple[Frame, ...]


class Connection(NamedTuple):
    """The connection to one brick.

    What GlusterFS did not tell, because it was busy with the connection, is None.

    :ivar name: the name of the translator that has it (str), as ``"demo-client-0"``.
    :ivar host: the brick's host (str).
    :ivar brick: the brick's path there (str).
    :ivar connected: whether it can be used now (bool).
    :ivar bytes_read: how many bytes came from the brick (int).
    :ivar bytes_written: how many bytes were sent to it (int).
    :ivar messages_sent: how many calls were sent to it (int).
    :ivar pings_sent: how many of those only asked whether it is alive (int).
    :ivar ping_timeout: after how many seconds without an answer it is taken for dead (int).
    """

    name: str
    host: str
    brick: str
    connected: Optional[bool]
    bytes_read: Optional[int]
    bytes_written: Optional[int]
    messages_sent: Optional[int]
    pings_sent: Optional[int]
    ping_timeout: Optional[int]


class Latency(NamedTuple):
    """How long one kind of call took in one translator, with all those below it.

    :ivar translator: the translator's name (str); ``"gfapi"`` is libgfapi itself.
    :ivar operation: the kind of call (str), as ``"LOOKUP"``.
    :ivar calls: how many there were (int).
    :ivar total: how long they took together, in seconds (float).
    :ivar minimum: how long the shortest took, in seconds (float).
    :ivar maximum: how long the longest took, in seconds (float).
    """

    translator: str
    operation: str
    calls: int
    total: float
    minimum: float
    maximum: float

    @property
    def mean(self) -> float:
        """How long one took on average, in seconds."""
        return self.total / self.calls


class Translator:
    """A translator of the graph that each call passes, from the top down to the bricks.

    :ivar name: its name (str), as ``"demo-client-0"``.
    :ivar type: what it is (str), as ``"protocol/client"``.
    :ivar options: the options that it was given (dict of str to str).
    :ivar subvolumes: the Translators below it (tuple).
    """

    __slots__ = ("name", "options", "subvolumes", "type")

    def __init__(self, name: str) -> None:
        self.name = name
        self.type = ""
        self.options: dict[str, str] = {}
        self.subvolumes: tuple[Translator, ...] = ()

    def __repr__(self) -> str:
        return f"<gluster.gfapi.meta.Translator {self.name!r} ({self.type})>"

    def walk(self) -> Iterator[Translator]:
        """This translator and all below it, each once, those above first."""
        seen, waiting = set(), [self]
        while waiting:
            translator = waiting.pop()
            if translator.name not in seen:
                seen.add(translator.name)
                yield translator
                waiting += reversed(translator.subvolumes)

    def find(self, name: str) -> Translator:
        """The translator of a name, here or below.

        :param name: the name (str).
        :raises KeyError: if there is none.
        """
        for translator in self.walk():
            if translator.name == name:
                return translator
        raise KeyError(name)

    def find_all(self, type: str) -> list[Translator]:
        """All translators of a type, here and below.

        :param type: the type (str), as ``"protocol/client"``.
        """
        return [translator for translator in self.walk() if translator.type == type]


class Meta(Unpicklable):
    """What a mounted volume tells about itself: :attr:`Volume.meta <gluster.gfapi.Volume.meta>`.

    Each attribute and method asks anew. They raise :exc:`VolumeNotMounted` if the volume is not
    mounted, and :exc:`OSError` with EBADMSG if GlusterFS's answer is not understood.
    """

    __slots__ = ("_volume",)

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def __repr__(self) -> str:
        return f"<gluster.gfapi.meta.Meta of volume {self._volume.volname!r}>"

    # ------------------------------------------------------------------ what is going on

    def frames(self) -> list[Call]:
        """The calls in flight.

        Calls that read ``/.meta``, as this one, are left out. One that waits in a translator of
        the type ``performance/open-behind`` waits for nothing but the first read of a file.

        :returns: a list of :class:`Call`.
        """
        meta = {translator.name for translator in self.graph().find_all(_META)}
        calls = self._parsed("frames", calls_in)
        return [call for call in calls if not call.frames or call.frames[-1].translator not in meta]

    def connections(self) -> list[Connection]:
        """The connections to the bricks, in their order.

        A brick that died shows at once if its process ended, and after ``ping_timeout`` if its
        host is gone.

        :returns: a list of :class:`Connection`.
        """
        return self._steadily(
            lambda: [self._connection(client) for client in self.graph().find_all(_CLIENT)]
        )

    def _connection(self, client: Translator) -> Connection:
        values: dict[str, str] = {}
        for _ in range(_ATTEMPTS):
            for section in self.private(client.name).values():
                values.update(section)
            if "connected" in values:
                break
            time.sleep(_PAUSE)  # it tells nothing while it is busy

        def number(key: str) -> Optional[int]:
            text = values.get(key, "")
            return int(text) if _is_number(text) else None

        connected = number("connected")
        return Connection(
            client.name,
            client.options.get("remote-host", ""),
            client.options.get("remote-subvolume", ""),
            None if connected is None else bool(connected),
            number("total_bytes_read"),
            number("total_bytes_written"),
            number("msgs_sent"),
            number("ping_msgs_sent"),
            number("ping_timeout"),
        )

    def latency(self) -> list[Latency]:
        """How long calls took since they were last asked for, or last dumped.

        Nothing is measured before :attr:`measure_latency` is set.

        :returns: a list of :class:`Latency`, translators from the top down.
        """
        found = self._parsed("root/profile", latencies_in)

        def take() -> None:
            for translator in self.graph().walk():
                found.extend(self._parsed_of(translator.name, "profile", latencies_in))

        self._steadily(take)
        return found

    @property
    def measure_latency(self) -> bool:
        """Whether this client measures how long calls take. It is off at first, and may be set.

        This is not ``gluster volume profile``, which has the bricks measure.
        """
        return self.read("measure_latency").strip() not in ("", "0")

    @measure_latency.setter
    def measure_latency(self, on: bool) -> None:
        self._write("measure_latency", int(bool(on)))

    # ------------------------------------------------------------------ what there is

    def graph(self) -> Translator:
        """The graph of translators that calls pass now.

        It is another one after a change of the volume, such as a new brick.

        :returns: the :class:`Translator` at the top.
        """
        return self._parsed("graphs/active/volfile", graph_in)

    def volfile(self) -> str:
        """The same in the form of a volfile, which :func:`graph_in` reads.

        :meth:`Volume.get_volfile <gluster.gfapi.Volume.get_volfile>` is what glusterd sent for it.
        """
        return self.read("graphs/active/volfile")

    def private(self, name: str) -> Sections:
        """What a translator tells of its own state.

        What that is depends on its type, and on the version of GlusterFS.

        :param name: the translator's name (str).
        :returns: a dict of its sections, each a dict of str to str.
        :raises FileNotFoundError: if there is no translator of that name.
        """
        return self._parsed_of(name, "private", sections_in)

    @property
    def version(self) -> str:
        """The version of the GlusterFS that is loaded, as ``"10.3"``."""
        return self._quoted("version", "Package Version")

    @property
    def process_uuid(self) -> str:
        """What the bricks know this mount by; it is new with each."""
        return self.read("process_uuid").strip()

    @property
    def cmdline(self) -> str:
        """The command line that GlusterFS was started with; ``""``, as libgfapi has none."""
        return self._quoted("cmdline", "Cmdlinestr")

    # ------------------------------------------------------------------ logging and memory

    @property
    def log_level(self) -> int:
        """How much GlusterFS logs now, from 0 (nothing) to 9 (everything). It may be set."""
        return self._parsed("logging/loglevel", int)

    @log_level.setter
    def log_level(self, level: int) -> None:
        self._write("logging/loglevel", checked_int("log_level", level, 0, 9))

    @property
    def log_file(self) -> str:
        """The file that GlusterFS logs to now."""
        return os.fsdecode(self._volume.readlink("/.meta/logging/logfile"))

    def mallinfo(self) -> dict[str, int]:
        """The memory of this process, as the C library counts it: ``"arena"``, ``"uordblks"``, ...

        :returns: a dict of the names in :manpage:`mallinfo(3)` to numbers (int).
        """
        values = self._parsed("mallinfo", sections_in).get("mallinfo", {})
        prefix = len("mallinfo_")
        return {key[prefix:]: int(text) for key, text in values.items() if _is_number(text)}

    def allocations(self, name: str) -> dict[str, int]:
        """How many pieces of memory of each kind a translator holds.

        :param name: the translator's name (str).
        :returns: a dict of GlusterFS's names for the kinds to numbers (int).
        :raises FileNotFoundError: if there is no translator of that name.
        """
        sections = self._parsed_of(name, "meminfo", sections_in)
        return {
            title.rpartition(" usage-type ")[2].partition(" ")[0]: int(values["num_allocs"])
            for title, values in sections.items()
            if _is_number(values.get("num_allocs", ""))
        }

    # ------------------------------------------------------------------ as it is

    def read(self, name: str) -> str:
        """The text of a file below ``/.meta``.

        :param name: its path there (str), as ``"graphs/active/demo-dht/private"``.
        :raises FileNotFoundError: if there is none.
        """
        _check_text("name", name)
        for _ in range(_ATTEMPTS):
            try:
                return self._read(name)
            except OSError as error:
                if error.errno not in (errno.EBADFD, errno.ESTALE):
                    raise  # and else the graph became another one meanwhile
        return self._read(name)

    def _read(self, name: str) -> str:
        with self._open(name, "r") as file:
            return os.fsdecode(file.read())

    def _write(self, name: str, number: int) -> None:
        with self._open(name, "r+") as file:
            file.write(b"%d\n" % number)

    def _open(self, name: str, mode: str) -> File:
        with as_process():  # who asks is the program, in whose name ever its thread calls
            return self._volume.fopen("/.meta/" + name, mode)

    @staticmethod
    def _steadily(look: Callable[[], T]) -> T:
        """Look again if what was seen at first is gone, because the graph became another one."""
        for _ in range(_ATTEMPTS):
            try:
                return look()
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise
        return look()

    def _parsed_of(self, translator: str, name: str, parse: Callable[[str], T]) -> T:
        _check_text("name", translator)
        if "/" in translator or translator in ("", ".", ".."):
            raise FileNotFoundError(errno.ENOENT, "no such translator", translator)
        return self._parsed(f"graphs/active/{translator}/{name}", parse)

    def _parsed(self, name: str, parse: Callable[[str], T]) -> T:
        text = self.read(name)
        try:
            return parse(text)
        except ValueError as error:
            words = f"GlusterFS's answer is not understood: {error}"
            raise OSError(errno.EBADMSG, words, "/.meta/" + name) from None

    def _quoted(self, name: str, key: str) -> str:
        return next((value for found, value in _members(self.read(name)) if found == key), "")


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__!r}")


# ---------------------------------------------------------------------------- parsing

_MEMBER = re.compile(r'\s*"([\w ]+)": (.*)')
_LATENCY = re.compile(r"AVG:\S+ CNT:(\d+) TOTAL:(\d+) MIN:(\d+) MAX:(\d+)")
_NANO = 1e-9


def _is_number(text: str) -> bool:
    return len(text) <= 20 and text.removeprefix("-").isdecimal()


def _members(text: str) -> Iterator[tuple[str, str]]:
    """The lines of the form ``"key": value`` of what looks like JSON.

    It is not quite: names in it are not escaped, and there are too many commas.
    """
    for line in text.split("\n"):
        match = _MEMBER.match(line)
        if match:
            value = match[2].rstrip().removesuffix(",")
            is_quoted = len(value) > 1 and value[0] == value[-1] == '"'
            yield match[1], value[1:-1] if is_quoted else value


def calls_in(text: str) -> list[Call]:
    """The calls in the text of ``/.meta/frames``.

    :raises ValueError: if that is not understood.
    """
    calls: list[tuple[dict[str, str], list[dict[str, str]]]] = []
    is_whole = False
    for key, value in _members(text):
        is_whole = is_whole or key == "Call_Count"
        if key == "Frame":
            calls.append(({}, []))
        elif calls:
            fields, frames = calls[-1]
            if key == "Xlator":
                frames.append({})
            in_frame = frames and key in _OF_A_FRAME
            (frames[-1] if in_frame else fields)[key] = value
    if not is_whole:
        raise ValueError("its end is missing")
    return [_call(fields, frames) for fields, frames in calls]


_OF_A_FRAME = ("Xlator", "Creation_time", "Parent", "Wind_to", "Complete")


def _call(fields: dict[str, str], frames: Iterable[dict[str, str]]) -> Call:
    way = tuple(map(_frame, frames))[::-1]
    operation = fields.get("Type", "NULL")
    if operation == "NULL":  # as with all of libgfapi's own
        functions = (re.search(r"fops->(\w+)$", frame.function or "") for frame in way)
        operation = next((found[1].upper() for found in functions if found), operation)
    return Call(
        operation,
        int(fields.get("UID", "0")) & 0xFFFFFFFF,  # they are printed with a sign
        int(fields.get("GID", "0")) & 0xFFFFFFFF,
        fields.get("LK_owner", ""),
        int(fields.get("Unique", "0")),
        way,
    )


def _frame(fields: dict[str, str]) -> Frame:
    created = fields.get("Creation_time")
    return Frame(
        fields["Xlator"],
        fields.get("Parent"),
        fields.get("Wind_to"),
        fields.get("Complete", "0") != "0",
        None if created is None else float(created),
    )


def sections_in(text: str) -> Sections:
    """The sections, headed by ``[name]``, of lines ``key = value``."""
    sections: Sections = {}
    for line in text.split("\n"):
        if line.startswith("[") and line.endswith("]"):
            values = sections.setdefault(line[1:-1], {})
        elif sections:
            key, is_pair, value = line.partition(" = ")
            if is_pair:
                values[key] = value
    return sections


def latencies_in(text: str) -> list[Latency]:
    """The latencies in the text of a translator's ``profile``.

    :raises ValueError: if that is not understood.
    """
    found = []
    for title, values in sections_in(text).items():
        translator = title.removesuffix(".latency")
        for key, value in values.items():
            match = _LATENCY.fullmatch(value)
            if match is None:
                raise ValueError(f"{key} = {value}")
            count, total, least, most = map(int, match.groups())
            operation = key.rpartition(".")[2]
            seconds = total * _NANO, least * _NANO, most * _NANO
            if count:
                found.append(Latency(translator, operation, count, *seconds))
    return found


def graph_in(volfile: str) -> Translator:
    """The graph that the text of a volfile describes.

    :param volfile: the text (str), as :meth:`Volume.get_volfile
        <gluster.gfapi.Volume.get_volfile>` returns it.
    :returns: the :class:`Translator` at the top.
    :raises ValueError: if it describes none.
    """
    _check_text("volfile", volfile)
    known: dict[str, Translator] = {}
    current = None
    for number, line in enumerate(volfile.split("\n"), 1):
        word, _, rest = line.strip().partition(" ")
        if word == "volume":
            current = Translator(rest.strip())
        elif current is None:
            continue
        elif word == "type":
            current.type = rest.strip()
        elif word == "option":
            key, _, value = rest.strip().partition(" ")
            current.options[key] = value.strip()
        elif word == "subvolumes":
            missing = [name for name in rest.split() if name not in known]
            if missing:
                raise ValueError(f"line {number}: there is no volume {missing[0]!r} above")
            current.subvolumes = tuple(known[name] for name in rest.split())
        elif word == "end-volume":
            top = known[current.name] = current
            current = None
    if not known or current is not None:
        raise ValueError("there is no volume in it, or one without an end")
    return top
