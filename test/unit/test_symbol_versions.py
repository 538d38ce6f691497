"""The binding on a stub libgfapi that writes down which function was called, and with what."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster.gfapi import api
from gluster.gfapi.api import loader

SOURCE = Path(__file__).with_name("stub.c")
VERSIONS = ("3.4.0", "3.5.0", "6.0", "99.0")
# What a mount of the program below does.
MOUNT = [
    "glfs_new vol",
    "glfs_set_volfile_server FS tcp host 24007",
    "glfs_set_logging FS /dev/null 7",
    "glfs_init FS",
]
START = """
import os, pathlib
from gluster import gfapi
from gluster.gfapi import api
vol = gfapi.Volume("host", "vol")
vol.mount()
"""
GIB = 1 << 30

Run = Callable[..., tuple[Any, list[str]]]


@pytest.fixture(scope="session")
def build(
    shared: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """A function that compiles a variant of the stub, once, and returns its path."""
    built: dict[str, str] = {}

    def compile_variant(variant: str) -> str:
        if variant not in built:
            known = VERSIONS[: {"OLD": 2, "SIX": 3, "NEW": 4}[variant]]
            folder = tmp_path_factory.mktemp(variant)
            built[variant] = shared(SOURCE, folder, known, f"-D{variant}")
        return built[variant]

    return compile_variant


@pytest.fixture
def run(build: Callable[[str], str], python: Callable[..., Any], tmp_path: Path) -> Run:
    """A function that runs a program on a variant of the stub: what it told, and the diary."""

    def run_program(program: str, variant: str = "NEW") -> tuple[Any, list[str]]:
        diary = tmp_path / "diary"
        diary.touch()
        told = python(program, GFAPI_LIBRARY=build(variant), STUB_DIARY=str(diary))
        lines = diary.read_text(errors="surrogateescape").splitlines()
        return told, [line for line in lines if line not in MOUNT]

    return run_program


# ---------------------------------------------------------------------------- the right version


@pytest.mark.parametrize("variant", ["SIX", "NEW"])
def test_the_version_of_the_table_is_called_whatever_the_default_is(run: Run, variant: str) -> None:
    _, calls = run(START + "with vol.fopen('/f', 'w') as f: f.fsync()\n", variant)
    assert calls[1:] == ["glfs_fsync@GFAPI_6.0 FD NULL NULL", "glfs_close FD"]


def test_a_plain_look_up_would_have_taken_the_newest(
    build: Callable[[str], str], sanitizer: dict[str, str]
) -> None:
    """So the test above does prove something."""
    if sanitizer:
        pytest.skip("AddressSanitizer is not in this process")
    import ctypes

    library = ctypes.CDLL(build("NEW"))
    newest = ctypes.cast(library.glfs_fsync, ctypes.c_void_p).value
    assert newest == api.symbol(library, "glfs_fsync", "99.0")
    addresses = {api.symbol(library, "glfs_fsync", v) for v in ("3.4.0", "6.0", "99.0")}
    assert len(addresses) == 3
    assert None not in addresses


def test_without_dlvsym_the_plain_look_up_has_to_do(run: Run) -> None:
    program = """
import ctypes
from gluster.gfapi import api
class NoVersions(ctypes.CDLL):
    def __getattr__(self, name):
        if name == "dlvsym":
            raise AttributeError(name)
        return super().__getattr__(name)
ctypes.CDLL = NoVersions
"""
    program += START
    program += "tell([api.available(name) for name in ('glfs_stat', 'glfs_statvfs')])\n"
    program += "with vol.fopen('/f', 'w') as f: f.fsync()\n"
    told, calls = run(program, "SIX")
    assert told == [True, False]
    assert calls[1:] == ["glfs_fsync@GFAPI_6.0 FD NULL NULL", "glfs_close FD"]


# ------------------------------------------------------------------------- the right arguments


def test_a_mount_says_where_to_connect_and_where_to_log(run: Run) -> None:
    program = """
