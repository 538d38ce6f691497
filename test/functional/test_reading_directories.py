"""Dir's position, status and directory; entries with their handles; each way to read one."""

from __future__ import annotations

import errno
import gc
import os
import stat
import threading
from collections.abc import Iterator
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api, sandbox

COUNT = 50


@pytest.fixture
def filled(vol: gfapi.Volume, folder: str) -> str:
    """A directory with some files."""
    for number in range(COUNT):
        vol.mknod(f"{folder}/{number}", 0o600)
    return folder


@pytest.fixture
def listing(vol: gfapi.Volume, filled: str) -> Iterator[gfapi.Dir]:
    """That directory, open."""
    with vol.opendir(filled) as listing:
        yield listing


def names_of(listing: Any) -> list[bytes]:
    """The names that are still to come."""
    return [entry.d_name for entry in listing]


def name_of(entry: Any) -> bytes:
    return entry[0].d_name if isinstance(entry, tuple) else entry.d_name


# ------------------------------------------------------------------------------------ position


@pytest.mark.parametrize("plus", [False, True])
def test_what_tell_gave_seek_finds_again(vol: gfapi.Volume, filled: str, plus: bool) -> None:
    with vol.opendir(filled, readdirplus=plus) as listing:
        assert listing.tell() == 0
        places, names = [0], []
        for entry in listing:
            names.append(name_of(entry))
            places.append(listing.tell())
        assert len(names) == len(set(names)) == COUNT + 2
        for number in [*range(0, len(names), 7), 0, len(names) - 1]:
            assert listing.seek(places[number]) is None
            assert listing.tell() == places[number]
            assert name_of(next(listing)) == names[number]
            assert [name_of(entry) for entry in listing] == names[number + 1 :]
        listing.seek(places[-1])
        assert list(listing) == []


def test_a_position_holds_in_another_dir_and_another_client(
    vol: gfapi.Volume, sandbox_volume: sandbox.SandboxVolume, filled: str
) -> None:
    with vol.opendir(filled) as listing:
        for _ in range(10):
            next(listing)
        place, rest = listing.tell(), names_of(listing)
    with vol.opendir(filled) as again:
        again.seek(place)
        assert names_of(again) == rest
    with sandbox_volume.client() as other, other.opendir(filled) as elsewhere:
        elsewhere.seek(place)
        assert names_of(elsewhere) == rest


def test_rewind_begins_again_and_sees_what_has_changed(
    vol: gfapi.Volume, filled: str, listing: gfapi.Dir
) -> None:
    first = names_of(listing)
    assert listing.rewind() is None
    assert names_of(listing) == first
    vol.unlink(f"{filled}/7")
    vol.mknod(f"{filled}/new", 0o600)
    listing.rewind()
    assert set(names_of(listing)) == set(first) - {b"7"} | {b"new"}
    next_after_rewind = (listing.rewind(), next(listing))[1]
    vol.mknod(f"{filled}/newer", 0o600)
    listing.rewind()
    seen = names_of(listing)
    assert b"newer" in seen
    assert seen[0] == name_of(next_after_rewind)


def test_rewind_before_the_first_entry_changes_nothing(listing: gfapi.Dir) -> None:
    listing.rewind()
    assert len(names_of(listing)) == COUNT + 2


def test_what_is_read_to_its_end_stays_there(
    vol: gfapi.Volume, filled: str, listing: gfapi.Dir
) -> None:
    names_of(listing)
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(listing)
    place = listing.tell()
    listing.seek(place)
    assert names_of(listing) == []


@pytest.mark.parametrize("plus", [False, True])
def test_a_dir_that_begins_at_its_end_is_rewound(
    vol: gfapi.Volume, filled: str, plus: bool
) -> None:
    with vol.opendir(filled) as listing:
        names_of(listing)
        end = listing.tell()
    with vol.opendir(filled, plus) as listing:
        listing.seek(end)
        assert list(listing) == []
        for _ in range(2):
            listing.rewind()
            assert len(list(listing)) == COUNT + 2


