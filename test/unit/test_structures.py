"""The structures against the C compiler, on each machine that it can compile for.

Nothing is run: the compiler writes the numbers into its assembly.
"""

from __future__ import annotations

import ctypes
import os
import re
import stat as stat_module
import subprocess
from typing import Any, Callable

import pytest

from gluster.gfapi import api
from gluster.gfapi.api import parameters

MACHINES = sorted({os.uname().machine, "x86_64", "aarch64", "ppc64le", "riscv64", "s390x"})
GLFS_HEADERS = "/usr/include/glusterfs/api"
INCLUDES = (
    "dirent.h",
    "fcntl.h",
    "sys/stat.h",
    "sys/statvfs.h",
    "sys/types.h",
    "sys/uio.h",
    "time.h",
)
# The same on every machine; ``struct stat`` is not.
COMMON = {
    "timespec": api.Timespec,
    "statvfs": api.Statvfs,
    "dirent": api.Dirent,
    "iovec": api.Iovec,
    "flock": api.Flock,
}
# In libgfapi's own header, which is not installed everywhere.
GLFS = {"glfs_stat": api.GlfsStat, "glfs_lease": api.Lease}
STRUCTURES = ("stat", *COMMON, *GLFS)
TYPES = {
    "mode_t": parameters.mode.ctype,
    "uid_t": parameters.uid.ctype,
    "gid_t": parameters.gid.ctype,
    "dev_t": parameters.device.ctype,
    "off_t": parameters.offset.ctype,
    "size_t": parameters.length.ctype,
    "ssize_t": parameters.count.ctype,
    "time_t": dict(api.Timespec._fields_)["tv_sec"],
    "int": parameters.int_.ctype,
    "void *": parameters.buffer.ctype,
}


def members(structure: Any) -> list[tuple[str, Any]]:
    """The members that the C library has under the same names."""
    return [(name, ctype) for name, ctype in structure._fields_ if not name.startswith("__")]


def structures_of(machine: str) -> dict[str, Any]:
    def of_machine(fields: Callable[[str], Any]) -> Any:
        return type("Structure", (ctypes.Structure,), {"_fields_": fields(machine)})

    stats = {"stat": of_machine(api.stat_fields), "glfs_stat": of_machine(api.glfs_stat_fields)}
    return {**COMMON, **GLFS, **stats}


def is_declared(name: str) -> bool:
    return name not in GLFS or os.path.exists(f"{GLFS_HEADERS}/glfs.h")


def is_number(ctype: Any) -> bool:
    return issubclass(ctype, ctypes._SimpleCData) and ctype is not ctypes.c_void_p


def is_signed(ctype: Any) -> bool:
    return is_number(ctype) and ctype(-1).value < 0


