"""What an unmount and the end of the interpreter leave behind: everything written, nothing open."""

from __future__ import annotations

import errno
import gc
import os
import subprocess
import sys
import threading
from typing import Any, Callable

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
        from gluster.gfapi import mount
        mount.FINI_DELAY = 0
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
