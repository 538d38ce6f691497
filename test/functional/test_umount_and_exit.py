"""What an unmount and the end of the interpreter leave behind: everything written, nothing open."""

from __future__ import annotations

import contextlib
import errno
import gc
import gzip
import importlib.util
import inspect
import io
import lzma
import os
import random
import re
import subprocess
import sys
import tarfile
import textwrap
import threading
import zipfile
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Callable

import hanging
import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

Output = Callable[..., str]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
WaitUntil = Callable[[Callable[[], object]], None]
OpenOnBricks = Callable[[sandbox.SandboxVolume, str], int]

#: The C tear-down alone takes ten seconds. Whatever ends within this time does not wait for it.
NO_TEAR_DOWN = 8


# ----------------------------------------------------------------------------------- umount


@pytest.fixture(scope="session")
def tear_downs(
    plain: sandbox.SandboxVolume, begin: Callable[..., Future[str]]
) -> list[Future[str]]:
    """What some programs find out in the ten seconds that a tear-down takes."""
    waiting = """
        def threads_of_glusterfs():
            return [name for name in thread_names() if name.startswith("glfs_ep")]

        vol.umount(wait=True)
        vols = [gfapi.Volume(hosts.split(","), volname) for _ in range(3)]
        for volume in vols:
            volume.mount()
        assert threads_of_glusterfs()
        vols[0].umount()
        vols[1].umount()
        vols[1].mount()
        vols[1].umount()
        waits = [threading.Thread(target=v.umount, kwargs={"wait": True}) for v in vols]
        for thread in waits:
            thread.start()
        for thread in waits:
            thread.join()
        if not threads_of_glusterfs():
            print("umount waited")
    """
    many = """
        from gluster.gfapi import ending
        ending.MOST_ENDING = 3
        for number in range(5):
            vol.mount()
            if len(ending._ending) >= ending.MOST_ENDING:
                print("too many")
            vol.stat("/")
            if number < 4:
                vol.umount()
        print("mount waited")
    """
    interrupted = """
        vol.mount()
        vol.umount()
        (ending,) = vol._mount.endings
        ending.is_alive = lambda: False  # as Python has it after an interrupted join
        vol.umount(wait=True)
        if ending.is_over:
            print("umount waited")
    """
    return [begin(plain, "", program) for program in (waiting, many, interrupted)]


@pytest.mark.usefixtures("tear_downs")
def test_umount_closes_what_is_open(plain: sandbox.SandboxVolume, plain_folder: str) -> None:
    with plain.client() as vol:
        file = vol.fopen(f"{plain_folder}/file", "w")
        file.write(b"x")
        listing = vol.opendir(plain_folder)
        entries = vol.scandir("/")
        next(entries)
    assert file.closed
    assert listing.closed
    for call in (file.tell, file.close, lambda: file.write(b"x"), lambda: next(listing)):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call()
    with pytest.raises(OSError, match="Bad file descriptor"):
        next(entries)


def test_after_umount_the_bricks_have_nothing_open(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    folder: str,
    open_on_bricks: OpenOnBricks,
    wait_until: WaitUntil,
) -> None:
    path = f"{folder}/file"
    vol.mknod(path, 0o600)
    with sandbox_volume.client() as other:
        file = other.fopen(path, "r+")
        file.write(b"x")
        file.fsync()
        # What open gave is never made a File of.
        raw = other.open(path, os.O_RDWR | os.O_TRUNC)
        assert open_on_bricks(sandbox_volume, path) >= 2
    with pytest.raises(OSError, match="no open glfd"):
        gfapi.File(int(raw))
    wait_until(lambda: open_on_bricks(sandbox_volume, path) == 0)
    assert file.closed


def test_umount_has_everything_on_the_bricks_when_it_returns(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str
) -> None:
    data = os.urandom(1 << 20)
    with sandbox_volume.client() as other:
        files = [other.fopen(f"{folder}/{number}", "w") for number in range(5)]
        for file in files:
            for _ in range(4):
                file.write(data)
    stored = 0
    for brick in sandbox_volume.bricks:
        for name in map(str, range(5)):
            path = f"{brick.path}{folder}/{name}"
            stored += os.path.getsize(path) if os.path.exists(path) else 0
    copies = {"plain": 1, "replica": 3, "distribute": 1, "disperse": 1.5}[sandbox_volume.name]
    assert stored == copies * 5 * 4 * len(data)
    for number in range(5):
        with vol.fopen(f"{folder}/{number}") as file:
            assert file.read() == data * 4


