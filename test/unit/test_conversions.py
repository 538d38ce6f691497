"""What the package makes of its arguments before any C is called."""

from __future__ import annotations

import array
import ctypes
import errno
import inspect
import io
import mmap
import os
import pathlib
import pickle
import socket
import sys
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, xattr
from gluster.gfapi.api import parameters
from gluster.gfapi.arguments import flags_of, timespecs
from gluster.gfapi.servers import Server
from gluster.gfapi.tree import errors_name


class Index:
    """An integer that is no int, as NumPy's are."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


class PathOfBytes:
    def __fspath__(self) -> bytes:
        return b"/of/bytes"


class Text(str):
    """A str that is not exactly one."""


# ------------------------------------------------------------------------------ names and paths


@pytest.mark.parametrize("encode", [api.encode, api.encode_path])
@pytest.mark.parametrize(
    ("given", "raw"),
    [
        ("/a", b"/a"),
        (b"/a\xff", b"/a\xff"),
        ("/\u20ac", "/\u20ac".encode()),
        ("/\udcff", b"/\xff"),
        (Text("/t"), b"/t"),
        (pathlib.PurePosixPath("/a/b"), b"/a/b"),
        (PathOfBytes(), b"/of/bytes"),
    ],
)
def test_a_path_is_encoded_as_the_file_system_has_it(
    encode: Callable[[Any], bytes], given: Any, raw: bytes
) -> None:
    assert encode(given) == raw


@pytest.mark.parametrize("encode", [api.encode, api.encode_path])
@pytest.mark.parametrize("given", ["a\0b", b"a\0b", "\0", pathlib.PurePosixPath("a\0")])
def test_a_nul_in_a_path_is_a_value_error(encode: Callable[[Any], bytes], given: Any) -> None:
    with pytest.raises(ValueError, match="null byte"):
        encode(given)


@pytest.mark.parametrize("encode", [api.encode, api.encode_path])
@pytest.mark.parametrize("given", [None, 5, 1.5, ["/a"], bytearray(b"/a"), memoryview(b"/a")])
def test_what_is_no_path_is_a_type_error(encode: Callable[[Any], bytes], given: Any) -> None:
    with pytest.raises(TypeError):
        encode(given)


def test_text_that_no_encoding_has_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        api.encode("\ud800")


@pytest.mark.parametrize("given", ["", b""])
def test_an_empty_path_does_not_exist_while_an_empty_name_may(given: Any) -> None:
    assert api.encode(given) == b""
    with pytest.raises(FileNotFoundError) as caught:
        api.encode_path(given)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, given)


def test_none_is_null_only_where_c_allows_it() -> None:
    assert parameters.text_or_null.convert is not None
    assert parameters.text_or_null.convert(None) is None
    assert parameters.text_or_null.convert("x") == b"x"


# ------------------------------------------------------------------------------------- integers

RANGES = {
    "int_": (-(1 << 31), (1 << 31) - 1),
    "mode": (0, (1 << 32) - 1),
    "uid": (0, (1 << 32) - 1),
    "gid": (0, (1 << 32) - 1),
    "owner": (-1, (1 << 32) - 1),
    "device": (0, (1 << 64) - 1),
    "offset": (-(1 << 63), (1 << 63) - 1),
    "length": (0, (1 << 63) - 1),
}


@pytest.fixture(params=RANGES)
def checked(request: pytest.FixtureRequest) -> tuple[Callable[[Any], int], int, int]:
    """A check of integers, and the lowest and highest that it lets pass."""
    return getattr(parameters, request.param).convert, *RANGES[request.param]


def test_integers_that_fit_pass_to_the_last(checked: Any) -> None:
    check, low, high = checked
    for number in (low, 0, 1, high):
        assert check(number) == number
        assert check(Index(number)) == number
    assert check(True) == 1


def test_integers_that_do_not_fit_are_not_cut_off(checked: Any) -> None:
    check, low, high = checked
    for number in (low - 1, high + 1, 1 << 70, -1 << 70):
        for value in (number, Index(number)):
            with pytest.raises(OverflowError, match=str(number)):
                check(value)


def test_what_is_no_integer_is_a_type_error(checked: Any) -> None:
    check, _, _ = checked
    for value in (None, 1.0, "1", b"1", Decimal(1)):
        with pytest.raises(TypeError):
            check(value)


# --------------------------------------------------------------------------------------- memory

address_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(lambda pointer: pointer)


def address_in(exporter: Any) -> int:
    """Where a writable buffer really lies."""
    return ctypes.addressof(ctypes.c_char.from_buffer(exporter))


WRITABLE_BUFFERS = [
    bytearray(b"0123456789"),
    memoryview(bytearray(b"0123456789")),
    memoryview(bytearray(b"0123456789"))[3:7],
    memoryview(bytearray(24)).cast("Q"),
    memoryview(bytearray(24)).cast("B", (2, 3, 4)),
    array.array("d", [1.5, 2.5]),
    ctypes.create_string_buffer(b"0123456789"),
    (ctypes.c_uint32 * 4)(1, 2, 3, 4),
    mmap.mmap(-1, 100),
]


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("data", WRITABLE_BUFFERS, ids=lambda data: type(data).__name__)
def test_c_is_given_the_very_memory_of_a_writable_buffer(data: Any, writable: bool) -> None:
    memory, size = api.memory(data, writable)
    assert size == memoryview(data).nbytes
    assert address_of(memory) == address_in(data)


def test_what_c_writes_is_in_the_buffer() -> None:
    data = array.array("H", [0, 0, 0])
    memory, size = api.memory(data, writable=True)
    ctypes.memset(memory, 0xFF, size - 2)
    assert data.tolist() == [0xFFFF, 0xFFFF, 0]


def test_c_is_given_the_very_memory_of_a_bytes_object() -> None:
    data = b"0123456789"
    memory, size = api.memory(data)
    assert size == 10
    assert address_of(memory) == ctypes.cast(data, ctypes.c_void_p).value


@pytest.mark.parametrize("start", [0, 3])
def test_c_is_given_the_very_memory_of_a_read_only_view(start: int) -> None:
    data = b"0123456789"
    memory, size = api.memory(memoryview(data)[start:])
    address = ctypes.cast(data, ctypes.c_void_p).value
    assert address is not None
    assert address_of(memory) == address + start
    assert size == 10 - start


def test_read_only_buffers_of_any_format_can_be_read() -> None:
    views = [
        memoryview(array.array("i", [1, 2, 3])).toreadonly(),
        memoryview(bytes(24)).cast("d", (3, 1)),
    ]
    for view in views:
        memory, size = api.memory(view)
        assert ctypes.string_at(address_of(memory), size) == view.tobytes()


def test_a_read_only_mmap_can_be_read(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as map_:
        memory, size = api.memory(map_)
        assert ctypes.string_at(address_of(memory), size) == b"content"
        del memory


@pytest.mark.parametrize("data", [b"x", memoryview(b"x"), memoryview(bytearray(b"x")).toreadonly()])
def test_a_read_only_buffer_is_not_written_to(data: Any) -> None:
    with pytest.raises(TypeError, match=f"writable buffer is required, not '{type(data).__name__}"):
        api.memory(data, writable=True)


@pytest.mark.parametrize("writable", [False, True])
def test_a_buffer_with_gaps_is_refused(writable: bool) -> None:
    table = memoryview(bytearray(12)).cast("B", (3, 4))
    for view in (memoryview(bytearray(10))[::2], memoryview(bytearray(10))[::-1], table[::2]):
        for given in (view, view.toreadonly()):
            with pytest.raises(TypeError, match="a contiguous buffer is required"):
                api.memory(given, writable)


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("data", [None, 5, "text", [1, 2], object()])
def test_what_is_no_buffer_is_a_type_error(data: Any, writable: bool) -> None:
    with pytest.raises(TypeError):
        api.memory(data, writable)


@pytest.mark.parametrize(
    "data", [bytearray(), memoryview(bytearray(5))[5:], array.array("i"), memoryview(b"")]
)
def test_an_empty_buffer_is_null(data: Any) -> None:
    assert api.memory(data) == (None, 0)


def test_a_buffer_cannot_be_resized_while_c_may_use_it() -> None:
    for data in (bytearray(100), array.array("b", bytes(100))):
        memory, _ = api.memory(data)
        with pytest.raises(BufferError):
            data.extend(b"more")
        del memory
        data.extend(b"more")


def test_a_read_only_view_keeps_the_buffer_below_it_in_place() -> None:
    data = bytearray(100)
    memory, _ = api.memory(memoryview(data).toreadonly())
    with pytest.raises(BufferError):
        data.clear()
    del memory
    data.clear()


def test_memory_outlives_the_name_of_its_buffer() -> None:
    memory, size = api.memory(memoryview(bytes(range(256)) * 64))
    junk = [bytes(16384) for _ in range(64)]
    assert ctypes.string_at(address_of(memory), size) == bytes(range(256)) * 64
    del junk


@pytest.mark.parametrize(
    "make",
    [lambda: memoryview(b"x" * 50), lambda: bytearray(50), lambda: b"x" * 50],
    ids=["memoryview", "bytearray", "bytes"],
)
def test_memory_holds_nothing_back_when_it_is_dropped(make: Callable[[], Any]) -> None:
    data = make()
    before = sys.getrefcount(data)
    for _ in range(10):
        api.memory(data)
    assert sys.getrefcount(data) == before


def test_fresh_bytes_are_of_the_size_asked_for_and_nobody_elses() -> None:
    one, other = api.new_bytes(1000), api.new_bytes(1000)
    assert type(one) is bytes
    assert len(one) == 1000
    assert one is not other


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("text", b"text"),
        ("\udcff\u20ac", b"\xff\xe2\x82\xac"),
        (b"a\0b", b"a\0b"),
        (bytearray(b"x"), b"x"),
    ],
)
def test_an_attributes_value_is_text_or_a_buffer(value: Any, raw: bytes) -> None:
    memory, size = xattr.encode(value)
    assert ctypes.string_at(address_of(memory), size) == raw


# ---------------------------------------------------------------------------------------- times


def nanoseconds(times: Any = None, ns: Any = None) -> list[int]:
    return [timespec.ns for timespec in timespecs(times, ns)]


def test_no_times_are_now() -> None:
    before = time.time_ns()
    access, modification = nanoseconds()
    assert before <= access == modification <= time.time_ns()


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((1, 2), [1_000_000_000, 2_000_000_000]),
        ((1.5, -1.5), [1_500_000_000, -1_500_000_000]),
        ((0.0, -0.25), [0, -250_000_000]),
        ((Fraction(3, 2), Decimal("2.25")), [1_500_000_000, 2_250_000_000]),
        ((True, 1 << 40), [1_000_000_000, (1 << 40) * 1_000_000_000]),
    ],
)
def test_times_are_in_seconds(times: Any, expected: list[int]) -> None:
    assert nanoseconds(times) == expected


def test_times_are_rounded_as_os_utime_does(tmp_path: pathlib.Path) -> None:
    for seconds in (1e-9, 1_700_000_000.123456789, 0.1, 2.7, -0.3, 4e9 + 0.7, 1e-10, -1e-10):
        os.utime(tmp_path, (seconds, seconds))
        assert nanoseconds((seconds, seconds))[1] == os.stat(tmp_path).st_mtime_ns


def test_times_in_nanoseconds_are_kept_to_the_last() -> None:
    times = (1_700_000_000_123_456_789, -1)
    assert nanoseconds(ns=times) == list(times)
    assert nanoseconds(ns=(Index(5), 6)) == [5, 6]


@pytest.mark.parametrize("given", [[1, 2], (1,), (1, 2, 3), 5, "12", {1: 2}])
def test_times_are_a_tuple_of_two(given: Any) -> None:
    for arguments in ({"times": given}, {"ns": given}):
        with pytest.raises(TypeError, match="tuple of two numbers"):
            nanoseconds(**arguments)


@pytest.mark.parametrize("times", [("1", 2), (1, None), (b"1", 2)])
def test_times_are_numbers(times: Any) -> None:
    with pytest.raises(TypeError):
        nanoseconds(times)


@pytest.mark.parametrize("ns", [(1.0, 2), ("1", 2), (None, 2)])
def test_nanoseconds_are_integers(ns: Any) -> None:
    with pytest.raises(TypeError):
        nanoseconds(ns=ns)


def test_times_and_ns_together_are_a_value_error() -> None:
    with pytest.raises(ValueError, match="not both"):
        nanoseconds((1, 2), (1, 2))


@pytest.mark.parametrize("seconds", [float("inf"), 1e300, 1 << 63])
def test_times_that_no_clock_has_are_refused(seconds: Any) -> None:
    with pytest.raises(OverflowError):
        nanoseconds((seconds, 0))


def test_not_a_number_is_no_time() -> None:
    with pytest.raises(ValueError, match="NaN"):
        nanoseconds((float("nan"), 0))


# -------------------------------------------------------------------------------- modes of fopen


@pytest.mark.parametrize(
    ("mode", "flags"),
    [
        ("r", os.O_RDONLY),
        ("r+", os.O_RDWR),
        ("w", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ("w+", os.O_RDWR | os.O_CREAT | os.O_TRUNC),
        ("a", os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ("a+", os.O_RDWR | os.O_CREAT | os.O_APPEND),
        ("x", os.O_WRONLY | os.O_CREAT | os.O_EXCL),
        ("x+", os.O_RDWR | os.O_CREAT | os.O_EXCL),
    ],
)
def test_a_mode_has_the_flags_that_python_opens_files_with(mode: str, flags: int) -> None:
    for spelled in {mode, mode + "b", mode[0] + "b" + mode[1:]}:
        assert flags_of(spelled) == flags


@pytest.mark.parametrize(
    "mode",
    ["", "b", "+", "rw", "rt", "r++", "rbb", "r+b+", "br", "+r", "U", "R", "r ", "r\n", "w,"],
)
def test_a_mode_that_is_none_is_a_value_error(mode: str) -> None:
    with pytest.raises(ValueError, match="mode is"):
        flags_of(mode)


@pytest.mark.parametrize("mode", [None, b"r", 0, ["r"]])
def test_a_mode_that_is_no_str_is_a_type_error(mode: Any) -> None:
    with pytest.raises(TypeError, match="mode must be a str"):
        flags_of(mode)


# ----------------------------------------------------------------------- the constructor of Volume


def test_a_volume_remembers_what_it_was_given() -> None:
    vol = gfapi.Volume(["h1", "h2"], "name", "rdma", 5, pathlib.Path("/log"), 3)
    assert (vol.volname, vol.protocol, vol.port) == ("name", "rdma", 5)
    assert (list(vol.hosts), vol.log_file, vol.log_level) == (["h1", "h2"], "/log", 3)
    assert not vol.mounted


def test_a_volume_has_the_defaults_of_the_reference() -> None:
    vol = gfapi.Volume("host", "name")
    assert (vol.protocol, vol.port, vol.log_file, vol.log_level) == ("tcp", 24007, "/dev/null", 7)
    assert list(vol.hosts) == ["host"]


BAD_ARGUMENTS = {
    "host": {"hosts": [None, "", [], (), [None], ["h", ""], ["h", 5], 5, b"host"]},
    "volname": {"volname": [None, "", 5, b"name", ["name"]]},
    "proto": {"proto": [None, "", "udp", "TCP", 5, b"tcp", ["tcp"]]},
    "port": {"port": [None, "24007", 1.0, -1, 65536, True, Index(24007)]},
    "log_file": {"log_file": ["", 5, ["/log"]]},
    "log_level": {"log_level": [None, "7", 1.0, -1, 10, True]},
}


@pytest.mark.parametrize(
    ("named", "argument", "value"),
    [
        (named, argument, value)
        for named, given in BAD_ARGUMENTS.items()
        for argument, values in given.items()
        for value in values
    ],
)
def test_a_bad_argument_is_named_with_its_value(named: str, argument: str, value: Any) -> None:
    good: dict[str, Any] = {"hosts": "host", "volname": "name"}
    with pytest.raises(gfapi.LibgfapiException, match=named) as caught:
        gfapi.Volume(**{**good, argument: value})
    culprit = value[-1] if named == "host" and isinstance(value, list) and value else value
    assert repr(culprit) in str(caught.value)
    assert caught.value.errno is None


@pytest.mark.parametrize("arguments", [("h\0", "name"), ("host", "n\0"), (["host", "\0"], "name")])
def test_a_nul_in_an_argument_is_a_value_error(arguments: Any) -> None:
    with pytest.raises(ValueError, match="null byte"):
        gfapi.Volume(*arguments)


def test_logging_that_is_no_logging_is_refused_before_the_mount_too() -> None:
    vol = gfapi.Volume("host", "name")
    for arguments in (("", 7), (5, 7), ("/log", 10), ("/log", "7")):
        with pytest.raises(gfapi.LibgfapiException):
            vol.set_logging(*arguments)
    assert (vol.log_file, vol.log_level) == ("/dev/null", 7)


def test_logging_is_kept_for_the_mount() -> None:
    vol = gfapi.Volume("host", "name")
    vol.set_logging(b"/log", 9)
    assert (vol.log_file, vol.log_level) == ("/log", 9)
    vol.set_logging(None, 0)
    assert (vol.log_file, vol.log_level) == (None, 0)
    vol.disable_logging()
    assert vol.log_file == "/dev/null"


def test_a_host_that_is_a_path_is_a_socket() -> None:
    vol = gfapi.Volume(["host", "/run/gd.sock"], "name", port=5)
    assert vol._servers == [Server("tcp", "host", 5), Server("unix", "/run/gd.sock", 0)]
    assert gfapi.Volume("gd.sock", "name", "unix")._servers == [Server("unix", "gd.sock", 0)]


def test_a_server_answers_or_does_not(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert Server("tcp", "127.0.0.1", port).answers()
    assert not Server("tcp", "127.0.0.1", port).answers()
    name = str(tmp_path / "s")
    assert not Server("unix", name, 0).answers()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen()
        assert Server("unix", name, 0).answers()


# ------------------------------------------------------------------------------ a Volume at rest

# What can be done with a Volume that is not mounted.
NEED_NO_MOUNT = {
    "add_server",
    "copyfileobj",
    "disable_logging",
    "from_url",
    "log_to",
    "mount",
    "remove_server",
    "set_logging",
    "umount",
}
ARGUMENTS = {
    "acl": "u::rw,g::r,o::-",
    "command": "s",
    "count": 1,
    "directory": "/directory",
    "dst": "/dst",
    "fd": 1,
    "flags": os.O_RDWR | os.O_CREAT,
    "gfid": b"0123456789abcdef",
    "gid": 0,
    "groups": [0],
    "key": "user.x",
    "length": 0,
    "lease_id": None,
    "link_name": "/link",
    "mode": 0o644,
    "new": "/new",
    "old": "/old",
    "path": "/path",
    "path1": "/one",
    "path2": "/two",
    "source": "/source",
    "src": "/src",
    "top": "/top",
    "uid": 0,
    "value": b"value",
}


def methods() -> list[str]:
    found = inspect.getmembers(gfapi.Volume, callable)
    return [name for name, _ in found if not name.startswith("_")]


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table with functions that must never be called."""

    def call(*arguments: Any) -> None:
        pytest.fail("a call reached C")

    for name, row in api.TABLE.items():
        monkeypatch.setitem(vars(api), name, api.wrap(row, call))


