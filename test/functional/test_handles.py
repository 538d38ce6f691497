"""Handles: files, directories and links themselves, whatever their paths."""

from __future__ import annotations

import copy
import errno
import gc
import os
import pickle
import stat
import threading
import uuid
import weakref
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

Output = Callable[..., str]
WaitUntil = Callable[[Callable[[], object]], None]


def write(vol: gfapi.Volume, path: str, content: bytes = b"content") -> str:
    with vol.fopen(path, "w") as file:
        file.write(content)
    return path


def fails(code: int, function: Callable[..., Any], *arguments: Any, **named: Any) -> OSError:
    """Call what must fail with an error number, and return the error."""
    with pytest.raises(OSError, match=r"^\[Errno") as caught:
        function(*arguments, **named)
    assert caught.value.errno == code, caught.value
    return caught.value


# ------------------------------------------------------------------------------ finding


def test_a_handle_is_of_the_file_that_a_path_leads_to(vol: gfapi.Volume, folder: str) -> None:
    path = write(vol, f"{folder}/file")
    handle = vol.lookup(path)
    assert handle.stat().st_ino == vol.stat(path).st_ino
    assert isinstance(handle.gfid, uuid.UUID)
    assert bytes(handle) == handle.gfid.bytes
    assert str(handle.gfid) in repr(handle)
    assert path in repr(handle)


@pytest.mark.parametrize("form", [lambda gfid: gfid, str, lambda gfid: gfid.bytes, bytearray])
def test_a_gfid_in_each_of_its_forms_finds_the_file(
    vol: gfapi.Volume, folder: str, form: Callable[[Any], Any]
) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    given = bytearray(bytes(handle)) if form is bytearray else form(handle.gfid)
    found = vol.lookup_gfid(given)
    assert found == handle
    assert found.pread(100, 0) == b"content"


def test_what_is_no_gfid_is_refused(plain_vol: gfapi.Volume) -> None:
    with pytest.raises(ValueError, match="16 bytes, not 3"):
        plain_vol.lookup_gfid(b"abc")
    with pytest.raises(ValueError, match="hexadecimal"):
        plain_vol.lookup_gfid("no gfid")
    with pytest.raises(TypeError):
        plain_vol.lookup_gfid(5)  # type: ignore[arg-type]
    fails(errno.EINVAL, plain_vol.lookup_gfid, bytes(16))


def test_a_gfid_of_nothing_is_an_error_that_names_it(vol: gfapi.Volume) -> None:
    nothing = uuid.uuid4()
    with pytest.raises(OSError, match=str(nothing)) as caught:
        vol.lookup_gfid(nothing)
    assert caught.value.errno in (errno.ENOENT, errno.ESTALE)


def test_a_symbolic_link_is_followed_unless_told_otherwise(vol: gfapi.Volume, folder: str) -> None:
    target = vol.lookup(write(vol, f"{folder}/file"))
    vol.symlink("file", f"{folder}/link")
    directory = vol.lookup(folder)
    assert vol.lookup(f"{folder}/link") == target
    assert directory.lookup("link") == target
    link = vol.lookup(f"{folder}/link", follow_symlinks=False)
    assert link == directory.lookup("link", follow_symlinks=False) != target
    assert link.readlink() == "file"
    assert stat.S_ISLNK(link.stat().st_mode)


def test_a_path_goes_on_from_a_handle(vol: gfapi.Volume, folder: str) -> None:
    vol.makedirs(f"{folder}/a/b")
    file = write(vol, f"{folder}/a/b/file")
    a, b = vol.lookup(f"{folder}/a"), vol.lookup(f"{folder}/a/b")
    assert a.lookup("b/file") == b.lookup("file") == vol.lookup(file)
    assert a.lookup("b") == a.lookup(".").lookup(b"b") == b
    assert b.lookup("..") == a
    assert b.lookup("../..") == vol.lookup(folder)
    assert vol.lookup("/").lookup("..") == vol.lookup("/")