def write_what_cannot_be_stored(vol: gfapi.Volume, path: str) -> gfapi.File:
    """The volume takes it, and finds out when it passes it on."""
    file = vol.fopen(path, "w")
    file.seek(2**62)
    file.write(b"x")
    return file


def test_close_tells_of_a_write_that_failed_and_has_closed_the_file(
    vol: gfapi.Volume, folder: str
) -> None:
    file = write_what_cannot_be_stored(vol, f"{folder}/file")
    with pytest.raises(OSError, match="File too large") as caught:
        file.close()
    assert caught.value.filename == f"{folder}/file"
    assert file.closed


def test_umount_tells_of_a_write_that_failed_and_has_unmounted(
    sandbox_volume: sandbox.SandboxVolume, folder: str, vol: gfapi.Volume
) -> None:
    other = sandbox_volume.client()
    other.mount()
    file = write_what_cannot_be_stored(other, f"{folder}/file")
    with pytest.raises(gfapi.LibgfapiException, match=r"umount: .*File too large.*/file"):
        other.umount()
    assert not other.mounted
    assert file.closed
    other.umount()
    with other:
        assert other.listdir(folder) == ["file"]


def test_a_program_that_ends_does_not_hide_a_write_that_failed(
    plain: sandbox.SandboxVolume, plain_folder: str, run_python: Run
) -> None:
    program = """
        vol.mount()
        file = vol.fopen(folder + "/file", "w")
        file.seek(2**62)
        file.write(b"x")
    """
    done = run_python(plain, plain_folder, program, timeout=NO_TEAR_DOWN)
    assert "File too large" in done.stderr


def test_umount_works_after_a_file_was_opened_and_closed_without_a_read(
    sandbox_volume: sandbox.SandboxVolume, output_of: Output, folder: str
) -> None:
    program = """
        vol.mount()
        vol.fopen(folder + "/file", "w").close()
        vol.umount()
        for use in (lambda file: None, lambda file: file.fstat()):
            vol.mount()
            file = vol.fopen(folder + "/file")
            use(file)
            file.close()
            vol.umount()
    """
    output_of(sandbox_volume, folder, program, timeout=40)


def test_close_lets_calls_of_other_threads_finish(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    path = f"{plain_folder}/file"
    for _ in range(20):
        written, codes = write_until_closed(plain_vol.fopen(path, "w"))
        assert codes == [errno.EBADF]
        assert plain_vol.getsize(path) == written


def write_until_closed(file: gfapi.File) -> tuple[int, list[Any]]:
    """Close a file that another thread writes to; how much it wrote, and how it ended."""
    written: list[int] = []
    codes: list[Any] = []

    def write() -> None:
        try:
            while True:
                written.append(file.write(b"x" * 4096))
        except OSError as error:
            codes.append(error.errno)

    thread = threading.Thread(target=write)
    thread.start()
    while not written:
        pass
    file.close()
    thread.join()
    return sum(written), codes


def test_umount_under_the_feet_of_other_threads_never_crashes_and_loses_nothing(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, output_of: Output, folder: str
) -> None:
    program = """
        refused = (gfapi.VolumeNotMounted, OSError)

        def use(number, started, counts):
            path = f"{folder}/{number}"
            try:
                file = vol.fopen(path, "a")
                while True:
                    counts[number] += file.write(b"x" * 8192)
                    if number % 2:
                        vol.stat(path)
                        vol.listdir(folder)
                        with vol.fopen(path) as reader:
                            reader.read(4096)
                    started[number] = True
            except gfapi.VolumeNotMounted:
                pass
            except OSError as error:
                assert error.errno == 9, error

        counts = [0] * 8
        for _ in range(4):
            started = [False] * 8
            vol.mount()
            threads = [
                threading.Thread(target=use, args=(number, started, counts)) for number in range(8)
            ]
            for thread in threads:
                thread.start()
            while not all(started):
                time.sleep(0.01)
            vol.umount()
            for thread in threads:
                thread.join()
        print(*counts)
    """
    counts = output_of(sandbox_volume, folder, program, options=["-X", "faulthandler"]).split()
    assert [vol.getsize(f"{folder}/{number}") for number in range(8)] == list(map(int, counts))


def test_umount_and_mount_in_many_threads_at_once(
    plain: sandbox.SandboxVolume, output_of: Output, plain_folder: str
) -> None:
    program = """
        def use():
            for _ in range(6):
                try:
                    vol.mount()
                    vol.listdir("/")
                    vol.umount()
                except gfapi.VolumeNotMounted:
                    pass
                except OSError as error:
                    assert error.errno == 9, error

        threads = [threading.Thread(target=use) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        vol.umount()
        assert not vol.mounted
    """
    output_of(plain, plain_folder, program, options=["-X", "faulthandler"])


def test_a_volume_that_is_dropped_is_unmounted(
    plain: sandbox.SandboxVolume,
    plain_folder: str,
    open_on_bricks: OpenOnBricks,
    wait_until: WaitUntil,
) -> None:
    path = f"{plain_folder}/file"
    vol = plain.client()
    vol.mount()
    raw = vol.open(path, os.O_CREAT | os.O_RDWR)
    assert open_on_bricks(plain, path) == 1
    del raw, vol
    gc.collect()
    wait_until(lambda: open_on_bricks(plain, path) == 0)


# ------------------------------------------------------------ what is in flight for too long


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        ("1", TypeError),
        (None, TypeError),
        (True, TypeError),
        (-1, ValueError),
        (float("-inf"), ValueError),
        (float("nan"), ValueError),
    ],
)
def test_a_bound_without_sense_is_refused(
    plain: sandbox.SandboxVolume, timeout: Any, error: type[Exception]
) -> None:
    vol = plain.client()
    for _ in range(2):
        with pytest.raises(error, match="timeout"):
            vol.umount(timeout=timeout)
        vol.mount()
        assert vol.mounted
    vol.umount(timeout=float("inf"))
    assert not vol.mounted