def test_the_methods_that_need_no_mount_are_there() -> None:
    assert set(methods()) >= NEED_NO_MOUNT
    assert len(methods()) > 50


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize("name", sorted(set(methods()) - NEED_NO_MOUNT))
def test_each_method_of_an_unmounted_volume_says_so(name: str) -> None:
    method = getattr(gfapi.Volume("host", "name"), name)
    required = [
        parameter.name
        for parameter in inspect.signature(method).parameters.values()
        if parameter.default is parameter.empty
    ]
    with pytest.raises(gfapi.VolumeNotMounted, match="not mounted"):  # noqa: PT012
        result = method(*[ARGUMENTS[name] for name in required])
        if inspect.isgenerator(result):
            next(result)


def test_unmounting_what_is_not_mounted_is_harmless() -> None:
    vol = gfapi.Volume("host", "name")
    vol.umount()
    vol.umount()
    assert not vol.mounted


def test_copyfileobj_needs_no_volume() -> None:
    source, target = io.BytesIO(b"0123456789"), io.BytesIO()
    source.seek(2)
    gfapi.Volume.copyfileobj(source, target, 3)
    assert target.getvalue() == b"23456789"


def test_a_volume_says_what_it_is() -> None:
    assert repr(gfapi.Volume("host", "name")) == (
        "<gluster.gfapi.Volume 'name' on host (not mounted)>"
    )
    assert "on h1, h2 (" in repr(gfapi.Volume(["h1", "h2"], "name"))


