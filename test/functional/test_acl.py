"""Access control lists of a path: what is set is kept, and decides who may do what."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import Any, Callable

import pytest

from gluster import gfapi

FULL = "user::rw-\nuser:1000:r--\ngroup::r--\nmask::r--\nother::---\n"
SHORT = "u::rw,u:1000:r,g::r,o::-"


@pytest.fixture
def path(vol: gfapi.Volume, folder: str) -> str:
    """An empty file with the mode 0640."""
    path = f"{folder}/file"
    vol.mknod(path, 0o640)
    return path


def as_user(vol: gfapi.Volume, number: int, call: Callable[[], Any]) -> Any:
    """What a call gives, or the exception that it raises, as another user and group."""
    results: list[Any] = []

    def run() -> None:
        vol.setfsgid(number)
        vol.setfsuid(number)
        try:
            results.append(call())
        except OSError as error:
            results.append(type(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def content_of(vol: gfapi.Volume, path: str) -> bytes:
    with vol.fopen(path) as file:
        return file.read()


# ----------------------------------------------------------------------------- getting, setting


def test_without_a_list_there_is_what_the_mode_says(vol: gfapi.Volume, path: str) -> None:
    assert vol.getacl(path) == "user::rw-\ngroup::r--\nother::---\n"
    vol.chmod(path, 0o751)
    assert vol.getacl(path) == "user::rwx\ngroup::r-x\nother::--x\n"


@pytest.mark.parametrize(
    "acl",
    [
        FULL,
        SHORT,
        "u::rw-,u:1000:r--,g::r--,m::r--,o::---",
        "  user::rw-\n\nuser:1000:r--\ngroup::r--\n other::---",
        "# file: file\n# owner: root\n" + FULL.replace("r--\ngroup", "r--\t#effective:r--\ngroup"),
    ],
    ids=["full", "short", "short with a mask", "untidy", "with getfacl's comments"],
)
def test_each_form_of_a_list_is_taken_and_the_full_one_is_given(
    vol: gfapi.Volume, path: str, acl: str
) -> None:
    assert vol.setacl(path, acl) is None
    assert vol.getacl(path) == FULL


def test_what_one_client_sets_another_gets(
    vol: gfapi.Volume, sandbox_volume: Any, path: str
) -> None:
    vol.setacl(path, SHORT)
    with sandbox_volume.client() as other:
        assert other.getacl(path) == FULL
        other.setacl(path, "u::rw,g::r,o::r")
    assert vol.getacl(path) == "user::rw-\ngroup::r--\nother::r--\n"


def test_a_missing_mask_permits_all_that_the_entries_do(vol: gfapi.Volume, path: str) -> None:
    vol.setacl(path, "u::rw,u:1000:rw,g:2000:x,g::r,o::-")
    assert "mask::rwx\n" in vol.getacl(path)
    vol.setacl(path, "u::rw,u:1000:rw,g::r,m::r,o::-")
    assert "mask::r--\n" in vol.getacl(path)


def test_the_mode_follows_the_list_at_once(vol: gfapi.Volume, path: str) -> None:
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o640
    vol.setacl(path, "u::rwx,u:1000:rw,g::r,o::x")
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o761
    vol.setacl(path, "u::r,g::-,o::-")
    assert stat.S_IMODE(vol.stat(path).st_mode) == 0o400


def test_a_list_follows_the_mode(vol: gfapi.Volume, path: str) -> None:
    vol.setacl(path, "u::rw,u:1000:rw,g::r,o::-")
    vol.chmod(path, 0o640)
    assert vol.getacl(path) == FULL.replace("1000:r--", "1000:rw-")


def test_names_of_users_and_groups_are_taken_and_numbers_given(
    vol: gfapi.Volume, path: str
) -> None:
    vol.setacl(path, "u::rw,u:root:r,g:root:r,g::-,o::-")
    acl = vol.getacl(path)
    assert "user:0:r--\n" in acl
    assert "group:0:r--\n" in acl


def test_three_entries_take_the_list_away(vol: gfapi.Volume, path: str) -> None:
    vol.setacl(path, SHORT)
    assert "system.posix_acl_access" in vol.listxattr(path)
    vol.setacl(path, "u::rw,g::r,o::-")
    assert "system.posix_acl_access" not in vol.listxattr(path)


def test_a_long_list_survives(vol: gfapi.Volume, path: str) -> None:
    users = "".join(f"user:{number}:r--\n" for number in range(1000, 1100))
    acl = f"user::rw-\n{users}group::r--\nmask::r--\nother::---\n"
    vol.setacl(path, acl)
    assert vol.getacl(path) == acl


@pytest.mark.parametrize("kind", ["bytes", "relative"])
def test_any_kind_of_path_is_taken(vol: gfapi.Volume, path: str, kind: str) -> None:
    folder, name = os.path.split(path)
    if kind == "bytes":
        vol.setacl(os.fsencode(path), SHORT)
        assert vol.getacl(os.fsencode(path)) == FULL
        return
    vol.chdir(folder)
    try:
        vol.setacl(name, SHORT)
        assert vol.getacl(name) == FULL
        with pytest.raises(FileNotFoundError) as caught:
            vol.getacl("missing")
        assert caught.value.filename == "missing"
    finally:
        vol.chdir("/")


# -------------------------------------------------------------------------------- default lists


def test_a_default_list_is_what_new_entries_begin_with(vol: gfapi.Volume, folder: str) -> None:
    assert vol.getacl(folder, default=True) == ""
    vol.setacl(folder, "u::rwx,u:1000:rwx,g::r,o::-", default=True)
    default = "user::rwx\nuser:1000:rwx\ngroup::r--\nmask::rwx\nother::---\n"
    assert vol.getacl(folder, default=True) == default
    assert vol.getacl(folder) == "user::rwx\ngroup::rwx\nother::rwx\n"
    vol.mkdir(f"{folder}/dir")
    assert vol.getacl(f"{folder}/dir", default=True) == default
    vol.mknod(f"{folder}/file", 0o666)
    assert vol.getacl(f"{folder}/file") == default.replace("user::rwx", "user::rw-").replace(
        "mask::rwx", "mask::rw-"
    )


def test_an_empty_text_removes_a_default_list(vol: gfapi.Volume, folder: str) -> None:
    vol.setacl(folder, SHORT, default=True)
    for _ in range(2):
        vol.setacl(folder, "", default=True)
        assert vol.getacl(folder, default=True) == ""


def test_a_file_has_no_default_list(vol: gfapi.Volume, path: str) -> None:
    with pytest.raises(PermissionError) as caught:
        vol.getacl(path, default=True)
    assert caught.value.filename == path
    with pytest.raises(PermissionError):
        vol.setacl(path, SHORT, default=True)


# --------------------------------------------------------------------------------------- links


def test_a_link_leads_to_its_target_and_has_no_list_itself(vol: gfapi.Volume, path: str) -> None:
    link = f"{path}.link"
    vol.symlink("file", link)
    vol.setacl(link, SHORT)
    assert vol.getacl(link) == vol.getacl(path) == FULL
    for call in (
        lambda: vol.getacl(link, follow_symlinks=False),
        lambda: vol.setacl(link, "u::rwx,g::-,o::-", follow_symlinks=False),
    ):
        with pytest.raises(OSError, match="not supported") as caught:
            call()
        assert (caught.value.errno, caught.value.filename) == (errno.EOPNOTSUPP, link)
    assert vol.getacl(path, follow_symlinks=False) == FULL


def test_a_path_that_leads_nowhere_is_not_found(vol: gfapi.Volume, path: str) -> None:
    vol.symlink("nowhere", f"{path}.link")
    for missing in (f"{path}.link", f"{path}.missing"):
        with pytest.raises(FileNotFoundError) as caught:
            vol.getacl(missing)
        assert caught.value.filename == missing
        with pytest.raises(FileNotFoundError):
            vol.setacl(missing, SHORT)


# ------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("acl", "problem"),
    [
        ("", "missing or wrong entry"),
        ("u::rw,u:1000:r", "missing or wrong entry"),
        ("u::rw,g::r,o::-,u::r", "multiple entries"),
        ("u::rw,u:5:r,u:5:rw,g::r,o::-", "duplicate entries"),
        ("u::rw,g::z,o::-", "'g::z'"),
        ("u::rw,u:nobody at all:r,g::r,o::-", "'u:nobody'"),
        ("u::rw,u:nobodyatall:r,g::r,o::-", "'u:nobodyatall:r'"),
        ("default:u::rw,g::r,o::-", "'default:u::rw'"),
        ("rw-r-----", "'rw-r-----'"),
        ("u::rw,g::r,o::-\0", "null byte"),
    ],
)
def test_what_is_no_list_is_a_value_error_that_says_why(
    plain_vol: gfapi.Volume, plain_folder: str, acl: str, problem: str
) -> None:
    before = plain_vol.getacl(plain_folder)
    with pytest.raises(ValueError, match=problem):
        plain_vol.setacl(plain_folder, acl)
    assert plain_vol.getacl(plain_folder) == before


@pytest.mark.parametrize("acl", [None, 0o640, b"u::rw,g::r,o::-", ["u::rw"]])
def test_a_list_that_is_no_str_is_a_type_error(
    plain_vol: gfapi.Volume, plain_folder: str, acl: Any
) -> None:
    with pytest.raises(TypeError):
        plain_vol.setacl(plain_folder, acl)


def test_where_libacl_is_missing_it_says_so(
    plain: Any, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
        import ctypes
        load = ctypes.CDLL
        def refuse(name, *arguments, **options):
            if name == "libacl.so.1":
                raise OSError("libacl.so.1: no such file")
            return load(name, *arguments, **options)
        ctypes.CDLL = refuse
        vol.mount()
        for call in (lambda: vol.getacl(folder), lambda: vol.setacl(folder, "u::rw,g::r,o::-")):
            try:
                call()
            except NotImplementedError as error:
                print(error)
    """
    lines = output_of(plain, plain_folder, program).splitlines()
    assert len(lines) == 2
    assert all("need libacl" in line for line in lines)