def source(machine: str) -> str:
    questions = {}
    for name, structure in structures_of(machine).items():
        if not is_declared(name):
            continue
        questions[f"{name}:size"] = f"sizeof(struct {name})"
        for member, ctype in members(structure):
            place = f"((struct {name} *)0)->{member}"
            questions[f"{name}.{member}:offset"] = f"__builtin_offsetof(struct {name}, {member})"
            questions[f"{name}.{member}:size"] = f"sizeof({place})"
            if is_number(ctype):
                questions[f"{name}.{member}:signed"] = f"((__typeof__({place}))-1 < 0)"
    for name, ctype in TYPES.items():
        questions[f"{name}:size"] = f"sizeof({name})"
        if is_number(ctype):
            questions[f"{name}:signed"] = f"(({name})-1 < 0)"
    names = [*INCLUDES, "glfs.h"] if is_declared("glfs_stat") else INCLUDES
    includes = "".join(f"#include <{name}>\n" for name in names)
    lines = "".join(
        f'    __asm__("-> {key} = %0" : : "i"({value}));\n' for key, value in questions.items()
    )
    return f"#define _GNU_SOURCE\n{includes}void answer(void)\n{{\n{lines}}}\n"


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def answers(machine: str, compiler: Callable[..., str]) -> dict[str, int]:
    """What the compiler for a machine says."""
    command = [compiler(machine), f"-I{GLFS_HEADERS}", "-S", "-x", "c", "-o", "-", "-"]
    done = subprocess.run(command, input=source(machine), capture_output=True, text=True)
    if "No such file" in done.stderr:
        pytest.skip(f"no C headers for {machine}: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr
    found = re.findall(r"-> (.+) = [$#]?(\d+)$", done.stdout, re.MULTILINE)
    return {key: int(number) for key, number in found}


@pytest.mark.parametrize("name", [name for name in STRUCTURES if is_declared(name)])
def test_a_structure_has_the_size_that_c_says(
    machine: str, answers: dict[str, int], name: str
) -> None:
    assert ctypes.sizeof(structures_of(machine)[name]) == answers[f"{name}:size"]


@pytest.mark.parametrize("name", [name for name in STRUCTURES if is_declared(name)])
def test_each_member_lies_where_c_puts_it(machine: str, answers: dict[str, int], name: str) -> None:
    structure = structures_of(machine)[name]
    ours, theirs = {}, {}
    for member, ctype in members(structure):
        key = f"{name}.{member}"
        field = getattr(structure, member)
        ours[member] = (field.offset, field.size, is_signed(ctype))
        signed = bool(answers.get(f"{key}:signed"))
        theirs[member] = (answers[f"{key}:offset"], answers[f"{key}:size"], signed)
    assert ours == theirs


@pytest.mark.parametrize("name", TYPES)
def test_a_parameter_has_the_size_and_sign_of_its_c_type(
    answers: dict[str, int], name: str
) -> None:
    ctype = TYPES[name]
    ours = (ctypes.sizeof(ctype), is_signed(ctype))
    assert ours == (answers[f"{name}:size"], bool(answers.get(f"{name}:signed")))


def test_stat_is_laid_out_for_this_machine() -> None:
    assert api.Stat._fields_ == api.stat_fields(os.uname().machine)


def test_every_member_of_os_stat_result_that_c_has_is_there() -> None:
    names = {name for name in dir(os.stat_result) if name.startswith("st_")}
    assert names <= set(dir(api.Stat))


def test_every_member_of_os_statvfs_result_is_there() -> None:
    names = {name for name in dir(os.statvfs_result) if name.startswith("f_")}
    assert names <= set(dir(api.Statvfs))


def test_times_are_those_of_os_stat_result(tmp_path: Any) -> None:
    os.utime(tmp_path, ns=(1_700_000_000_123_456_789, -1_500_000_000))
    theirs = os.stat(tmp_path)
    ours = api.Stat(
        st_atim=api.Timespec.from_ns(theirs.st_atime_ns),
        st_mtim=api.Timespec.from_ns(theirs.st_mtime_ns),
        st_ctim=api.Timespec.from_ns(theirs.st_ctime_ns),
    )
    for name in ("st_atime", "st_mtime", "st_ctime", "st_atime_ns", "st_mtime_ns", "st_ctime_ns"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_stat_reads_what_the_kernel_writes(tmp_path: Any) -> None:
    """The C library's own stat(2) fills our structure: an oracle without a compiler."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "stat"):
        pytest.skip("this C library has no function stat")
    file = tmp_path / "file"
    file.write_bytes(b"x" * 12345)
    stat, theirs = api.Stat(), os.stat(file)
    assert library.stat(os.fsencode(file), ctypes.byref(stat)) == 0
    names = [name for name, _ in members(api.Stat) if not name.endswith("tim")]
    names += ["st_atime_ns", "st_mtime_ns", "st_ctime_ns"]
    assert {n: getattr(stat, n) for n in names} == {n: getattr(theirs, n) for n in names}


def stat_like(theirs: os.stat_result) -> api.Stat:
    names = [name for name, _ in api.Stat._fields_ if hasattr(theirs, name)]
    times = {f"st_{x}tim": api.Timespec.from_ns(getattr(theirs, f"st_{x}time_ns")) for x in "amc"}
    return api.Stat(**{name: getattr(theirs, name) for name in names}, **times)


def test_a_status_is_indexed_as_that_of_os(tmp_path: Any) -> None:
    os.utime(tmp_path, ns=(-1, 1_999_999_999_999_999_999))
    theirs = os.stat(tmp_path)
    ours = stat_like(theirs)
    assert tuple(ours) == tuple(theirs)
    assert ours[stat_module.ST_MODE] == theirs[stat_module.ST_MODE]
    assert (ours[-1], ours[6:8], len(ours)) == (theirs[-1], theirs[6:8], len(theirs))
    with pytest.raises(IndexError):
        ours[10]


def test_a_status_is_equal_to_another_that_tells_the_same(tmp_path: Any) -> None:
    one, same, other = (stat_like(os.stat(tmp_path)) for _ in range(3))
    other.st_mtim.tv_nsec ^= 1
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != tuple(one)
    assert len({one, same, other}) == 2


def test_statvfs_reads_what_the_kernel_writes(tmp_path: Any) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    statvfs, theirs = api.Statvfs(), os.statvfs(tmp_path)
    assert library.statvfs(os.fsencode(tmp_path), ctypes.byref(statvfs)) == 0
    # What other processes do not change between the two calls.
    for name in ("f_bsize", "f_frsize", "f_blocks", "f_files", "f_flag", "f_namemax"):
        assert getattr(statvfs, name) == getattr(theirs, name)


def test_times_before_the_epoch_and_far_in_the_future_survive() -> None:
    for ns in (0, -1, -1_000_000_001, 1 << 62, 10**9 * (1 << 40) + 999_999_999):
        assert api.Timespec.from_ns(ns).ns == ns
        assert 0 <= api.Timespec.from_ns(ns).tv_nsec < 1_000_000_000


def test_seconds_that_do_not_fit_are_refused() -> None:
    with pytest.raises(OverflowError):
        api.Timespec.from_ns((1 << 63) * 1_000_000_000)


def test_structures_say_what_is_in_them() -> None:
    assert repr(api.Stat(st_mode=0o100644, st_size=7)).startswith(
        "gluster.gfapi.api.Stat(st_mode=0o100644, st_ino=0, st_nlink=0, st_uid=0, st_gid=0, "
        "st_size=7, st_mtime="
    )
    assert "f_blocks=9, " in repr(api.Statvfs(f_blocks=9))
    assert "spare" not in repr(api.Statvfs())
    assert repr(api.Dirent(d_name=b"a\xff", d_ino=5)) == (
        "gluster.gfapi.api.Dirent(d_name=b'a\\xff', d_ino=5)"
    )


def test_a_name_that_is_not_utf_8_can_be_text() -> None:
    assert os.fsencode(api.Dirent(d_name=b"a\xff").name) == b"a\xff"