from gluster import gfapi
vol = gfapi.Volume(["one", "two"], "other", port=5, log_file="/log", log_level=9)
vol.mount()
two = gfapi.Volume("/run/socket", "second")
two.mount()
three = gfapi.Volume("one", "third", "rdma", log_file=None)
three.mount()
"""
    _, calls = run(program)
    assert calls == [
        "glfs_new other",
        "glfs_set_volfile_server FS tcp one 5",
        "glfs_set_volfile_server FS tcp two 5",
        "glfs_set_logging FS /log 9",
        "glfs_new second",
        "glfs_set_volfile_server FS unix /run/socket 0",
        "glfs_new third",
        "glfs_set_volfile_server FS rdma one 24007",
        "glfs_set_logging FS NULL 7",
    ]


def test_offsets_and_lengths_past_eight_gib_arrive_whole(run: Run) -> None:
    program = """
with vol.fopen('/f', 'r+') as f:
    tell([f.lseek((9 << 30) + 1, os.SEEK_SET), f.seek((1 << 63) - 1)])
    f.ftruncate((10 << 30) + 2)
    f.fallocate(1, (11 << 30) + 3, (12 << 30) + 4)
    f.discard((13 << 30) + 5, (14 << 30) + 6)
    f.zerofill((15 << 30) + 7, (16 << 30) + 8)
"""
    told, calls = run(START + program)
    assert told == [9 * GIB + 1, (1 << 63) - 1]
    assert calls[1:-1] == [
        f"glfs_lseek FD {9 * GIB + 1} {os.SEEK_SET}",
        f"glfs_lseek FD {(1 << 63) - 1} {os.SEEK_SET}",
        f"glfs_ftruncate@GFAPI_6.0 FD {10 * GIB + 2} NULL NULL",
        f"glfs_fallocate FD 1 {11 * GIB + 3} {12 * GIB + 4}",
        f"glfs_discard FD {13 * GIB + 5} {14 * GIB + 6}",
        f"glfs_zerofill FD {15 * GIB + 7} {16 * GIB + 8}",
    ]


def test_unsigned_numbers_and_minus_one_arrive_whole(run: Run) -> None:
    program = """
vol.chown('/f', -1, 0xfffffffe)
vol.mknod('/d', 0o60600, (1 << 63) + 5)
vol.chmod('/f', 0o7777)
vol.open('/f', os.O_RDWR | os.O_CREAT, 0o640)
"""
    _, calls = run(START + program)
    assert calls[:4] == [
        "glfs_chown FS /f 4294967295 4294967294",
        f"glfs_mknod FS /d 60600 {(1 << 63) + 5}",
        "glfs_chmod FS /f 7777",
        f"glfs_creat FS /f {os.O_RDWR | os.O_CREAT | os.O_EXCL} 640",
    ]


def test_what_does_not_fit_never_reaches_c(run: Run) -> None:
    program = """
from gluster.gfapi.gate import Gate
gate = Gate(0)
tell([
    error_of(api.glfs_lseek, gate, 1 << 63, 0)[0],
    error_of(api.glfs_lseek, gate, 0, 1 << 31)[0],
    error_of(api.glfs_discard, gate, 0, -1)[0],
    error_of(vol.chown, '/f', -2, 0)[0],
    error_of(vol.chown, '/f', 1 << 32, 0)[0],
    error_of(vol.chmod, '/f', -1)[0],
    error_of(vol.chmod, '/f', 4.0)[0],
    error_of(vol.mknod, '/f', 0, -1)[0],
    error_of(vol.chmod, 'a\\0b', 0)[0],
    error_of(vol.rename, 'a', b'b\\0')[0],
    error_of(vol.chmod, '', 0)[0],
    error_of(vol.chmod, 5, 0)[0],
])
"""
    told, calls = run(START + program)
    assert told == [
        *["OverflowError"] * 6,
        "TypeError",
        "OverflowError",
        *["ValueError"] * 2,
        "FileNotFoundError",
        "TypeError",
    ]
    assert calls == []


def test_none_is_null(run: Run) -> None:
    program = """
