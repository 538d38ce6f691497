"""What the calls below an open directory pass to a stub of GlusterFS 11."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

SOURCE = Path(__file__).with_name("stub_at.c")
VERSIONS = ("3.4.0", "3.5.0", "6.0", "11.0")
START = """
import os
from gluster import gfapi
vol = gfapi.Volume("host", "vol")
vol.mount()
top = vol.opendir("/top")
"""


@pytest.fixture(scope="module")
def library(shared: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    return shared(SOURCE, tmp_path_factory.mktemp("stub_at"), VERSIONS, "-DSIX")


@pytest.fixture
def diary(
    library: str, python: Callable[..., Any], tmp_path: Path
) -> Callable[[str], tuple[Any, list[str]]]:
    """A function that runs a program: what it told, and the calls after the directory is open."""

    def run(program: str) -> tuple[Any, list[str]]:
        path = tmp_path / "diary"
        path.write_text("")
        program = START + program + "\ntop.close()\n"
        told = python(program, GFAPI_LIBRARY=library, STUB_DIARY=str(path))
        lines = path.read_text().splitlines()
        return told, lines[lines.index("glfs_opendir FS /top") + 1 : -1]

    return run


COPY = "glfs_dup FD"
CLOSE = "glfs_close address"
CALLS = {
    "vol.stat('f', dir_fd=top)": ["glfs_fstatat COPY0 f 0"],
    "vol.stat('f', dir_fd=top, follow_symlinks=False)": ["glfs_fstatat COPY0 f 0x100"],
    "vol.lstat('f', dir_fd=top)": ["glfs_fstatat COPY0 f 0x100"],
    "vol.access('f', os.W_OK, dir_fd=top)": ["glfs_faccessat COPY0 f 2 0"],
    "vol.access('f', os.F_OK, dir_fd=top, follow_symlinks=False)": [
        "glfs_faccessat COPY0 f 0 0x100"
    ],
    "vol.chmod('f', 0o640, dir_fd=top)": ["glfs_fstatat COPY0 f 0", "glfs_fchmodat COPY0 f 640 0"],
    "vol.chmod('f', 0o640, dir_fd=top, follow_symlinks=False)": [
        "glfs_fstatat COPY0 f 0x100",
        "glfs_fchmodat COPY0 f 640 0x100",
    ],
    "vol.chown('f', 4000000000, -1, dir_fd=top)": [
        "glfs_fstatat COPY0 f 0",
        "glfs_fchownat COPY0 f 4000000000 4294967295 0",
    ],
    "vol.chown('f', 1, 2, dir_fd=top, follow_symlinks=False)": [
        "glfs_fstatat COPY0 f 0x100",
        "glfs_fchownat COPY0 f 1 2 0x100",
    ],
    "vol.mkdir('new', 0o750, dir_fd=top)": ["glfs_mkdirat COPY0 new 750"],
    "vol.mkdir('dir/new', dir_fd=top)": [
        "glfs_fstatat COPY0 dir 0",
        "glfs_mkdirat COPY0 dir/new 777",
    ],
    "vol.mknod('new', 0o20600, 1 << 40, dir_fd=top)": [f"glfs_mknodat COPY0 new 20600 {1 << 40}"],
    "vol.mknod('new', 0o600, dir_fd=top)": ["glfs_mknodat COPY0 new 100600 0"],
    "vol.symlink('target', 'new', dir_fd=top)": ["glfs_symlinkat target COPY0 new"],
    "vol.readlink('link', dir_fd=top)": [
        "glfs_fstatat COPY0 link 0x100",
        "glfs_readlinkat COPY0 link 4096",
    ],
    "vol.unlink('f', dir_fd=top)": ["glfs_fstatat COPY0 f 0x100", "glfs_unlinkat COPY0 f 0"],
    "vol.remove('f', dir_fd=top)": ["glfs_fstatat COPY0 f 0x100", "glfs_unlinkat COPY0 f 0"],
    "vol.rmdir('dir', dir_fd=top)": [
        "glfs_fstatat COPY0 dir 0x100",
        "glfs_unlinkat COPY0 dir 0x200",
    ],
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_below_a_directory_gets_a_glfd_of_its_own(
    diary: Callable[[str], tuple[Any, list[str]]], call: str
) -> None:
    _, calls = diary(call)
    assert calls == [COPY, *CALLS[call], CLOSE]


@pytest.mark.parametrize("flag", ["", ", follow_symlinks=True"])
def test_link_takes_two_directories(
    diary: Callable[[str], tuple[Any, list[str]]], flag: str
) -> None:
    follow = bool(flag)
    looks = f"glfs_fstatat COPY0 link {'0' if follow else '0x100'}"
    flags = "0x400" if follow else "0"
    _, calls = diary(f"vol.link('link', 'new', src_dir_fd=top, dst_dir_fd=top{flag})")
    assert calls == [
        COPY,
        COPY,
        looks,
        "glfs_fstatat COPY1 new 0x100",
        f"glfs_linkat COPY0 link COPY1 new {flags}",
        CLOSE,
        CLOSE,
    ]


@pytest.mark.parametrize(
    ("options", "call"),
    [
        ("", "glfs_renameat COPY0 f COPY1 dir"),
        (", noreplace=True", "glfs_renameat2 COPY0 f COPY1 dir 1"),
        (", exchange=True", "glfs_renameat2 COPY0 f COPY1 dir 2"),
    ],
)
def test_rename_takes_two_directories_and_flags(
    diary: Callable[[str], tuple[Any, list[str]]], options: str, call: str
) -> None:
    _, calls = diary(f"vol.rename('f', 'dir', src_dir_fd=top, dst_dir_fd=top{options})")
    assert [line for line in calls if "fstatat" not in line] == [COPY, COPY, call, CLOSE, CLOSE]


def test_without_a_dir_fd_a_side_of_a_rename_is_the_working_directory(
    diary: Callable[[str], tuple[Any, list[str]]],
) -> None:
    _, calls = diary("vol.rename('/a', 'b', dst_dir_fd=top)")
    assert calls == [
        "glfs_opendir FS .",
        COPY,
        "glfs_fstatat FD /a 0x100",
        "glfs_renameat FD /a COPY0 b",
        CLOSE,
        "glfs_closedir FD",
    ]


@pytest.mark.parametrize(
    ("path", "flags", "calls"),
    [
        ("f", "os.O_RDWR", ["glfs_fstatat COPY0 f 0", "glfs_openat COPY0 f 02 640"]),
        (
            "f",
            "os.O_RDONLY | os.O_TRUNC",
            ["glfs_fstatat COPY0 f 0", "glfs_openat COPY0 f 02 640"],
        ),
        (
            "new",
            "os.O_WRONLY | os.O_CREAT",
            ["glfs_fstatat COPY0 new 0", "glfs_openat COPY0 new 0301 640"],
        ),
        (
            "dir/x",
            "os.O_RDONLY | os.O_NOFOLLOW",
            ["glfs_fstatat COPY0 dir/x 0x100"],
        ),
    ],
)
def test_open_passes_flags_and_mode(
    diary: Callable[[str], tuple[Any, list[str]]], path: str, flags: str, calls: list[str]
) -> None:
    opening = f"vol.open({path!r}, {flags}, 0o640, dir_fd=top)"
    _, found = diary(f"tell(error_of(lambda: gfapi.File({opening}).close()))")
    assert found[: 1 + len(calls)] == [COPY, *calls]


def test_a_glfd_that_may_have_been_freed_is_not_closed(
    diary: Callable[[str], tuple[Any, list[str]]],
) -> None:
    _, calls = diary("tell(error_of(vol.mkdir, 'newest', dir_fd=top))")
    assert calls == [COPY, "glfs_mkdirat COPY0 newest 777"]


def test_nothing_is_called_for_what_is_no_open_directory(
    diary: Callable[[str], tuple[Any, list[str]]],
) -> None:
    program = """
other = gfapi.Volume("host", "vol")
other.mount()
closed = vol.opendir("/closed")
closed.close()
tell([error_of(vol.stat, "f", dir_fd=wrong)[0] for wrong in ("/", closed)])
tell(error_of(other.stat, "f", dir_fd=top))
"""
    told, calls = diary(program)
    assert told == [
        ["TypeError", "OSError"],
        ["ValueError", "the open directory is of another Volume"],
    ]
    assert [line for line in calls if "at " in line or "dup" in line] == []