@pytest.mark.parametrize("position", [1, 5, 1 << 20, 1 << 40, (1 << 62) + 5, (1 << 63) - 1])
def test_any_other_position_does_no_harm(listing: gfapi.Dir, position: int) -> None:
    listing.seek(position)
    try:
        assert len(names_of(listing)) <= COUNT + 2
    except OSError as error:
        assert error.errno == errno.EINVAL  # noqa: PT017 - it may, and need not
    listing.rewind()
    assert len(names_of(listing)) == COUNT + 2


@pytest.mark.parametrize(
    ("position", "problem"),
    [
        (-1, OSError),
        (1 << 63, OverflowError),
        ("1", TypeError),
        (1.0, TypeError),
        (None, TypeError),
    ],
)
def test_what_is_no_position_is_refused(
    plain_vol: gfapi.Volume, plain_folder: str, position: Any, problem: type[Exception]
) -> None:
    with plain_vol.opendir(plain_folder) as listing:
        with pytest.raises(problem):
            listing.seek(position)
        assert len(names_of(listing)) == 2


def test_threads_share_a_position(listing: gfapi.Dir) -> None:
    def read() -> None:
        for entry in listing:
            seen.append(name_of(entry))
            listing.tell()

    seen: list[bytes] = []
    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == len(set(seen)) == COUNT + 2


# ------------------------------------------------------------------ the directory that is open


def test_a_dir_has_a_name_and_a_status(vol: gfapi.Volume, filled: str, listing: gfapi.Dir) -> None:
    assert listing.name == filled
    status = listing.stat()
    assert stat.S_ISDIR(status.st_mode)
    assert status.st_ino == vol.stat(filled).st_ino
    vol.chmod(filled, 0o700)
    assert stat.S_IMODE(listing.stat().st_mode) == 0o700


def test_a_dir_can_be_the_working_directory(
    vol: gfapi.Volume, filled: str, listing: gfapi.Dir
) -> None:
    try:
        assert listing.chdir() is None
        assert vol.getcwd() == filled
        assert vol.exists("7")
        vol.rename(filled, f"{filled}.renamed")
        assert vol.exists("7")
        assert vol.getacl("7") == vol.getacl(f"{filled}.renamed/7")
    finally:
        vol.chdir("/")


