"""walk, rmtree and copytree by several threads: in whose name, in what order, and how they end."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import identity, sandbox

Output = Callable[..., str]
USER = 1000
FOLDERS, FILES = 6, 8


@pytest.fixture
def tree(vol: gfapi.Volume, folder: str) -> str:
    return grown(vol, f"{folder}/tree")


@pytest.fixture
def plain_tree(plain_vol: gfapi.Volume, plain_folder: str) -> str:
    return grown(plain_vol, f"{plain_folder}/tree")


def grown(vol: gfapi.Volume, top: str) -> str:
    """A tree with enough in it for threads to start."""
    vol.mkdir(top, 0o755)
    for number in range(FOLDERS):
        vol.mkdir(f"{top}/{number}", 0o755)
        vol.mkdir(f"{top}/{number}/in", 0o755)
        for name in range(FILES):
            with vol.fopen(f"{top}/{number}/{name}", "w") as file:
                file.write(str(name) * 100)
    return top


def crew_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "gfapi-crew" and t.is_alive()]


def names(vol: gfapi.Volume, top: str) -> dict[str, tuple[list[str], list[str]]]:
    return {
        os.path.relpath(path, top): (sorted(dirs), sorted(files))
        for path, dirs, files in vol.walk(top)
    }


def in_thread(function: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


CALLS = pytest.mark.parametrize("call", ["walk", "walk_with_stat", "rmtree", "copytree"])


@CALLS
def test_a_number_of_threads_that_makes_no_sense_is_refused(
    plain_vol: gfapi.Volume, plain_tree: str, call: str
) -> None:
    arguments = (plain_tree, f"{plain_tree}-copy")[: 2 if call == "copytree" else 1]
    before = names(plain_vol, plain_tree)
    for wrong, error in ((0, ValueError), (-1, ValueError), ("4", TypeError), (1.5, TypeError)):
        with pytest.raises(error):
            getattr(plain_vol, call)(*arguments, threads=wrong)
    assert names(plain_vol, plain_tree) == before
    assert not plain_vol.exists(f"{plain_tree}-copy")


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_the_result_does_not_depend_on_the_number_of_threads(
    vol: gfapi.Volume, folder: str, tree: str, threads: int
) -> None:
    copy = f"{folder}/copy"
    assert vol.copytree(tree, copy, threads=threads) == copy
    assert names(vol, copy) == names(vol, tree)
    for path, _, files in vol.walk_with_stat(copy, threads=threads):
        for name, status in files:
            with vol.fopen(f"{path}/{name}") as file:
                assert file.read() == name.encode() * 100
            assert status.st_size == 100
    vol.rmtree(copy, threads=threads)
    assert vol.listdir(folder) == ["tree"]
    assert not crew_threads()


# ----------------------------------------------------------------------------- in whose name


def test_threads_act_in_the_name_of_the_calling_one(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    vol.chmod(folder, 0o777)
    vol.chmod(f"{tree}/3/3", 0o600)
    vol.chmod(f"{tree}/4", 0o700)
    copy = f"{folder}/copy"
    unread: list[str] = []
    with vol.identity(USER, USER):
        with pytest.raises(gfapi.Error) as caught:
            vol.copytree(tree, copy)
        for _ in vol.walk(tree, onerror=lambda error: unread.append(error.filename)):
            pass
        refused: list[str] = []
        vol.rmtree(tree, onerror=lambda _, path, error: refused.append(path))
    assert [source for source, _, _ in caught.value.args[0]] == [f"{tree}/3/3", f"{tree}/4"]
    assert all("Permission denied" in reason for _, _, reason in caught.value.args[0])
    assert unread == [f"{tree}/4"]
    for path, dirs, files in vol.walk_with_stat(copy):
        assert vol.stat(path).st_uid == USER
        assert {(status.st_uid, status.st_gid) for _, status in dirs + files} <= {(USER, USER)}
    assert len(names(vol, tree)) == 1 + 2 * FOLDERS
    assert all(f"{tree}/{number}/0" in refused for number in range(FOLDERS) if number != 4)
    with vol.identity(USER, USER):
        vol.rmtree(copy)
    assert vol.listdir(folder) == ["tree"]


@pytest.mark.own_thread
def test_threads_have_the_groups_and_the_lease_id_of_the_calling_one(
    plain_vol: gfapi.Volume, plain_folder: str, plain_tree: str
) -> None:
    seen = set()

    def copy(src: str, dst: str) -> None:
        seen.add((identity.names(), threading.get_ident()))

    plain_vol.setfsleaseid(b"0123456789abcdef")
    with plain_vol.identity(0, 0, [5, 6]):
        plain_vol.copytree(plain_tree, f"{plain_folder}/copy", copy_function=copy, threads=4)
    assert {whose for whose, _ in seen} == {(0, 0, (5, 6), b"0123456789abcdef")}
    assert len(seen) > 1


def test_what_was_read_ahead_for_somebody_else_is_read_again(vol: gfapi.Volume, tree: str) -> None:
    vol.chmod(f"{tree}/4", 0o700)
    unread: list[str] = []
    walk = vol.walk(tree, onerror=lambda error: unread.append(error.filename))
    next(walk)
    next(walk)
    with vol.identity(USER, USER):
        rest = [path for path, _, _ in walk]
    assert unread == [f"{tree}/4"] or f"{tree}/4" not in rest


# -------------------------------------------------------------------------------------- walk


@pytest.mark.parametrize("topdown", [True, False])
@pytest.mark.parametrize("followlinks", [True, False])
def test_walk_with_stat_is_walk_with_what_lstat_says(
    vol: gfapi.Volume, tree: str, topdown: bool, followlinks: bool
) -> None:
    vol.symlink("../1/in", f"{tree}/0/to in")
    vol.symlink("nowhere", f"{tree}/0/broken")
    walked = []
    for path, *both in vol.walk_with_stat(tree, topdown, None, followlinks):
        for name, status in both[0] + both[1]:
            other = vol.lstat(f"{path}/{name}")
            assert (status.st_ino, status.st_mode) == (other.st_ino, other.st_mode)
        walked.append((path, *[[name for name, _ in pairs] for pairs in both]))
    assert walked == list(vol.walk(tree, topdown, None, followlinks))


def test_walk_with_stat_goes_where_the_caller_lets_it(
    plain_vol: gfapi.Volume, plain_tree: str
) -> None:
    seen = []
    for path, dirs, _ in plain_vol.walk_with_stat(plain_tree):
        seen.append(os.path.relpath(path, plain_tree))
        dirs.sort(reverse=True)
        dirs[:] = [pair for pair in dirs if pair[0] not in ("1", "3", "5")]
        assert all(stat.S_ISDIR(status.st_mode) for _, status in dirs)
    assert seen == [".", "4", "4/in", "2", "2/in", "0", "0/in"]


def test_walk_reads_no_directory_before_the_caller_has_chosen(
    plain_vol: gfapi.Volume, plain_tree: str
) -> None:
    for path, dirs, _ in plain_vol.walk(plain_tree):
        if path == plain_tree:
            for name in dirs:
                plain_vol.mknod(f"{plain_tree}/{name}/late", 0o600)
    late = [path for path, _, files in plain_vol.walk(plain_tree) if "late" in files]
    assert len(late) == FOLDERS


@pytest.mark.parametrize("end", ["close", "drop", "exhaust", "raise"])
def test_walk_leaves_no_thread_and_nothing_open(
    plain_vol: gfapi.Volume, plain_tree: str, end: str
) -> None:
    before = len(plain_vol._mount.descriptors)
    walk: Any = plain_vol.walk(plain_tree)
    for _ in range(3):
        next(walk)
    if end == "close":
        walk.close()
    elif end == "exhaust":
        list(walk)
    elif end == "raise":
        with pytest.raises(KeyboardInterrupt):
            walk.throw(KeyboardInterrupt)
    del walk
    assert not crew_threads()
    assert len(plain_vol._mount.descriptors) == before


# --------------------------------------------------------------------- callbacks and errors


def test_callbacks_run_in_the_calling_thread(vol: gfapi.Volume, folder: str, tree: str) -> None:
    seen: list[int] = []

    def call(*_: Any) -> tuple[str, ...]:
        seen.append(threading.get_ident())
        return ()

    vol.copytree(tree, f"{folder}/copy", ignore=call)
    assert len(seen) == 1 + 2 * FOLDERS
    vol.copytree(tree, f"{folder}/other", copy_function=call)
    assert len(seen) == 1 + 2 * FOLDERS + FOLDERS * FILES
    vol.chmod(folder, 0o777)
    with vol.identity(USER, USER):
        vol.rmtree(tree, onerror=call)
    assert len(seen) > 1 + 2 * FOLDERS + FOLDERS * FILES
    assert set(seen) == {threading.get_ident()}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_what_a_callback_raises_ends_all(
    plain_vol: gfapi.Volume, plain_folder: str, plain_tree: str, error: Any
) -> None:
    def fail(src: Any, *_: Any) -> Any:
        if not isinstance(src, str) or src.endswith("3"):
            raise error

    with pytest.raises(error):
        plain_vol.copytree(plain_tree, f"{plain_folder}/1", ignore=lambda *a: fail(*a) or ())
    with pytest.raises(error):
        plain_vol.copytree(plain_tree, f"{plain_folder}/2", copy_function=fail, threads=4)
    plain_vol.chmod(plain_folder, 0o777)
    with plain_vol.identity(USER, USER), pytest.raises(error):
        plain_vol.rmtree(plain_tree, onerror=fail)
    assert not crew_threads()


def test_onerror_is_told_before_its_directory_is_removed(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    """What it sets right is right when the directory's turn comes."""
    for number in range(FOLDERS):
        vol.chown(f"{tree}/{number}/in", USER, USER)
        vol.chown(f"{tree}/{number}", USER, USER)
        vol.chmod(f"{tree}/{number}", 0o500)
    vol.chown(tree, USER, USER)
    vol.chown(folder, USER, USER)

    def mend(function: Callable[[Any], None], path: str, error: OSError) -> None:
        assert isinstance(error, PermissionError)
        assert error.filename == path
        vol.chmod(os.path.dirname(path), 0o700)
        function(path)

    with vol.identity(USER, USER):
        vol.rmtree(tree, onerror=mend)
    assert vol.listdir(folder) == []