@pytest.mark.parametrize(
    ("fd", "problem"), [(None, TypeError), ("5", TypeError), (12345, OSError), (0, OSError)]
)
def test_a_file_is_made_of_an_open_glfd_only(fd: Any, problem: type[Exception]) -> None:
    with pytest.raises(problem) as caught:
        gfapi.File(fd)
    if isinstance(caught.value, OSError):
        assert caught.value.errno == errno.EBADF


# ----------------------------------------------------------------------------------- exceptions


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_exceptions_survive_pickling(protocol: int) -> None:
    """They cross to other processes with multiprocessing and concurrent.futures."""
    for kind in (gfapi.LibgfapiException, gfapi.VolumeNotMounted):
        for arguments in (("message",), ("message", errno.ENOENT)):
            error = kind(*arguments)
            copied = pickle.loads(pickle.dumps(error, protocol))
            assert type(copied) is kind
            assert (str(copied), copied.errno) == (str(error), error.errno)
    problems = [("/a", "/b", "why")]
    copied = pickle.loads(pickle.dumps(gfapi.Error(problems), protocol))
    assert type(copied) is gfapi.Error
    assert copied.args == (problems,)


def test_the_exceptions_have_the_bases_that_the_reference_says() -> None:
    assert issubclass(gfapi.VolumeNotMounted, gfapi.LibgfapiException)
    assert not issubclass(gfapi.LibgfapiException, OSError)
    assert issubclass(gfapi.Error, OSError)