from gluster.gfapi.gate import Gate
api.glfs_utimens(Gate(0), '/f', None)
vol.setxattr('/f', 'user.empty', bytearray())
vol.setxattr('/f', 'user.full', bytearray(b'xy'), 2)
"""
    _, calls = run(START + program)
    assert calls == [
        "glfs_utimens NULL /f NULL",
        "glfs_setxattr FS /f user.empty NULL 0 0",
        "glfs_setxattr FS /f user.full address 2 2",
    ]


def test_times_arrive_to_the_nanosecond(run: Run) -> None:
    program = """
vol.utime('/f', (1.5, -0.25))
vol.utime('/f', ns=(1_700_000_000_123_456_789, -1))
"""
    _, calls = run(START + program)
    assert calls == [
        "glfs_utimens FS /f 1.500000000 -1.750000000",
        "glfs_utimens FS /f 1700000000.123456789 -1.999999999",
    ]


def test_paths_of_each_kind_arrive_as_their_bytes(run: Run) -> None:
    program = """
api.glfs_rename(vol._mount, '\\udcff\\u20ac', b'\\xfe')
api.glfs_rename(vol._mount, pathlib.Path('/a/b'), pathlib.Path('c'))
"""
    _, calls = run(START + program)
    ours, theirs = os.fsdecode(b"\xff\xe2\x82\xac"), os.fsdecode(b"\xfe")
    assert [os.fsencode(call) for call in calls] == [
        os.fsencode(f"glfs_rename FS {ours} {theirs}"),
        b"glfs_rename FS /a/b c",
    ]


# ------------------------------------------------------------------------------ what comes back


def test_a_structure_that_c_fills_is_read_as_c_meant_it(run: Run) -> None:
    program = """
s = vol.stat('/f')
names = 'ino mode nlink uid gid size blksize blocks atime_ns mtime_ns ctime_ns'.split()
tell([getattr(s, 'st_' + name) for name in names])
"""
    told, _ = run(START + program)
    numbers = [0xFEDCBA9876543210, 0o100640, 3, 4_000_000_000, 7, 9 << 40, 4096, 5 << 33]
    assert told == [*numbers, 1_000_000_011, -1_999_999_978, (3 << 33) * 10**9 + 33]


def test_a_directory_is_listed_to_its_end(run: Run) -> None:
    program = "tell([ascii(vol.listdir('/d')), ascii(vol.listdir(b'/d'))])"
    told, calls = run(START + program)
    assert told == [r"['plain', 'not \udcff utf-8']", r"[b'plain', b'not \xff utf-8']"]
    assert calls == ["glfs_opendir FS /d", "glfs_closedir FD"] * 2


def test_a_short_write_is_completed(run: Run) -> None:
    program = "with vol.fopen('/f', 'w') as f: tell(f.write(bytearray(b'0123456789' * 2 + b'abc')))"
    told, calls = run(START + program)
    assert told == 23
    assert calls[1:-1] == [
        "glfs_write FD 0123456789 23 0",
        "glfs_lseek FD -13 1",  # libgfapi goes on behind all that it was to write
        "glfs_write FD 0123456789 13 0",
        "glfs_lseek FD -3 1",
        "glfs_write FD abc 3 0",
    ]


def test_an_attribute_that_grows_meanwhile_is_asked_for_again(run: Run) -> None:
    told, calls = run(START + "tell(ascii(vol.getxattr('/f', b'user.x')))")
    assert told == ascii(b"\0\xff\0ab")
    sizes = [int(call.split()[-1]) for call in calls]
    assert sizes == [0, 3, 0, 4, 0, 5]


def test_a_negative_result_is_an_os_error_with_errno_and_path(run: Run) -> None:
    program = f"""