def test_dots_lead_up_from_a_directory_that_only_its_gfid_is_known_of(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str
) -> None:
    vol.makedirs(f"{folder}/a/b")
    gfids = [vol.lookup(path).gfid for path in (f"{folder}/a/b", f"{folder}/a")]
    with sandbox_volume.client() as fresh:
        below = fresh.lookup_gfid(gfids[0])
        assert below.lookup("..").gfid == gfids[1]


def test_a_relative_path_begins_at_the_working_directory(plain: sandbox.SandboxVolume) -> None:
    with plain.client() as vol:
        directory = vol.lookup("/").mkdir("relative")
        inner = directory.create("inner")
        assert vol.lookup("relative") == directory
        vol.chdir("/relative")
        assert vol.lookup("inner") == inner
        assert vol.lookup(b"../relative/inner") == inner


def test_what_is_not_there_is_an_error_that_names_it(vol: gfapi.Volume, folder: str) -> None:
    assert fails(errno.ENOENT, vol.lookup, f"{folder}/no").filename == f"{folder}/no"
    assert fails(errno.ENOENT, vol.lookup, b"/no").filename == b"/no"
    assert fails(errno.ENOENT, vol.lookup(folder).lookup, "no").filename == "no"
    fails(errno.ENOENT, vol.lookup, "")
    fails(errno.ENOENT, vol.lookup(folder).lookup, "")
    fails(errno.ENAMETOOLONG, vol.lookup(folder).lookup, "x" * 300)
    with pytest.raises(ValueError, match="null"):
        vol.lookup("/a\0b")


def test_nothing_is_found_below_a_file(vol: gfapi.Volume, folder: str) -> None:
    file = vol.lookup(write(vol, f"{folder}/file"))
    for name in ("x", ".", ".."):
        fails(errno.ENOTDIR, file.lookup, name)


# ----------------------------------------------------------------------------- identity


def test_handles_of_the_same_file_are_equal(vol: gfapi.Volume, folder: str) -> None:
    path = write(vol, f"{folder}/file")
    vol.link(path, f"{folder}/link")
    one, other = vol.lookup(path), vol.lookup(f"{folder}/link")
    assert one == other
    assert len({one, other, one.copy(), copy.copy(other)}) == 1
    assert one != vol.lookup(folder)
    assert one != path


def test_handles_on_two_volumes_are_not_equal(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume
) -> None:
    with sandbox_volume.client() as other:
        assert vol.lookup("/") != other.lookup("/")
        assert vol.lookup("/").gfid == other.lookup("/").gfid


