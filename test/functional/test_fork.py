"""A volume in the children of a process that has it mounted."""

from __future__ import annotations

from typing import Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

Output = Callable[..., str]

# Python itself warns of a fork where there are threads, and libgfapi has some.
OPTIONS = ("-W", "ignore::DeprecationWarning", "-X", "faulthandler")

CHILD = """
def in_child(action):
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except SystemExit:
            raise
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        sys.exit()
    return pid

def wait_for(pid):
    deadline = time.monotonic() + 30
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            assert status == 0, status
            return
        if time.monotonic() > deadline:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            raise AssertionError("the child hangs")
        time.sleep(0.01)

def refuses_calls(vol):
    assert not vol.mounted
    try:
        vol.listdir("/")
    except gfapi.VolumeNotMounted:
        return
    raise AssertionError("it is mounted")

"""


@pytest.fixture
def output(output_of: Output, plain: sandbox.SandboxVolume, plain_folder: str) -> Output:
    """A function that runs a program that forks, and returns what it printed."""

    def run(program: str, before: str = "vol.mount()\n") -> str:
        program = CHILD + before + program
        return output_of(plain, plain_folder, program, options=OPTIONS, timeout=90)

    return run


def test_a_child_mounts_anew_at_its_first_call_and_its_parent_goes_on(
    output: Output, plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    output(
        """
mount = vol._mount.pointer
parents = vol.fopen(folder + "/parent", "w")
parents.write(b"before;")

def child():
    assert vol.mounted
    with vol.fopen(folder + "/child", "w") as file:
        file.write(b"x" * 500_000)
    assert vol.getsize(folder + "/child") == 500_000

wait_for(in_child(child))
assert vol._mount.pointer == mount
parents.write(b"after")
parents.close()
assert vol.getsize(folder + "/child") == 500_000
"""
    )
    with plain_vol.fopen(f"{plain_folder}/parent") as file:
        assert file.read() == b"before;after"
    with plain_vol.fopen(f"{plain_folder}/child") as file:
        assert file.read() == b"x" * 500_000


def test_what_was_open_is_ebadf_in_the_child(output: Output) -> None:
    output(
        """
file = vol.fopen(folder + "/file", "w+")
raw = vol.open(folder + "/file", os.O_RDWR)
listing = vol.opendir(folder)
entries = vol.scandir("/")
next(entries)

def child():
    assert file.closed and listing.closed
    for call in (
        lambda: file.read(), lambda: file.write(b"x"), file.close, file.fsync, file.dup,
        listing.close, lambda: next(listing), lambda: list(entries), lambda: gfapi.File(int(raw)),
        lambda: gfapi.File(raw).read(),
    ):
        try:
            call()
        except OSError as error:
            assert error.errno == 9, error
        else:
            raise AssertionError(call)
    assert vol.exists(folder)
    for call in (lambda: file.read(), file.close):
        try:
            call()
        except OSError as error:
            assert error.errno == 9, error

wait_for(in_child(child))
file.write(b"the parent's")
file.seek(0)
assert file.read() == b"the parent's"
assert len(list(listing)) >= 2
"""
    )


def test_a_child_that_never_uses_the_volume_ends_at_once(output: Output) -> None:
    output("wait_for(in_child(lambda: None))")


def test_a_child_keeps_the_working_directory(output: Output) -> None:
    output(
        """
vol.chdir(folder)
vol.mknod("file", 0o600)

def child():
    assert vol.getcwd() == folder
    assert vol.exists("file")

wait_for(in_child(child))
"""
    )


@pytest.mark.parametrize("has_another", [False, True])
def test_a_child_whose_working_directory_is_gone_says_so_until_it_unmounts(
    output: Output, has_another: bool
) -> None:
    """Relative paths would lead elsewhere, to the root or to what has its name by then."""
    output(
        f"""
vol.mkdir(folder + "/here")
vol.chdir(folder + "/here")
vol.rename(folder + "/here", folder + "/there")
if {has_another}:
    vol.mkdir(folder + "/here")

def child():
    for call in (vol.mount, lambda: vol.listdir("."), lambda: vol.exists("/")):
        try:
            call()
        except gfapi.LibgfapiException as error:
            assert folder + "/here" in str(error), error
        else:
            assert False
    vol.umount()
    vol.mount()
    assert vol.getcwd() == "/"

wait_for(in_child(child))
assert vol.getcwd() == folder + "/there"
"""
    )


def test_a_child_unmounts_and_mounts_its_own(output: Output) -> None:
    output(
        """
def unmounts():
    vol.umount()
    refuses_calls(vol)
    with vol:
        vol.mkdir(folder + "/again")

def mounts():
    vol.mount()
    vol.mkdir(folder + "/mounted")

wait_for(in_child(unmounts))
wait_for(in_child(mounts))
assert sorted(vol.listdir(folder)) == ["again", "mounted"]
"""
    )


def test_a_volume_that_was_not_mounted_is_not_mounted_in_the_child(
    output: Output,
) -> None:
    output(
        """
vol.umount()

def child():
    refuses_calls(vol)

wait_for(in_child(child))
"""
    )


def test_a_grandchild_mounts_too(output: Output) -> None:
    output(
        """
def grandchild():
    vol.mkdir(folder + "/grandchild")

def child():
    vol.mkdir(folder + "/child")
    wait_for(in_child(grandchild))
    vol.mkdir(folder + "/child after")

wait_for(in_child(child))
assert sorted(vol.listdir(folder)) == ["child", "child after", "grandchild"]
"""
    )


def test_a_child_that_does_not_unmount_loses_nothing(
    output: Output, plain_vol: gfapi.Volume, plain_folder: str
) -> None:
    output(
        """
def child():
    global file
    file = vol.fopen(folder + "/file", "w")
    file.write(b"x" * 3_000_000)

wait_for(in_child(child))
"""
    )
    assert plain_vol.getsize(f"{plain_folder}/file") == 3_000_000


def test_forks_while_other_threads_are_inside_calls_never_hang(
    output: Output,
) -> None:
    output(
        """
done = threading.Event()

def use(number):
    path = f"{folder}/{number}"
    while not done.is_set():
        with vol.fopen(path, "w+") as file:
            file.write(b"x" * 10_000)
            file.seek(0)
            assert file.read() == b"x" * 10_000
        vol.listdir(folder)

def child():
    vol.mkdir(f"{folder}/of {os.getpid()}")

threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
try:
    for _ in range(8):
        children = [in_child(child) for _ in range(2)]
        for pid in children:
            wait_for(pid)
finally:
    done.set()
    for thread in threads:
        thread.join()
assert len(vol.listdir(folder)) == 4 + 16
"""
    )


def test_a_fork_while_another_thread_unmounts_never_hangs(output: Output) -> None:
    output(
        """
def cycle():
    for _ in range(10):
        vol.umount()
        vol.mount()

def child():
    try:
        vol.exists("/")
    except gfapi.VolumeNotMounted:
        pass

thread = threading.Thread(target=cycle)
thread.start()
while thread.is_alive():
    wait_for(in_child(child))
thread.join()
assert vol.exists("/")
"""
    )


def test_a_fork_while_another_thread_mounts_for_the_first_time_leaves_the_loader_whole(
    output: Output,
) -> None:
    output(
        """
def mount():
    with gfapi.Volume(hosts.split(","), volname) as other:
        other.stat("/")

def child():
    thread = threading.Thread(target=mount)
    thread.start()
    time.sleep(number * 0.0005)
    wait_for(in_child(mount))
    thread.join()

for number in range(24):  # none of these processes has loaded the translators before
    wait_for(in_child(child))
""",
        before="",
    )


def test_subprocesses_run_beside_a_mounted_volume(output: Output) -> None:
    printed = output(
        """
import subprocess
with vol.fopen(folder + "/file", "w") as file:
    file.write(subprocess.run(["echo", "from a child"], stdout=subprocess.PIPE).stdout)
with vol.fopen(folder + "/file") as file:
    print(file.read().decode(), end="")
"""
    )
    assert printed == "from a child\n"


MULTIPROCESSING = """
import multiprocessing

def work(number):
    with vol.fopen(f"{folder}/{number}", "w") as file:
        file.write(str(number) * 1000)
    return vol.getsize(f"{folder}/{number}")

def leave_open(number):
    global file
    file = vol.fopen(f"{folder}/{number}", "w")
    file.write(b"x" * 1_000_000)
"""


def test_a_pool_of_forked_processes_shares_the_volume(output: Output) -> None:
    output(
        MULTIPROCESSING
        + """
with multiprocessing.get_context("fork").Pool(3) as pool:
    assert pool.map(work, range(10)) == [1000] * 10
assert sorted(vol.listdir(folder)) == [str(number) for number in range(10)]
"""
    )


def test_a_forked_process_of_multiprocessing_loses_nothing(output: Output) -> None:
    output(
        MULTIPROCESSING
        + """
processes = [
    multiprocessing.get_context("fork").Process(target=leave_open, args=(number,))
    for number in range(3)
]
for process in processes:
    process.start()
for process in processes:
    process.join(30)
    assert process.exitcode == 0
assert [vol.getsize(f"{folder}/{number}") for number in range(3)] == [1_000_000] * 3
"""
    )


def test_a_spawned_process_is_given_a_volume_and_mounts_it(
    output: Output,
) -> None:
    output(
        """
import multiprocessing, tempfile

MODULE = '''
from gluster import gfapi

def work(vol, path):
    assert not vol.mounted
    vol.mount()
    file = vol.fopen(path, "w")
    file.write(b"x" * 1_000_000)
    globals().update(vol=vol, file=file)
'''
with tempfile.TemporaryDirectory() as place:
    with open(place + "/spawned.py", "w") as module:
        module.write(MODULE)
    sys.path.insert(0, place)
    import spawned
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=spawned.work, args=(vol, folder + "/spawned"))
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert vol.getsize(folder + "/spawned") == 1_000_000
"""
    )


@pytest.mark.parametrize(
    "lookup",
    [
        "ctypes.CDLL(None).strerror(5)",  # as libgfapi's threads do it, without Python's own lock
        "socket.getaddrinfo(None, 0, flags=socket.AI_ADDRCONFIG)",
    ],
)
def test_a_child_is_told_as_soon_as_it_sleeps_over_a_lock_that_its_fork_has_left_to_nobody(
    output: Output, lookup: str
) -> None:
    output(
        """
import ctypes, socket
from gluster.gfapi import attempt
attempt._NEW_TIMEOUT = 600.0
done = threading.Event()

def look_up():
    while not done.is_set():
        LOOKUP

def child():
    try:
        with gfapi.Volume(hosts.split(","), volname) as other:
            other.stat("/")
    except gfapi.LibgfapiException as error:
        assert "fork again" in str(error), error

threads = [threading.Thread(target=look_up) for _ in range(2)]
for thread in threads:
    thread.start()
try:
    children = [in_child(child) for _ in range(8)]
    for pid in children:
        wait_for(pid)
finally:
    done.set()
    for thread in threads:
        thread.join()
""".replace("LOOKUP", lookup)
    )