HANGING = f"""
import contextlib, signal
from pathlib import Path

{inspect.getsource(hanging.stop)}
brick = int(arguments[0])

@contextlib.contextmanager
def hanging():
    stop(brick)
    try:
        yield
    finally:
        os.kill(brick, signal.SIGCONT)

def refusal():
    try:
        vol.umount(timeout=0.5)
    except gfapi.LibgfapiException as error:
        assert error.errno == 110 and not vol.mounted, error
        return str(error)
    raise AssertionError("it was unmounted properly")

vol.mount()
file = vol.fopen(folder + "/file", "w")
file.write(b"x")
file.fsync()
"""


@pytest.fixture
def with_a_brick_that_hangs(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> Callable[[str], str]:
    """A function that runs a program that may make the brick hang, and returns what it printed."""

    def run(program: str) -> str:
        pid = str(plain.bricks[0].pid)
        return output_of(plain, plain_folder, HANGING + textwrap.dedent(program), pid)

    return run


def test_umount_names_the_files_that_it_could_not_close_in_time(
    with_a_brick_that_hangs: Callable[[str], str], plain_folder: str
) -> None:
    program = """
        with hanging():
            file.write(b"x")
            print(refusal())
    """
    printed = with_a_brick_that_hangs(program)
    assert printed == f"umount: 1 still to be closed: '{plain_folder}/file'\n"


def test_umount_names_the_threads_whose_calls_did_not_end_in_time(
    with_a_brick_that_hangs: Callable[[str], str], plain_folder: str
) -> None:
    program = """
        file.close()
        threads = [
            threading.Thread(target=vol.unlink, args=(folder + "/file",), name="remover"),
            threading.Thread(target=vol.mkdir, args=(folder + "/folder",), name="maker"),
        ]
        with hanging():
            for thread in threads:
                thread.start()
            while len(vol._mount.calls) < 2:
                time.sleep(0.01)
            print(refusal())
        for thread in threads:
            thread.join()
    """
    printed = with_a_brick_that_hangs(program)
    assert printed.startswith("umount: a call did not end in time: ")
    assert "thread 'remover' in glfs_unlink" in printed
    assert "thread 'maker' in glfs_mkdir" in printed


def test_a_volume_that_could_not_be_unmounted_in_time_is_mounted_again_and_well(
    with_a_brick_that_hangs: Callable[[str], str],
) -> None:
    program = """
        with hanging():
            file.write(b"y")
            refusal()
            assert file.closed
            vol.umount(timeout=0)
        vol.mount()
        vol.fopen(folder + "/other", "w").close()
        vol.umount(timeout=5)
        vol.mount()
        with vol.fopen(folder + "/file") as file:
            assert file.read() in (b"x", b"xy")
    """
    with_a_brick_that_hangs(program)


def test_umount_tells_which_calls_to_the_bricks_are_in_flight(
    sandbox_volume: sandbox.SandboxVolume, output_of: Output, folder: str
) -> None:
    if sandbox_volume.name != "disperse":
        pytest.skip("it holds no locks back, which are in flight for a second")
    program = """
        vol.mount()
        vol.mkdir(folder + "/folder")
        try:
            vol.umount(timeout=0)
        except gfapi.LibgfapiException as error:
            assert error.errno == 110, error
            print(error)
    """
    printed = output_of(sandbox_volume, folder, program)
    pattern = r"umount: \d+ calls? to the bricks still in flight: .* at disperse-.*\n"
    assert re.fullmatch(pattern, printed)


# -------------------------------------------------------------------------- the tear-down


def test_umount_waits_for_the_tear_down_if_asked_to_also_for_that_of_an_earlier_one(
    tear_downs: list[Future[str]],
) -> None:
    assert tear_downs[0].result() == "umount waited\n"


def test_a_file_that_somebody_is_inside_of_keeps_no_other_from_being_closed(
    plain: sandbox.SandboxVolume, plain_folder: str
) -> None:
    vol = plain.client()
    vol.mount()
    files = [vol.fopen(f"{plain_folder}/{number}", "w") for number in range(20)]
    inside = files[7]._descriptor.calls
    inside.append(None)
    try:
        with pytest.raises(gfapi.LibgfapiException, match="1 still to be closed"):
            vol.umount(timeout=1)
    finally:
        inside.clear()


def test_an_interrupted_wait_for_the_tear_down_does_not_make_the_next_one_too_short(
    tear_downs: list[Future[str]],
) -> None:
    assert tear_downs[2].result() == "umount waited\n"


def test_a_mount_waits_as_long_as_there_are_too_many_tear_downs(
    tear_downs: list[Future[str]],
) -> None:
    assert tear_downs[1].result() == "mount waited\n"


# ------------------------------------------------------------------------- ResourceWarning


@pytest.mark.parametrize(
    ("opened", "message"),
    [
        (lambda vol, folder: vol.fopen(f"{folder}/file", "w"), "unclosed <gluster.gfapi.File"),
        (lambda vol, folder: vol.opendir(folder), "unclosed <gluster.gfapi.Dir"),
    ],
    ids=["File", "Dir"],
)
def test_what_is_collected_unclosed_warns_and_closes_itself(
    plain_vol: gfapi.Volume, plain_folder: str, opened: Any, message: str
) -> None:
    things = [opened(plain_vol, plain_folder)]
    descriptor = things[0]._descriptor
    with pytest.warns(ResourceWarning, match=message):
        things.clear()
    assert not descriptor.is_open


def test_a_scandir_that_is_abandoned_warns_and_closes_itself(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    plain_vol.mkdir(f"{plain_folder}/a")
    plain_vol.mkdir(f"{plain_folder}/b")
    before = len(plain_vol._mount.descriptors)
    scans = [plain_vol.scandir(plain_folder)]
    next(scans[0])
    with pytest.warns(ResourceWarning, match="unclosed <gluster.gfapi.Dir"):
        scans.clear()
    assert len(plain_vol._mount.descriptors) == before


def test_what_is_closed_before_it_is_collected_does_not_warn(
    plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    # Any warning fails a test.
    plain_vol.mkdir(f"{plain_folder}/a")
    with plain_vol.fopen(f"{plain_folder}/file", "w"), plain_vol.opendir(plain_folder):
        pass
    list(plain_vol.scandir(plain_folder))
    for _ in plain_vol.scandir(plain_folder):
        pass
    gc.collect()


# ------------------------------------------------------------------------------------- exit

ENDINGS = {
    "at its end": ("", 0),
    "by sys.exit": ("sys.exit(3)", 3),
    "by an exception": ("raise RuntimeError('the only thing said')", 1),
    "in a thread": ("threading.Thread(target=lambda: time.sleep(0.2)).start()", 0),
    "with a daemon thread at work": (
        """
def work():
    while True:
        vol.stat("/")
        with vol.fopen(folder + "/other", "w") as other:
            other.write(b"y" * 1000)
        vol.listdir(folder)

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
        """,
        0,
    ),
}


@pytest.mark.parametrize("options", [(), ("-X", "dev")], ids=["", "dev"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_that_never_unmounts_loses_nothing_and_says_nothing(
    plain: sandbox.SandboxVolume,
    plain_vol: gfapi.Volume,
    plain_folder: str,
    run_python: Run,
    ending: str,
    options: tuple[str, ...],
) -> None:
    last, code = ENDINGS[ending]
    program = (
        """
vol.mount()
closed = vol.fopen(folder + "/closed", "w")
closed.write(b"x" * 3_000_000)
closed.close()
left_open = vol.fopen(folder + "/open", "w")
left_open.write(b"x" * 3_000_000)
listing = vol.opendir("/")
entries = vol.scandir("/")
next(entries)
"""
        + last
    )
    done = run_python(plain, plain_folder, program, options=options, timeout=NO_TEAR_DOWN)
    assert done.returncode == code
    assert done.stdout == ""
    if ending == "by an exception":
        assert done.stderr.startswith("Traceback (most recent call last):")
        assert done.stderr.endswith("RuntimeError: the only thing said\n")
        assert done.stderr.count("Error") == done.stderr.count("RuntimeError")
        assert "gfapi" not in done.stderr.replace("from gluster import gfapi", "")
    else:
        assert done.stderr == ""
    for name in ("closed", "open"):
        with plain_vol.fopen(f"{plain_folder}/{name}") as file:
            assert file.read() == b"x" * 3_000_000


def test_at_exit_all_is_on_the_bricks_of_every_kind_of_volume(
    sandbox_volume: sandbox.SandboxVolume, vol: gfapi.Volume, folder: str, output_of: Output
) -> None:
    program = """
        vol.mount()
        for number in range(20):
            file = vol.fopen(f"{folder}/{number}", "w")
            file.write(bytes([number]) * 200_000)
            if number % 2:
                file.close()
            else:
                globals()[f"file{number}"] = file
        vol.setxattr(f"{folder}/0", "user.x", "y")
        vol.rename(f"{folder}/19", f"{folder}/renamed")
    """
    assert output_of(sandbox_volume, folder, program, timeout=NO_TEAR_DOWN) == ""
    for number in range(20):
        name = "renamed" if number == 19 else str(number)
        with vol.fopen(f"{folder}/{name}") as file:
            assert file.read() == bytes([number]) * 200_000
    assert vol.getxattr(f"{folder}/0", "user.x") == "y"


def test_a_program_that_unmounts_does_not_wait_for_the_tear_down_either(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    program = """
        for number in range(3):
            with vol, vol.fopen(f"{folder}/{number}", "w") as file:
                file.write(b"x")
    """
    assert output_of(plain, plain_folder, program, timeout=NO_TEAR_DOWN) == ""


def test_a_program_that_ends_while_the_tear_down_is_under_way_does_not_wait_for_it(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    program = """
        from gluster.gfapi import ending
        ending.FINI_DELAY = 0
        vol.mount()
        vol.umount()
        time.sleep(0.5)
        vol.mount()
        vol.mkdir(folder + "/made")
    """
    assert output_of(plain, plain_folder, program, timeout=NO_TEAR_DOWN) == ""


def test_a_program_whose_mount_failed_ends_at_once(
    plain: sandbox.SandboxVolume, output_of: Output
) -> None:
    program = """
        for volume in (gfapi.Volume(hosts, "missing"), gfapi.Volume("127.255.255.253", "v")):
            try:
                volume.mount()
            except gfapi.LibgfapiException as error:
                print(error.errno is not None)
    """
    output = output_of(plain, "", program, timeout=NO_TEAR_DOWN)
    assert output == "True\nTrue\n"


def test_several_volumes_are_settled_at_exit(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, output_of: Output
) -> None:
    program = """
        volumes = [gfapi.Volume(hosts, volname) for _ in range(3)]
        files = []
        for number, volume in enumerate(volumes):
            volume.mount()
            files.append(volume.fopen(f"{folder}/{number}", "w"))
            files[-1].write(b"x" * 1_000_000)
    """
    assert output_of(plain, plain_folder, program, timeout=NO_TEAR_DOWN) == ""
    for number in range(3):
        assert plain_vol.getsize(f"{plain_folder}/{number}") == 1_000_000


def test_files_in_reference_cycles_and_behind_buffers_are_settled_at_exit(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, output_of: Output
) -> None:
    program = """
        import io
        vol.mount()
        class Holder: pass
        holder = Holder()
        holder.me = holder
        holder.file = vol.fopen(folder + "/cycle", "w")
        holder.file.write(b"x" * 100)
        with io.BufferedWriter(vol.fopen(folder + "/buffered", "w")) as buffered:
            buffered.write(b"x" * 100)
    """
    assert output_of(plain, plain_folder, program, timeout=NO_TEAR_DOWN) == ""
    for name in ("cycle", "buffered"):
        assert plain_vol.getsize(f"{plain_folder}/{name}") == 100


@pytest.mark.parametrize("ending", ["", "vol.umount()", "raise ValueError", "sys.exit(1)"])
def test_what_pythons_streams_and_archives_hold_is_written_at_the_end(
    plain: sandbox.SandboxVolume, plain_folder: str, run_python: Run, ending: str
) -> None:
    """They are global variables, which an interpreter drops long after all is unmounted."""
    program = """
        import gzip, io, lzma, tarfile, zipfile
        vol.mount()
        vol.chdir(folder)
        buffered = io.BufferedWriter(vol.fopen("buffered", "w"))
        buffered.write(b"data")
        at_random = io.BufferedRandom(vol.fopen("at_random", "w+"))
        at_random.write(b"data")
        pair = io.BufferedRWPair(vol.fopen("buffered"), vol.fopen("pair", "w"))
        pair.write(b"data")
        text = io.TextIOWrapper(vol.fopen("text", "w"))
        text.write("data")
        layers = io.TextIOWrapper(io.BufferedWriter(vol.fopen("layers", "w")))
        layers.write("data")
        compressed = gzip.GzipFile(fileobj=vol.fopen("compressed", "w"), mode="wb")
        compressed.write(b"data")
        other = lzma.open(vol.fopen("other", "w"), "wt")
        other.write("data")
        zipped = zipfile.ZipFile(vol.fopen("zipped", "w"), "w")
        zipped.writestr("name", b"data")
        packed = tarfile.open(fileobj=vol.fopen("packed", "w"), mode="w:gz")
        packed.addfile(tarfile.TarInfo("name"))
    """
    run_python(plain, plain_folder, textwrap.dedent(program) + ending)
    written = {}
    with plain.client() as vol:
        for name in vol.listdir(plain_folder):
            with vol.fopen(f"{plain_folder}/{name}") as file:
                written[name] = file.read()
    written["compressed"] = gzip.decompress(written["compressed"])
    written["other"] = lzma.decompress(written["other"])
    with zipfile.ZipFile(io.BytesIO(written.pop("zipped"))) as zipped:
        assert zipped.read("name") == b"data"
    with tarfile.open(fileobj=io.BytesIO(written.pop("packed"))) as packed:
        assert packed.getnames() == ["name"]
    assert written == dict.fromkeys(written, b"data")
    assert len(written) == 7


def test_umount_tells_what_an_archive_says_that_cannot_be_closed(
    plain: sandbox.SandboxVolume, plain_folder: str
) -> None:
    vol = plain.client()
    vol.mount()
    archive = zipfile.ZipFile(vol.fopen(f"{plain_folder}/archive", "w"), "w")
    member = archive.open("name", "w")
    with pytest.raises(gfapi.LibgfapiException, match="open writing handle"):
        vol.umount()
    assert not vol.mounted
    with contextlib.suppress(OSError, ValueError):
        member.close()
    with contextlib.suppress(OSError, ValueError):
        archive.close()


def test_a_handler_within_a_buffers_write_cannot_unmount_and_nothing_is_lost(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    """Its own thread has the buffer, and would be waited for."""
    program = """
        import errno, io

        class Interrupted(gfapi.File):
            def write(self, data):
                if not told:
                    try:
                        vol.umount()
                    except gfapi.LibgfapiException as error:
                        told.append(error.errno == errno.EDEADLK)
                return super().write(data)

        told = []
        vol.mount()
        file = Interrupted(vol.open(f"{folder}/file", os.O_RDWR | os.O_CREAT))
        buffer = io.BufferedWriter(file, buffer_size=10)
        for _ in range(100):
            buffer.write(b"12345")
        vol.umount()
        print(told)
    """
    assert output_of(plain, plain_folder, program) == "[True]\n"
    with plain.client() as vol, vol.fopen(f"{plain_folder}/file") as file:
        assert file.read() == b"12345" * 100


def test_umount_and_exit_do_not_wait_for_ever_for_a_buffer_that_cannot_be_written(
    plain: sandbox.SandboxVolume, plain_folder: str, run_python: Run
) -> None:
    """The interpreter itself would abort of a buffer that a thread is inside of at its end."""
    program = """
        import io

        class Stuck(gfapi.File):
            def write(self, data):
                threading.Event().wait()

        vol.mount()
        stuck = io.BufferedWriter(Stuck(vol.open(f"{folder}/stuck", os.O_RDWR | os.O_CREAT)))
        stuck.write(b"data")
        try:
            vol.umount(timeout=0.5)
        except gfapi.LibgfapiException as error:
            print(error)
    """
    done = run_python(plain, plain_folder, program)
    assert (done.returncode, done.stderr) == (0, "")
    assert "stuck" in done.stdout
    assert "is not written yet" in done.stdout


def test_a_keyboard_interrupt_ends_a_program_with_nothing_lost(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, run_python: Run
) -> None:
    program = """
        import signal
        vol.mount()
        file = vol.fopen(folder + "/file", "w")
        file.write(b"x" * 1_000_000)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)
    """
    done = run_python(plain, plain_folder, program, timeout=NO_TEAR_DOWN)
    assert done.returncode != 0
    assert done.stderr.endswith("KeyboardInterrupt\n")
    assert done.stderr.count("Traceback") == 1
    assert plain_vol.getsize(f"{plain_folder}/file") == 1_000_000


def test_a_program_that_only_imports_the_package_never_loads_the_library(
    plain: sandbox.SandboxVolume, output_of: Output
) -> None:
    program = """
        with open("/proc/self/maps") as maps:
            print("libgfapi" in maps.read())
    """
    assert output_of(plain, "", program) == "False\n"
    assert "gluster.gfapi" in sys.modules


def test_an_exit_handler_may_mount_and_unmount(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, output_of: Output
) -> None:
    program = """
        import atexit
        vol.mount()

        def work():
            with gfapi.Volume(hosts.split(","), volname) as other:
                with other.fopen(folder + "/file", "w") as file:
                    file.write(b"x" * 1_000_000)
                other.opendir("/")
            vol.mkdir(folder + "/folder")
            vol.umount()

        atexit.register(work)
    """
    assert output_of(plain, plain_folder, program, timeout=NO_TEAR_DOWN) == ""
    assert plain_vol.getsize(f"{plain_folder}/file") == 1_000_000
    assert plain_vol.isdir(f"{plain_folder}/folder")


def test_a_signal_whose_handler_raises_systemexit_does_not_keep_an_exit_from_settling(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, output_of: Output
) -> None:
    program = """
        import signal
        from gluster.gfapi import mount
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        vols = [gfapi.Volume(hosts.split(","), volname) for _ in range(2)]
        files = []
        for number, volume in enumerate(vols):
            volume.mount()
            files.append(volume.fopen(f"{folder}/{number}", "w"))
            files[-1].write(b"x" * 1_000_000)

        quick = mount.frames_in_flight

        def interrupted(pointer):
            mount.frames_in_flight = quick
            os.kill(os.getpid(), signal.SIGTERM)
            return quick(pointer)

        mount.frames_in_flight = interrupted
    """
    assert output_of(plain, plain_folder, program, timeout=NO_TEAR_DOWN) == ""
    for number in range(2):
        assert plain_vol.getsize(f"{plain_folder}/{number}") == 1_000_000


def test_programs_that_end_in_any_way_lose_nothing_and_leave_nothing_to_heal(
    sandbox_volume: sandbox.SandboxVolume,
) -> None:
    """A few rounds of the proof in test/stress, without those that wait for the tear-down."""
    if sandbox_volume.name not in ("plain", "replica"):
        pytest.skip("what is to be seen there is that of a plain volume, or fragments of it")
    path = Path(__file__).parents[1] / "stress" / "exits.py"
    spec = importlib.util.spec_from_file_location("exits", path)
    assert spec
    assert spec.loader
    exits = importlib.util.module_from_spec(spec)
    sys.modules["exits"] = exits
    spec.loader.exec_module(exits)
    ways = [way for way in exits.WAYS if way not in exits.SLEEPING]
    rounds, seed = range(len(ways)), random.randrange(1 << 32)
    verdicts = list(exits.run([sandbox_volume], rounds, seed, 2, ways))
    assert [verdict for verdict in verdicts if not verdict.is_good] == []
    assert sum(verdict.files for verdict in verdicts) > len(ways)