def test_rmtree_is_not_led_out_by_a_link_that_takes_the_place_of_a_directory(
    vol: gfapi.Volume, folder: str, tree: str
) -> None:
    elsewhere = grown(vol, f"{folder}/elsewhere")
    before = names(vol, elsewhere)
    vol.chmod(tree, 0o1777)
    vol.mknod(f"{tree}/kept", 0o600)
    vol.chown(f"{tree}/0", USER, USER)
    calls: list[str] = []

    def swap() -> None:
        vol.rename(f"{tree}/0", f"{folder}/moved")
        vol.symlink("../elsewhere", f"{tree}/0")
        vol.lchown(f"{tree}/0", USER, USER)

    def onerror(function: Any, path: str, error: OSError) -> None:
        if path == f"{tree}/kept":
            in_thread(swap)
        calls.append(path)

    for number in range(FOLDERS):
        vol.chmod(f"{elsewhere}/{number}", 0o777)
    with vol.identity(USER, USER):  # with one thread, all of a directory is read before the next
        vol.rmtree(tree, onerror=onerror, threads=1)
    assert f"{tree}/0" in calls
    assert names(vol, elsewhere) == before


def test_problems_of_a_copy_are_in_order(
    plain_vol: gfapi.Volume, plain_folder: str, plain_tree: str
) -> None:
    def refuse(src: str, dst: str) -> None:
        raise PermissionError(13, "no")

    with pytest.raises(gfapi.Error) as caught:
        plain_vol.copytree(plain_tree, f"{plain_folder}/c", copy_function=refuse, threads=8)
    (problems,) = caught.value.args
    assert len(problems) == FOLDERS * FILES
    assert problems == sorted(problems)