def report(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        names = [ascii(error.filename), ascii(error.filename2)]
        tell([type(error).__name__, error.errno, error.strerror, *names])
report(vol.chmod, '/errno/{errno.EACCES}', 0)
report(vol.chmod, b'/errno/{errno.ENODATA}', 0)
report(vol.chmod, pathlib.Path('/errno/{errno.ENOTDIR}'), 0)
report(api.glfs_rename, vol._mount, '/errno/{errno.ENOENT}', '/new')
report(api.glfs_rename, vol._mount, b'/errno/{errno.EXDEV}', b'/new')
report(vol.fopen, '/errno/{errno.EISDIR}')
report(vol.opendir, '/errno/{errno.EMFILE}')
report(api.glfs_lseek, Gate(0, '/open'), -1, 0)
report(vol.getcwd)
"""
    told, _ = run("from gluster.gfapi.gate import Gate" + START + program)
    expected = [
        ("PermissionError", errno.EACCES, f"'/errno/{errno.EACCES}'", "None"),
        ("OSError", errno.ENODATA, f"b'/errno/{errno.ENODATA}'", "None"),
        ("NotADirectoryError", errno.ENOTDIR, f"'/errno/{errno.ENOTDIR}'", "None"),
        ("FileNotFoundError", errno.ENOENT, f"'/errno/{errno.ENOENT}'", "'/new'"),
        ("OSError", errno.EXDEV, f"b'/errno/{errno.EXDEV}'", "b'/new'"),
        ("IsADirectoryError", errno.EISDIR, f"'/errno/{errno.EISDIR}'", "None"),
        ("OSError", errno.EMFILE, f"'/errno/{errno.EMFILE}'", "None"),
        ("OSError", errno.EINVAL, "'/open'", "None"),
        ("OSError", errno.ERANGE, "None", "None"),
    ]
    assert told == [[kind, code, os.strerror(code), *names] for kind, code, *names in expected]


def test_a_failure_that_sets_no_errno_does_not_show_that_of_an_earlier_one(run: Run) -> None:
    program = f"""
for path in '/errno/{errno.EACCES}', '/errno/0':
    try:
        vol.chmod(path, 0)
    except OSError as error:
        tell(error.errno)
"""
    told, _ = run(START + program)
    assert told == [errno.EACCES, errno.EIO]


def test_access_is_a_question_and_never_an_error(run: Run) -> None:
    told, _ = run(START + f"tell([vol.exists('/errno/{errno.ENOENT}'), vol.exists('/there')])")
    assert told == [False, True]


# ----------------------------------------------------------------------------------- the end


def test_the_end_of_the_process_closes_files_and_skips_the_slow_tear_down(run: Run) -> None:
    _, calls = run(START + "fd = vol.open('/f', os.O_RDWR)")
    assert calls == [f"glfs_open FS /f {os.O_RDWR}", "glfs_close FD"]


def test_the_tear_down_follows_an_unmount_in_the_background(run: Run) -> None:
    program = """
import time
from gluster.gfapi import ending
ending.FINI_DELAY = 0
vol.umount()
deadline = time.monotonic() + 10
diary = pathlib.Path(os.environ['STUB_DIARY'])
while 'glfs_fini FS' not in diary.read_text():
    assert time.monotonic() < deadline
    time.sleep(0.01)
"""
    _, calls = run(START + program)
    assert calls == ["glfs_fini FS"]


# ---------------------------------------------------------------------- what the library lacks


@pytest.mark.parametrize(
    ("name", "version"), [("glfs_get_volumeid", "3.5.0"), ("glfs_statvfs", "3.4.0")]
)
def test_a_missing_function_is_named_with_its_version(
    run: Run, build: Callable[[str], str], name: str, version: str
) -> None:
    """The stub has none of the first, and the second only in a version of the future."""
    program = f"""
from gluster.gfapi import api
tell(api.available({name!r}))
for again in range(2):
    tell(error_of(getattr, api, {name!r}))
"""
    told, calls = run(program)
    message = f"{name} needs GlusterFS {version} or later; {build('NEW')} lacks it"
    assert told == [False, *[["NotImplementedError", message]] * 2]
    assert calls == []


def test_a_missing_function_fails_the_method_that_needs_it_and_no_other(run: Run) -> None:
    program = "tell([error_of(vol.get_volume_id)[0], error_of(vol.chmod, '/f', 0)])"
    told, _ = run(START + program)
    assert told == ["NotImplementedError", None]


def test_a_function_is_made_once(run: Run) -> None:
    program = """
from gluster.gfapi import api
tell([api.available('glfs_stat'), api.glfs_stat is api.glfs_stat, api.glfs_stat.__name__])
"""
    told, _ = run(program)
    assert told == [True, True, "glfs_stat"]


def test_a_library_older_than_six_is_refused_with_its_version(
    run: Run, build: Callable[[str], str]
) -> None:
    program = """
from gluster import gfapi
from gluster.gfapi import api
tell(error_of(gfapi.Volume('host', 'vol').mount))
tell(error_of(api.available, 'glfs_stat'))
tell(error_of(getattr, api, 'glfs_stat'))
"""
    told, calls = run(program, "OLD")
    assert calls == []
    for kind, message in told:
        assert kind == "ImportError"
        assert message.startswith("gfapi needs GlusterFS 6 or later, ")
        assert build("OLD") in message
        assert "3.5.0" in message


# ------------------------------------------------------------------------------- no library


def assert_names_the_packages(told: list[str], cause: str) -> None:
    kind, message = told
    assert kind == "ImportError"
    assert message.startswith("cannot load libgfapi (")
    for part in (cause, "apt-get install", "glusterfs-common", "dnf install", "GFAPI_LIBRARY"):
        assert part in message


def test_without_libgfapi_only_the_first_use_fails(python: Callable[..., Any]) -> None:
    program = """
from gluster import gfapi
from gluster.gfapi import api
vol = gfapi.Volume('host', 'vol')
tell([repr(vol), repr(api.Dirent()), vol.mounted, hasattr(gfapi, 'glfs_new')])
vol.umount()
for again in range(2):
    tell(error_of(vol.mount))
tell(vol.mounted)
"""
    told = python(program, GFAPI_LIBRARY="/nonexistent.so")
    assert told[0][2:] == [False, False]
    assert_names_the_packages(told[1], "/nonexistent.so")
    assert told[1] == told[2]
    assert told[3] is False


def test_a_file_that_is_no_library_is_named(python: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "text.so"
    file.write_text("no ELF header here\n")
    program = "from gluster.gfapi import api; tell(error_of(api.library))"
    assert_names_the_packages(python(program, GFAPI_LIBRARY=str(file)), str(file))


@pytest.mark.parametrize(
    ("environment", "expected"), [({}, "libgfapi.so.0"), ({"GFAPI_LIBRARY": "other"}, "other")]
)
def test_the_environment_names_the_library(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    monkeypatch.delenv("GFAPI_LIBRARY", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(loader, "_loaded", None)
    monkeypatch.setattr(loader, "_load", lambda name: name)
    assert api.library() == expected


def test_the_documentation_of_every_name_can_be_read_without_libgfapi(
    python: Callable[..., Any],
) -> None:
    program = """
import inspect, pydoc
from gluster import gfapi
from gluster.gfapi import api
names = [name for name, _ in inspect.getmembers(api)]
tell(['Stat' in names, 'mount' in pydoc.render_doc(gfapi.Volume)])
"""
    assert python(program, GFAPI_LIBRARY="/nonexistent.so") == [True, True]


# ------------------------------------------------------------------------- what an import costs


def test_an_import_loads_no_library_and_nothing_that_is_rarely_needed(
    python: Callable[..., Any],
) -> None:
    program = """
before = set(sys.modules)
import gluster.gfapi
rare = {'asyncio', 'email', 'glob', 'hashlib', 'json', 'logging', 'subprocess', 'tempfile', 'uuid'}
rare.add('gluster.gfapi.sandbox')
loaded = rare & (set(sys.modules) - before)
with open('/proc/self/maps') as maps:
    tell([sorted(loaded), 'libgfapi' in maps.read()])
"""
    assert python(program) == [[], False]