# ---------------------------------------------------------------------------------- who may what


def test_a_list_decides_who_may_read_and_write(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "w") as file:
        file.write(b"text")
    vol.setacl(path, "u::rw,g::-,o::-")
    assert as_user(vol, 1000, lambda: content_of(vol, path)) is PermissionError
    vol.setacl(path, "u::rw,u:1000:r,g:1001:rw,g::-,o::-")
    assert as_user(vol, 1000, lambda: content_of(vol, path)) == b"text"
    assert as_user(vol, 1000, lambda: vol.access(path, os.R_OK)) is True
    assert as_user(vol, 1000, lambda: vol.access(path, os.W_OK)) is False
    assert as_user(vol, 1000, lambda: vol.fopen(path, "r+")) is PermissionError
    assert as_user(vol, 1001, lambda: vol.access(path, os.R_OK | os.W_OK)) is True
    assert as_user(vol, 1002, lambda: vol.access(path, os.R_OK)) is False
    vol.setacl(path, "u::rw,u:1000:rwx,g::-,m::-,o::-")
    assert as_user(vol, 1000, lambda: content_of(vol, path)) is PermissionError


def test_the_owner_gets_and_sets_and_others_only_get(vol: gfapi.Volume, path: str) -> None:
    vol.chown(path, 1000, 1000)
    acl = as_user(vol, 1000, lambda: vol.getacl(path))
    assert acl == "user::rw-\ngroup::r--\nother::---\n"
    assert as_user(vol, 1000, lambda: vol.setacl(path, acl)) is None
    assert as_user(vol, 1000, lambda: vol.setacl(path, SHORT)) is None
    assert as_user(vol, 1001, lambda: vol.setacl(path, acl)) is PermissionError
    assert as_user(vol, 1001, lambda: vol.getacl(path)) == vol.getacl(path) == FULL


def test_an_unmounted_volume_says_so(plain: Any) -> None:
    vol = plain.client()
    with pytest.raises(gfapi.VolumeNotMounted):
        vol.getacl("/")
    with pytest.raises(gfapi.VolumeNotMounted):
        vol.setacl("/", SHORT)


def test_an_unmount_meets_calls_of_other_threads(
    plain: Any, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
        vol.mount()
        seen = set()
        def work():
            try:
                while True:
                    vol.setacl(folder, vol.getacl(folder))
            except gfapi.VolumeNotMounted:
                seen.add("not mounted")
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        vol.umount()
        for thread in threads:
            thread.join()
        print(*seen)
    """
    assert output_of(plain, plain_folder, program) == "not mounted\n"