def test_a_working_directory_by_dir_survives_a_fork(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
        vol.mount()
        with vol.opendir(folder) as listing:
            listing.chdir()
        vol.mknod("here", 0o600)
        child = os.fork()
        if not child:
            print(vol.getcwd() == folder, vol.exists("here"), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    """
    assert output_of(plain, plain_folder, program) == "True True\n"


def test_all_methods_of_a_closed_dir_are_ebadf(vol: gfapi.Volume, filled: str) -> None:
    listing = vol.opendir(filled)
    listing.close()
    for call in (
        lambda: next(listing),
        listing.tell,
        lambda: listing.seek(0),
        listing.rewind,
        listing.stat,
        listing.chdir,
    ):
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            call()
        assert (caught.value.errno, caught.value.filename) == (errno.EBADF, filled)
    assert listing.name == filled


def test_a_dir_is_closed_while_others_read_it(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
        import errno
        vol.mount()
        for number in range(200):
            vol.mknod(f"{folder}/{number}", 0o600)
        problems = set()
        def read(listing):
            try:
                while True:
                    for entry in listing:
                        listing.seek(listing.tell())
                    listing.rewind()
            except OSError as error:
                problems.add(errno.errorcode[error.errno])
        for turn in range(20):
            listing = vol.opendir(folder, readdirplus=turn % 2)
            threads = [threading.Thread(target=read, args=(listing,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.01)
            listing.close()
            for thread in threads:
                thread.join()
        print(*problems)
    """
    assert output_of(plain, plain_folder, program) == "EBADF\n"


@pytest.mark.parametrize("handles", [False, True])
def test_a_scan_is_closed_while_another_thread_is_in_it(
    plain_vol: gfapi.Volume, plain_folder: str, handles: bool
) -> None:
    for number in range(COUNT):
        plain_vol.mknod(f"{plain_folder}/{number}", 0o600)
    problems: list[Any] = []

    def scan(entries: Any) -> None:
        try:
            for entry in entries:
                started.set()
                entry.inode()
        except OSError as error:
            problems.append(error.errno)

    for _ in range(20):
        started = threading.Event()
        entries = plain_vol.scandir(plain_folder, handles=handles)
        thread = threading.Thread(target=scan, args=(entries,))
        thread.start()
        started.wait(60)
        entries.close()
        thread.join()
    assert set(problems) <= {errno.EBADF}


# ------------------------------------------------------------------------ entries and status


def test_the_dots_are_the_directory_and_the_one_above(vol: gfapi.Volume, folder: str) -> None:
    vol.mkdir(f"{folder}/below")
    with vol.opendir(f"{folder}/below", readdirplus=True) as listing:
        listed = {entry.d_name: status for entry, status in listing}
    assert set(listed) == {b".", b".."}
    assert all(stat.S_ISDIR(status.st_mode) for status in listed.values())
    assert listed[b"."].st_ino == vol.stat(f"{folder}/below").st_ino
    assert listed[b".."].st_ino == vol.stat(folder).st_ino
    assert vol.stat(f"{folder}/below/..").st_ino == vol.stat(folder).st_ino
    assert vol.stat("/..").st_ino == vol.stat("/").st_ino


def test_an_entry_that_was_read_stays_as_it_was(vol: gfapi.Volume, filled: str) -> None:
    with vol.opendir(filled) as listing:
        entries = list(listing)
    assert len({entry.d_name for entry in entries}) == COUNT + 2
    for entry in entries:
        assert entry.d_ino == vol.lstat(f"{filled}/{entry.name}").st_ino


@pytest.mark.parametrize("write", [False, True])
def test_the_mode_is_never_0_while_a_file_is_made_and_written(
    vol: gfapi.Volume, folder: str, write: bool
) -> None:
    for number in range(20):
        with vol.fopen(f"{folder}/{number}", "w") as file:
            if write:
                file.write(b"text")
            with vol.opendir(folder, readdirplus=True) as listing:
                assert all(status.st_mode for _, status in listing)
            with vol.scandir(folder) as entries:
                assert all(entry.is_file() for entry in entries)
            assert all(status.st_mode for _, status in vol.listdir_with_stat(folder))


def test_a_write_is_seen_in_the_status_that_is_listed(vol: gfapi.Volume, folder: str) -> None:
    with vol.fopen(f"{folder}/file", "w") as file:
        file.write(b"text")
        file.fsync()
        assert dict(vol.listdir_with_stat(folder))["file"].st_size == 4


# ------------------------------------------------------------------------------------- handles


def fill(vol: gfapi.Volume, folder: str) -> None:
    vol.mkdir(f"{folder}/dir")
    with vol.fopen(f"{folder}/file", "w") as file:
        file.write(b"text")
    vol.symlink("file", f"{folder}/link")


@pytest.mark.parametrize("handles", [False, True])
def test_an_entry_gives_its_handle(vol: gfapi.Volume, folder: str, handles: bool) -> None:
    fill(vol, folder)
    with vol.scandir(folder, handles=handles) as entries:
        listed = {entry.name: entry for entry in entries}
    assert sorted(listed) == ["dir", "file", "link"]
    for name, entry in listed.items():
        handle = entry.handle()
        assert isinstance(handle, gfapi.Handle)
        assert handle is entry.handle()
        expected = vol.lstat(f"{folder}/{name}")
        assert handle.stat().st_ino == expected.st_ino
        assert stat.S_IFMT(handle.stat().st_mode) == stat.S_IFMT(expected.st_mode)
        assert entry.stat().st_mode == expected.st_mode
    assert listed["file"].handle().pread(10, 0) == b"text"


def test_a_listed_handle_is_of_the_file_whatever_its_name(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    with vol.scandir(folder, handles=True) as entries:
        listed = {entry.name: entry for entry in entries}
    vol.rename(f"{folder}/file", f"{folder}/dir/renamed")
    assert listed["file"].handle().pread(10, 0) == b"text"


def test_an_entry_without_a_handle_looks_it_up(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    with vol.scandir(folder) as entries:
        listed = {entry.name: entry for entry in entries}
    vol.unlink(f"{folder}/file")
    with pytest.raises(FileNotFoundError) as caught:
        listed["file"].handle()
    assert caught.value.filename == f"{folder}/file"


def test_names_of_bytes_come_with_handles_too(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    with vol.scandir(os.fsencode(folder), handles=True) as entries:
        listed = {entry.name: entry for entry in entries}
    assert sorted(listed) == [b"dir", b"file", b"link"]
    assert listed[b"file"].handle().stat().st_size == 4


def test_handles_are_given_back_with_their_entries(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    held = plain_vol._mount.objects
    gc.collect()
    before = len(held)
    for number in range(20):
        plain_vol.mknod(f"{plain_folder}/{number}", 0o600)
    with plain_vol.scandir(plain_folder, handles=True) as entries:
        kept = list(entries)
    assert len(held) == before + 20
    del kept
    gc.collect()
    assert len(held) == before
    with plain_vol.scandir(plain_folder, handles=True) as entries:
        next(entries)
    gc.collect()
    assert len(held) == before


def test_what_is_no_directory_has_no_handles(vol: gfapi.Volume, folder: str) -> None:
    fill(vol, folder)
    with pytest.raises(NotADirectoryError):
        vol.scandir(f"{folder}/file", handles=True)


def test_an_unmount_meets_a_scan_with_handles(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Callable[..., str]
) -> None:
    program = """
        import errno
        vol.mount()
        for number in range(100):
            vol.mknod(f"{folder}/{number}", 0o600)
        kept, problems = [], set()
        def scan():
            try:
                while True:
                    with vol.scandir(folder, handles=True) as entries:
                        kept.extend(entries)
            except gfapi.VolumeNotMounted:
                problems.add("not mounted")
            except OSError as error:
                problems.add("not mounted" if error.errno == errno.EBADF else str(error))
        threads = [threading.Thread(target=scan) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        vol.umount()
        for thread in threads:
            thread.join()
        print(*problems, all(entry.handle().closed for entry in kept))
    """
    assert output_of(plain, plain_folder, program) == "not mounted True\n"


# --------------------------------------------------------------------------------- the C calls


def test_each_way_to_read_has_its_own_call(
    plain_vol: gfapi.Volume, plain_folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: set[str] = set()
    for name in (
        "readdir",
        "readdir_r",
        "readdirplus",
        "readdirplus_r",
        "xreaddirplus_r",
        "xreaddirplus_get_stat",
        "xreaddirplus_get_object",
        "free",
    ):
        function = getattr(api, f"glfs_{name}")

        def counted(*arguments: Any, name: str = name, function: Any = function) -> Any:
            called.add(name)
            return function(*arguments)

        monkeypatch.setattr(api, f"glfs_{name}", counted)
    plain_vol.mknod(f"{plain_folder}/file", 0o600)

    def calls_of(read: Callable[[], Any]) -> set[str]:
        called.clear()
        read()
        return set(called)

    def read_dir(plus: bool) -> None:
        with plain_vol.opendir(plain_folder, plus) as listing:
            list(listing)

    assert calls_of(lambda: read_dir(False)) == {"readdir"}
    assert calls_of(lambda: read_dir(True)) == {"readdirplus"}
    assert calls_of(lambda: plain_vol.listdir(plain_folder)) == {"readdir_r"}
    assert calls_of(lambda: plain_vol.listdir_with_stat(plain_folder)) == {"readdirplus_r"}
    assert calls_of(lambda: list(plain_vol.scandir(plain_folder))) == {"readdirplus_r"}
    assert calls_of(lambda: list(plain_vol.scandir(plain_folder, handles=True))) == {
        "xreaddirplus_r",
        "xreaddirplus_get_stat",
        "xreaddirplus_get_object",
        "free",
    }