def test_an_error_of_c_survives_pickling_with_both_names() -> None:
    ctypes.set_errno(errno.EXDEV)
    error = api.failure("/a", pathlib.PurePosixPath("/b"))
    copied = pickle.loads(pickle.dumps(error))
    assert (copied.errno, copied.filename, copied.filename2) == (errno.EXDEV, "/a", "/b")


def test_an_error_without_an_errno_is_an_input_output_error() -> None:
    ctypes.set_errno(0)
    assert api.failure().errno == errno.EIO


# -------------------------------------------------------------------------------- what is public


def test_every_public_name_is_there_and_has_a_docstring() -> None:
    for name in gfapi.__all__:
        assert inspect.getdoc(getattr(gfapi, name))
    assert gfapi.__version__.startswith("2.")


@pytest.mark.parametrize("kind", [gfapi.Volume, gfapi.File, gfapi.Dir, gfapi.DirEntry])
def test_every_public_method_has_a_docstring(kind: type) -> None:
    public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
    missing = [
        name
        for name, member in public.items()
        if (callable(member) or isinstance(member, (property, classmethod)))
        and not inspect.getdoc(member)
    ]
    assert missing == []


def test_an_error_of_a_call_inside_a_tree_names_one_path_and_no_other() -> None:
    with pytest.raises(FileExistsError) as caught, errors_name("/tree/file"):
        raise OSError(errno.EEXIST, "File exists", "file", None, "other")
    assert str(caught.value) == f"[Errno {errno.EEXIST}] File exists: '/tree/file'"