def test_a_handle_follows_its_file_through_renames(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    vol.mkdir(f"{folder}/elsewhere")
    vol.rename(f"{folder}/file", f"{folder}/elsewhere/new")
    write(vol, f"{folder}/file", b"another")
    assert handle.pread(100, 0) == b"content"
    with handle.fopen() as file:
        assert file.read() == b"content"
    handle.pwrite(b"CON", 0)
    with vol.fopen(f"{folder}/elsewhere/new") as file:
        assert file.read() == b"CONtent"


def test_a_handle_of_a_removed_file_is_stale(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    vol.unlink(f"{folder}/file")
    for call in (handle.stat, handle.fopen, handle.listxattr, lambda: handle.truncate(0)):
        with pytest.raises(OSError, match=r"Stale|No such") as caught:
            call()
        assert caught.value.errno in (errno.ENOENT, errno.ESTALE)
    with pytest.raises(OSError, match=r"Stale|No such"):
        vol.lookup_gfid(handle.gfid)


def test_a_handle_taken_in_one_process_opens_the_file_in_another(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    folder: str,
    output_of: Output,
    wait_until: WaitUntil,
) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    program = """
        with vol:
            handle = vol.lookup_gfid(arguments[0])
            print(handle.fopen("rb").read(), handle.pwrite(b"!", 7))
        """
    printed = output_of(sandbox_volume, folder, program, str(handle.gfid), options=("-W", "ignore"))
    assert printed == "b'content' 1\n"
    wait_until(lambda: handle.stat().st_size == 8)  # this client relies on its cache for a second


def test_a_handle_is_opened_again_after_a_remount(
    sandbox_volume: sandbox.SandboxVolume, folder: str
) -> None:
    vol = sandbox_volume.client()
    with vol:
        handle = vol.lookup(write(vol, f"{folder}/file"))
    assert handle.closed
    with vol:
        fails(errno.EBADF, handle.stat)
        again = vol.lookup_gfid(handle.gfid)
        assert again == handle
        assert again.pread(100, 0) == b"content"


def test_handles_outlive_a_change_of_the_volumes_options(
    cluster: sandbox.Cluster, wait_until: WaitUntil
) -> None:
    volume = cluster.create_volume("handlesgraph")
    try:
        with volume.client() as vol:
            vol.mkdir("/folder")
            folder, file = vol.lookup("/folder"), vol.lookup(write(vol, "/folder/file"))
            graph = vol.readlink("/.meta/graphs/active")
            for number, value in enumerate(("off", "on", "off"), 1):
                volume.set_option("performance.quick-read", value)
                wait_until(lambda old=graph: vol.readlink("/.meta/graphs/active") != old)
                graph = vol.readlink("/.meta/graphs/active")
                assert file.pread(7, 0) == b"content"
                assert folder.lookup("file") == file == file.copy()
                with folder.create(f"new{number}").fopen("w") as new:
                    new.write(b"x")
            assert file.pwrite(b"!", 7) == 1
            assert file.stat().st_size == 8
    finally:
        volume.stop()
        volume.delete()


# ----------------------------------------------------------------------------- lifetime


def test_a_handle_is_given_back_when_it_is_collected(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    mount = plain_vol._mount
    gc.collect()
    before = len(mount.objects)
    handles = [plain_vol.lookup(plain_folder) for _ in range(100)]
    assert len(mount.objects) == before + 100
    del handles
    gc.collect()
    assert len(mount.objects) == before


def test_a_closed_handle_refuses_all_calls_but_knows_its_gfid(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    path = write(plain_vol, f"{plain_folder}/file")
    with plain_vol.lookup(path) as handle:
        gfid = handle.gfid
    folder = plain_vol.lookup(plain_folder)
    assert handle.closed
    assert "closed" in repr(handle)
    assert handle.gfid == gfid
    calls: list[Callable[[], Any]] = [
        handle.close,
        handle.copy,
        handle.stat,
        handle.fopen,
        handle.readlink,
        handle.listxattr,
        lambda: handle.open(os.O_RDONLY),
        lambda: handle.open(os.O_WRONLY),
        lambda: handle.pread(1, 0),
        lambda: handle.pread(0, 0),
        lambda: handle.pwrite(b"", 0),
        lambda: handle.access(os.F_OK),
        lambda: handle.setattr(),
        lambda: handle.lookup("x"),
        lambda: handle.mkdir("x"),
        lambda: handle.link(folder, "x"),
        lambda: folder.rename("file", handle, "x"),
        handle.__enter__,
    ]
    for call in calls:
        fails(errno.EBADF, call)


def test_an_unmount_closes_handles(plain: sandbox.SandboxVolume) -> None:
    with plain.client() as vol:
        handles = [vol.lookup("/") for _ in range(1000)]
    assert all(handle.closed for handle in handles)
    with pytest.raises(gfapi.VolumeNotMounted):
        handles[0].stat()
    with pytest.raises(gfapi.VolumeNotMounted):
        handles[0].copy()


def test_a_handle_keeps_nothing_of_its_volume_alive_once_it_is_collected(
    plain: sandbox.SandboxVolume,
) -> None:
    vol = plain.client()
    vol.mount()
    mount, handle = weakref.ref(vol._mount), vol.lookup("/")
    del vol
    assert handle.stat()
    del handle
    gc.collect()
    assert mount() is None


def test_a_handle_cannot_be_pickled(plain_vol: gfapi.Volume) -> None:
    with pytest.raises(TypeError, match="cannot pickle 'Handle'"):
        pickle.dumps(plain_vol.lookup("/"))


def test_threads_that_use_and_close_handles_never_meet_a_freed_one(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    program = """
        import random
        vol.mount()
        with vol.fopen(folder + "/shared", "w") as file:
            file.write(b"content")
        shared = [vol.lookup(folder + "/shared") for _ in range(8)]
        refused = (OSError, gfapi.VolumeNotMounted)

        def use():
            while vol.mounted:
                i = random.randrange(8)
                handle = shared[i]
                try:
                    assert handle.pread(10, 0) == b"content"
                    handle.copy().stat()
                    if random.random() < 0.1:
                        handle.close()
                        shared[i] = vol.lookup(folder + "/shared")
                except refused as error:
                    assert not isinstance(error, OSError) or error.errno == 9, error

        threads = [threading.Thread(target=use) for _ in range(6)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        vol.umount()
        for thread in threads:
            thread.join()
        assert not vol._mount.objects
        print("done")
        """
    options = ("-X", "faulthandler")
    assert output_of(plain, plain_folder, program, options=options) == "done\n"


def test_a_process_may_end_with_handles(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, output_of: Output
) -> None:
    program = """
        vol.mount()
        handle = vol.lookup(folder).create("file")
        handle.pwrite(b"x" * 300_000, 0)
        others = [vol.lookup("/") for _ in range(100)]
        cycle = [vol.lookup("/")]
        cycle.append(cycle)
        go_on = lambda: [vol.lookup("/") for _ in iter(int, 1)]
        threading.Thread(target=go_on, daemon=True).start()
        """
    output_of(plain, plain_folder, program, options=("-X", "dev"))
    assert plain_vol.getsize(f"{plain_folder}/file") == 300_000


def test_a_forked_child_has_no_handles_and_finds_the_file_again(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, output_of: Output
) -> None:
    write(plain_vol, f"{plain_folder}/file")
    program = """
        vol.mount()
        handle = vol.lookup(folder + "/file")
        pid = os.fork()
        if pid == 0:
            try:
                handle.stat()
            except OSError as error:
                assert error.errno == 9 and handle.closed
            again = vol.lookup_gfid(handle.gfid)
            print(again == handle, again.pread(7, 0), flush=True)
            del handle
            sys.exit()
        _, status = os.waitpid(pid, 0)
        print(status, handle.pread(7, 0))
        """
    options = ("-W", "ignore::DeprecationWarning", "-X", "faulthandler")
    printed = output_of(plain, plain_folder, program, options=options)
    assert printed == "True b'content'\n0 b'content'\n"


# ------------------------------------------------------------------------------ content


def test_a_file_is_read_and_written_without_opening_it(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(folder).create("file")
    assert handle.pread(10, 0) == b""
    assert handle.pwrite(b"hello, world", 0) == 12
    assert handle.pwrite("W\N{LATIN SMALL LETTER O WITH DIAERESIS}", 7) == 3
    assert handle.pread(5, 0) == b"hello"
    assert handle.pread(100, 7) == b"W\xc3\xb6ld"
    assert handle.pread(100, 12) == b""
    room = bytearray(8)
    assert handle.preadinto(room, 4) == 8
    assert room == b"o, W\xc3\xb6ld"
    assert handle.preadinto(memoryview(room)[2:4], 0) == 2
    assert room[:4] == b"o,he"


def test_any_buffer_is_written(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    handle = plain_vol.lookup(plain_folder).create("file")
    assert handle.pwrite(memoryview(bytearray(b"abc")), 0) == 3
    assert handle.pwrite(b"", 1) == 0
    assert handle.pwrite(bytearray(), 1) == 0
    assert handle.preadinto(bytearray(), 0) == 0
    assert handle.pread(10, 0) == b"abc"
    for data in (5, None, ["a"]):
        with pytest.raises(TypeError):
            handle.pwrite(data, 0)
    with pytest.raises(TypeError, match="writable"):
        handle.preadinto(b"bytes", 0)


def test_more_than_libgfapi_takes_at_once_is_moved_in_pieces(
    plain_vol: gfapi.Volume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gluster.gfapi.handle.MOST", 1000)
    handle = plain_vol.lookup(plain_folder).create("file")
    content = os.urandom(2500)
    assert handle.pwrite(content, 10) == 2500
    assert handle.pread(1 << 40, 10) == content
    assert handle.pread(2000, 10) == content[:2000]
    room = bytearray(3000)
    assert handle.preadinto(room, 10) == 2500
    assert room == content + bytes(500)


def test_no_brick_sees_a_negative_number(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    handle = plain_vol.lookup(write(plain_vol, f"{plain_folder}/file"))
    fails(errno.EINVAL, handle.pread, -1, 0)
    fails(errno.EINVAL, handle.pread, 1, -1)
    fails(errno.EINVAL, handle.preadinto, bytearray(1), -1)
    fails(errno.EINVAL, handle.pwrite, b"x", -1)
    fails(errno.EINVAL, handle.truncate, -1)
    with pytest.raises(OverflowError):
        handle.pread(1, 1 << 63)
    with pytest.raises(OverflowError):
        handle.truncate(1 << 63)
    with pytest.raises(TypeError):
        handle.pread(1.5, 0)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        handle.pread(1, "0")  # type: ignore[arg-type]
    assert handle.pread(100, 0) == b"content"


def test_only_a_regular_file_has_content(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)
    pipe = directory.mknod("pipe", stat.S_IFIFO | 0o600)
    link = directory.symlink("nowhere", "link")
    for handle, code in ((directory, errno.EISDIR), (pipe, errno.EINVAL), (link, errno.EINVAL)):
        assert fails(code, handle.pread, 1, 0).filename
        fails(code, handle.preadinto, bytearray(1), 0)
        fails(code, handle.pwrite, b"x", 0)
        fails(code, handle.truncate, 0)
        fails(code, handle.fopen)
    fails(errno.EINVAL, pipe.open, os.O_RDONLY)
    fails(errno.EINVAL, directory.readlink)


def test_truncate_cuts_and_extends(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    handle.truncate(3)
    assert handle.pread(100, 0) == b"con"
    handle.truncate(5)
    assert handle.pread(100, 0) == b"con\0\0"
    assert handle.stat().st_size == 5


# ------------------------------------------------------------------------------ opening


def test_a_handle_is_opened_in_each_mode(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    with handle.fopen() as file:
        assert (file.mode, file.name) == ("r", f"{folder}/file")
        assert file.read() == b"content"
    with handle.fopen("a") as file:
        assert file.tell() == 7
        file.write(b"!")
    with handle.fopen("r+") as file:
        file.write(b"CON")
        assert file.read() == b"tent!"
    with handle.fopen("w") as file:
        assert file.fgetsize() == 0
        file.write(b"new")
    assert handle.pread(10, 0) == b"new"
    fails(errno.EEXIST, handle.fopen, "x")
    with pytest.raises(ValueError, match="mode"):
        handle.fopen("q")


def test_open_gives_a_glfd(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    with gfapi.File(handle.open(os.O_RDWR | os.O_CREAT)) as file:
        assert file.read() == b"content"
        file.write(b"!")
    with gfapi.File(handle.open(os.O_WRONLY | os.O_TRUNC)) as file:
        assert file.fgetsize() == 0
    assert vol.getsize(f"{folder}/file") == 0
    fails(errno.EEXIST, handle.open, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    fails(errno.ENOTDIR, handle.open, os.O_RDONLY | os.O_DIRECTORY)
    fails(errno.EISDIR, vol.lookup(folder).open, os.O_RDWR)
    with pytest.raises(TypeError, match="flags"):
        handle.open("r")  # type: ignore[arg-type]
    gfapi.File(vol.lookup(folder).open(os.O_RDONLY)).close()


def test_a_directory_is_listed(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)
    directory.create("file", mode=0o640)
    directory.mkdir("below")
    with directory.opendir() as listing:
        assert {entry.name for entry in listing} == {".", "..", "file", "below"}
    with directory.opendir(readdirplus=True) as listing:
        modes = {entry.name: status.st_mode for entry, status in listing}
    assert modes["file"] == stat.S_IFREG | 0o640
    fails(errno.ENOTDIR, directory.lookup("file").opendir)


# ----------------------------------------------------------------------------- metadata


def test_a_handle_has_the_status_of_its_file(vol: gfapi.Volume, folder: str) -> None:
    path = write(vol, f"{folder}/file")
    handle = vol.lookup(path)
    expected = vol.stat(path)
    for status in (handle.stat(), handle.getattrs()):
        for name in ("st_mode", "st_ino", "st_size", "st_uid", "st_mtime_ns", "st_nlink"):
            assert getattr(status, name) == getattr(expected, name)
    assert handle.statvfs().f_bsize == vol.statvfs("/").f_bsize


def test_setattr_sets_what_is_given_and_nothing_else(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    handle.setattr(mode=0o640, uid=1, gid=2, size=3, ns=(1_000_000_001, 2_000_000_002))
    status = handle.stat()
    assert status.st_mode == stat.S_IFREG | 0o640
    assert (status.st_uid, status.st_gid, status.st_size) == (1, 2, 3)
    assert (status.st_atime_ns, status.st_mtime_ns) == (1_000_000_001, 2_000_000_002)
    handle.setattr(uid=5)
    handle.setattr(gid=-1)
    handle.setattr()
    status = handle.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (5, 2, 0o640)
    handle.setattr(times=(10, 20.5))
    assert (handle.stat().st_atime, handle.stat().st_mtime) == (10, 20.5)


def test_setattr_refuses_what_makes_no_sense(plain_vol: gfapi.Volume, plain_folder: str) -> None:
    handle = plain_vol.lookup(write(plain_vol, f"{plain_folder}/file"))
    with pytest.raises(ValueError, match="not both"):
        handle.setattr(times=(1, 2), ns=(1, 2))
    with pytest.raises(OverflowError):
        handle.setattr(uid=1 << 32)
    with pytest.raises(TypeError):
        handle.setattr(mode="rw")  # type: ignore[arg-type]
    fails(errno.EINVAL, handle.setattr, size=-1)
    fails(errno.EISDIR, plain_vol.lookup("/").setattr, size=1)


def test_access_says_what_the_caller_may(vol: gfapi.Volume, folder: str) -> None:
    handle = vol.lookup(write(vol, f"{folder}/file"))
    for mode in (os.F_OK, os.R_OK, os.W_OK | os.X_OK):  # root may do all of it
        assert handle.access(mode)
    with pytest.raises(OverflowError):
        handle.access(1 << 31)


def test_extended_attributes_are_those_of_the_file(vol: gfapi.Volume, folder: str) -> None:
    path = write(vol, f"{folder}/file")
    handle = vol.lookup(path)
    handle.setxattr("user.text", "t\N{EURO SIGN}xt")
    handle.setxattr("user.binary", b"a\0b")
    handle.setxattr("user.empty", bytearray())
    assert vol.getxattr(path, "user.text") == handle.getxattr("user.text") == "t\N{EURO SIGN}xt"
    assert handle.getxattr(b"user.binary") == b"a\0b"
    assert handle.getxattr("user.empty") == ""
    assert set(handle.listxattr()) >= {"user.text", "user.binary", "user.empty"}
    fails(errno.EEXIST, handle.setxattr, "user.text", b"", os.XATTR_CREATE)
    fails(errno.ENODATA, handle.setxattr, "user.no", b"", os.XATTR_REPLACE)
    handle.removexattr("user.text")
    fails(errno.ENODATA, handle.getxattr, "user.text")
    fails(errno.ENODATA, handle.removexattr, "user.text")
    fails(errno.ENAMETOOLONG, handle.getxattr, "user." + "x" * 300)
    handle.xattrs["user.text"] = "again"
    assert handle.xattrs["user.text"] == b"again"
    assert "user.no" not in handle.xattrs


def test_access_control_lists_are_those_of_the_file(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)
    file = directory.create("file", mode=0o640)
    assert file.getacl() == "user::rw-\ngroup::r--\nother::---\n"
    file.setacl("u::rw,u:1000:r,g::r,o::-")
    assert "user:1000:r--" in vol.getacl(f"{folder}/file")
    directory.setacl("u::rwx,g::rx,o::-", default=True)
    assert directory.getacl(default=True) == "user::rwx\ngroup::r-x\nother::---\n"
    link = directory.symlink("file", "link")
    fails(errno.EOPNOTSUPP, link.getacl)
    fails(errno.EOPNOTSUPP, link.setacl, "u::rw,g::r,o::-")


# -------------------------------------------------------------------- below a directory


def test_a_directory_makes_what_it_is_told(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)
    made = {
        "file": directory.create("file", mode=0o604),
        "below": directory.mkdir("below", 0o750),
        "pipe": directory.mknod("pipe", stat.S_IFIFO | 0o600),
        "node": directory.mknod("node", 0o644),
        "link": directory.symlink("file", "link"),
    }
    for name, handle in made.items():
        assert handle == vol.lookup(f"{folder}/{name}", follow_symlinks=False)
    assert made["file"].stat().st_mode == stat.S_IFREG | 0o604
    assert made["below"].stat().st_mode == stat.S_IFDIR | 0o750
    assert made["node"].stat().st_mode == stat.S_IFREG | 0o644
    assert vol.readlink(f"{folder}/link") == "file"
    for call in (directory.mkdir, directory.create):
        arguments = ("file", os.O_EXCL) if call == directory.create else ("file",)
        assert fails(errno.EEXIST, call, *arguments).filename == "file"


def test_create_takes_what_is_there_as_open_does(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)
    existing = vol.lookup(write(vol, f"{folder}/file"))
    vol.symlink("file", f"{folder}/link")
    vol.mkdir(f"{folder}/below")
    assert directory.create("file", mode=0o600) == existing
    assert directory.create("link") == existing
    assert existing.stat().st_mode & 0o777 == 0o666
    assert existing.pread(100, 0) == b"content"
    directory.create("file", os.O_TRUNC)
    assert existing.stat().st_size == 0
    fails(errno.EISDIR, directory.create, "below")
    with pytest.raises(TypeError):
        directory.create("x", "w")  # type: ignore[arg-type]


def test_create_open_makes_a_file_and_opens_it(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)
    handle, file = directory.create_open("file", os.O_RDWR | os.O_EXCL, 0o600)
    with file:
        assert file.write(b"content") == 7
        file.seek(0)
        assert file.read() == b"content"
        assert file.fstat().st_ino == handle.stat().st_ino
    assert handle.stat().st_mode == stat.S_IFREG | 0o600
    fails(errno.EEXIST, directory.create_open, "file", os.O_RDWR | os.O_EXCL)
    same, file = directory.create_open("file", os.O_WRONLY | os.O_TRUNC)
    with file:
        assert same == handle
        assert file.fgetsize() == 0
    fails(errno.EISDIR, vol.lookup("/").create_open, folder[1:])


def test_create_open_survives_an_unmount_that_closes_both(plain: sandbox.SandboxVolume) -> None:
    with plain.client() as vol:
        root = vol.lookup("/")
        handle, file = root.create_open("createopen")
        file.write(b"x" * 100_000)
        root.unlink("createopen")
    assert handle.closed
    assert file.closed


def test_links_renames_and_removals_go_by_handles(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str
) -> None:
    directory = vol.lookup(folder)
    file, below = directory.create("file"), directory.mkdir("below")
    file.link(below, "second")
    assert file.stat().st_nlink == 2
    assert below.lookup("second") == file
    directory.rename("file", below, b"third")
    assert set(vol.listdir(f"{folder}/below")) == {"second", "third"}
    if sandbox_volume.name != "distribute":  # which may go on listing a name that is gone
        below.rename("third", below, "second")  # two names of one file: POSIX has it do nothing
    for name in vol.listdir(f"{folder}/below"):
        below.unlink(name)
    directory.unlink("below")
    assert vol.listdir(folder) == []


def test_links_renames_and_removals_fail_as_they_should(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)
    file, below = directory.create("file"), directory.mkdir("below")
    inner = below.mkdir("inner")
    for number in range(10):  # on a distributed volume, these are on any of the bricks
        directory.create(f"taken{number}")
        fails(errno.EEXIST, file.link, directory, f"taken{number}")
        directory.unlink(f"taken{number}")
    fails(errno.EEXIST, file.link, directory, "below")
    fails(errno.EISDIR, below.link, directory, "x")
    fails(errno.ENOTDIR, file.link, file, "x")
    fails(errno.ENOTDIR, directory.rename, "below", file, "x")
    fails(errno.ENOENT, directory.rename, "no", below, "x")
    fails(errno.EINVAL, directory.rename, "below", inner, "x")
    fails(errno.ENOENT, directory.unlink, "no")
    fails(errno.ENOTEMPTY, directory.unlink, "below")
    for parent in ("/", None, folder):
        with pytest.raises(TypeError, match="a Handle is required"):
            file.link(parent, "x")  # type: ignore[arg-type]
    assert set(vol.listdir(folder)) == {"file", "below"}


@pytest.mark.parametrize("name", ["a/b", "/a", "a/", ".", "..", "/"])
def test_a_name_is_that_of_one_entry(plain_vol: gfapi.Volume, plain_folder: str, name: str) -> None:
    directory = plain_vol.lookup(plain_folder)
    file = directory.create("file")
    calls: list[Callable[[], Any]] = [
        lambda: directory.create(name),
        lambda: directory.create_open(name),
        lambda: directory.mkdir(name),
        lambda: directory.mknod(name, 0o600),
        lambda: directory.symlink("x", name),
        lambda: directory.unlink(name),
        lambda: directory.rename(name, directory, "x"),
        lambda: directory.rename("file", directory, name),
        lambda: file.link(directory, name),
    ]
    for call in calls:
        assert fails(errno.EINVAL, call).filename == name
    assert plain_vol.listdir(plain_folder) == ["file"]


def test_a_name_is_checked_as_those_of_paths_are(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    directory = plain_vol.lookup(plain_folder)
    fails(errno.ENOENT, directory.mkdir, "")
    fails(errno.ENAMETOOLONG, directory.mkdir, "x" * 256)
    with pytest.raises(ValueError, match="null"):
        directory.mkdir("a\0b")
    with pytest.raises(TypeError):
        directory.mkdir(5)  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        directory.mkdir("x", 1 << 32)
    odd = os.fsdecode(b"\xff\xfe")
    assert directory.mkdir(odd) == directory.lookup(b"\xff\xfe")


def test_nothing_is_made_below_a_file_or_a_removed_directory(
    vol: gfapi.Volume, folder: str
) -> None:
    directory = vol.lookup(folder)
    file, gone = directory.create("file"), directory.mkdir("gone")
    directory.unlink("gone")
    for parent, codes in ((file, {errno.ENOTDIR}), (gone, {errno.ESTALE, errno.ENOENT})):
        calls: list[Callable[[], Any]] = [
            lambda parent=parent: parent.create("x"),
            lambda parent=parent: parent.create_open("x"),
            lambda parent=parent: parent.mkdir("x"),
            lambda parent=parent: parent.symlink("x", "y"),
            lambda parent=parent: parent.unlink("x"),
            lambda parent=parent: directory.rename("file", parent, "x"),
        ]
        for call in calls:
            with pytest.raises(OSError, match=r"^\[Errno") as caught:
                call()
            assert caught.value.errno in codes
    assert vol.listdir(folder) == ["file"]


def test_a_handle_of_another_volume_never_reaches_libgfapi(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    directory = plain_vol.lookup(plain_folder)
    file = directory.create("file")
    with plain.client() as other:
        elsewhere = other.lookup(plain_folder)
        error = fails(errno.EXDEV, file.link, elsewhere, "x")
        assert (error.filename, error.filename2) == (f"{plain_folder}/file", plain_folder)
        fails(errno.EXDEV, directory.rename, "file", elsewhere, "x")
    assert plain_vol.listdir(plain_folder) == ["file"]


def test_many_threads_make_files_by_one_handle(vol: gfapi.Volume, folder: str) -> None:
    directory = vol.lookup(folder)

    def make(worker: int) -> None:
        for number in range(20):
            directory.create(f"{worker}-{number}").pwrite(b"x", 0)

    threads = [threading.Thread(target=make, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vol.listdir(folder)) == 80