def test_a_tree_is_not_copied_into_its_copy(vol: gfapi.Volume, folder: str, tree: str) -> None:
    before = names(vol, tree)
    for place in ("copy", "3/in/copy"):
        vol.copytree(tree, f"{tree}/{place}")
        copied = names(vol, f"{tree}/{place}")
        assert set(before) <= set(copied)
        assert len(copied) <= 2 * len(before) + 2
        vol.rmtree(f"{tree}/{place}")
    assert names(vol, tree) == before


def test_copytree_within_a_thread_of_another(
    plain_vol: gfapi.Volume, plain_folder: str, plain_tree: str
) -> None:
    def copy(src: str, dst: str) -> None:
        plain_vol.copytree(f"{plain_tree}/0", dst, threads=4)

    plain_vol.copytree(f"{plain_tree}/1", f"{plain_folder}/c", copy_function=copy, threads=4)
    assert len(names(plain_vol, f"{plain_folder}/c")) == 2 + 2 * FILES


# ------------------------------------------------------------------------ in the middle of it

GROW = """
def grow(top):
    for number in range(12):
        vol.makedirs(f"{top}/{number}/in")
        for name in range(12):
            with vol.fopen(f"{top}/{number}/{name}", "w") as file:
                file.write(str(name) * 100)
    return top

def crew_threads():
    return [t for t in threading.enumerate() if t.name == "gfapi-crew" and t.is_alive()]

vol.mount()
tree = grow(folder + "/tree")
"""


@pytest.fixture
def output(
    output_of: Output, plain: sandbox.SandboxVolume, plain_folder: str
) -> Callable[[str], str]:
    """A function that runs a program which has a tree, and returns what it printed."""

    def run(program: str) -> str:
        return output_of(plain, plain_folder, GROW + program, options=("-X", "faulthandler"))

    return run


def test_ctrl_c_ends_all_at_any_moment_and_leaves_no_thread(output: Callable[[str], str]) -> None:
    output(
        """
import signal

def interrupt(*_):
    raise KeyboardInterrupt

def pass_over(ignored):
    # What comes in a __del__ or a weak reference's callback Python itself drops, and tells.
    if ignored.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(ignored)

sys.unraisablehook = pass_over

def walk():
    for _ in vol.walk(tree):
        pass

signal.signal(signal.SIGALRM, interrupt)
interrupted = 0
for number in range(24):
    copy = f"{folder}/copy{number}"
    for call in (lambda: vol.copytree(tree, copy), walk, lambda: vol.rmtree(copy)):
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0004 * 1.35 ** number)
                call()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupted += 1
        except FileNotFoundError:
            pass
        assert not crew_threads(), number
assert interrupted > 10, interrupted
for name in vol.listdir(folder):
    vol.rmtree(f"{folder}/{name}")
assert vol.listdir(folder) == []
"""
    )


def test_a_child_goes_on_with_a_walk_of_its_parent(output: Callable[[str], str]) -> None:
    output(
        """
def found(walk):
    return sorted((path, sorted(dirs), sorted(files)) for path, dirs, files in walk)

expected = found(vol.walk(tree))
for number in range(8):
    walk = vol.walk(tree, topdown=number % 2 == 0)
    begun = [next(walk) for _ in range(number)]
    pid = os.fork()
    if not pid:
        status = 1
        try:
            assert found([*begun, *walk]) == expected
            status = 0
        finally:
            os._exit(status)
    assert found([*begun, *walk]) == expected
    assert os.waitpid(pid, 0)[1] == 0
"""
    )


@pytest.mark.parametrize("place", ["__main__", "thread"])
def test_the_interpreter_may_exit_in_the_middle(output: Callable[[str], str], place: str) -> None:
    output(
        """
walk = vol.walk(tree)
for _ in range(3):
    next(walk)
"""
        if place == "__main__"
        else """
def work():
    for number in range(100):
        vol.copytree(tree, f"{folder}/copy{number}")

threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
"""
    )


def test_an_unmount_in_the_middle_ends_it_with_an_error(
    plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume, plain_folder: str, plain_tree: str
) -> None:
    def until_unmounted(call: Callable[[int], Any]) -> None:
        for number in range(1000):
            try:
                call(number)
            except gfapi.VolumeNotMounted:
                return
        raise AssertionError("nobody has unmounted it")

    def copy(number: int) -> None:
        vol.copytree(plain_tree, f"{plain_folder}/copy{number}")

    def remove(number: int) -> None:
        grown(vol, f"{plain_folder}/doomed{number}")
        vol.rmtree(f"{plain_folder}/doomed{number}", ignore_errors=True)

    for call in (copy, remove, lambda _: list(vol.walk(plain_tree, onerror=lambda e: None))):
        with plain.client() as vol, ThreadPoolExecutor(1) as pool:
            future = pool.submit(until_unmounted, call)
            threading.Event().wait(0.15)
            vol.umount()
            future.result()
    assert not crew_threads()
    plain_vol.rmtree(plain_folder)
