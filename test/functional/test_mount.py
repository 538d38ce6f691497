"""Mounting: the arguments, the ways to reach a volume, each way to fail, logging."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import re
import shutil
import socket
import socketserver
import subprocess
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

NOBODY = "127.255.255.253"  # a loopback address that nothing listens on
Output = Callable[..., str]
WaitUntil = Callable[[Callable[[], object]], None]


@pytest.fixture
def host(plain: sandbox.SandboxVolume) -> str:
    return plain.hosts[0]


# -------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((None, "v"), "hosts is None"),
        ((5, "v"), "hosts is 5"),
        (([], "v"), r"hosts is \[\]"),
        (("", "v"), "host"),
        (([None], "v"), "host"),
        ((["h", ""], "v"), "host"),
        ((b"h", "v"), "hosts is b'h'"),
        (("h", None), "volname is None"),
        (("h", ""), "volname is ''"),
        (("h", 5), "volname is 5"),
        (("h", "v", "udp"), "proto is 'udp'"),
        (("h", "v", None), "proto is None"),
        (("h", "v", "tcp", "24007"), "port is '24007'"),
        (("h", "v", "tcp", None), "port is None"),
        (("h", "v", "tcp", 1.5), "port is 1.5"),
        (("h", "v", "tcp", -1), "port is -1"),
        (("h", "v", "tcp", 65536), "port is 65536"),
        (("h", "v", "tcp", True), "port is True"),
        (("h", "v", "tcp", 1, 5), "log_file is 5"),
        (("h", "v", "tcp", 1, ""), "log_file is ''"),
        (("h", "v", "tcp", 1, None, "7"), "log_level is '7'"),
        (("h", "v", "tcp", 1, None, 10), "log_level is 10"),
        (("h", "v", "tcp", 1, None, -1), "log_level is -1"),
    ],
)
def test_a_bad_argument_is_named(arguments: Any, complaint: str) -> None:
    with pytest.raises(gfapi.LibgfapiException, match=complaint) as caught:
        gfapi.Volume(*arguments)
    assert caught.value.errno is None


@pytest.mark.parametrize("arguments", [("a\0b", "v"), ("h", "v\0w"), ("h", "v", "tcp", 1, "\0")])
def test_a_nul_in_an_argument_is_a_value_error(arguments: Any) -> None:
    with pytest.raises(ValueError, match="null"):
        gfapi.Volume(*arguments)


def test_a_volume_says_what_it_is_and_whether_it_is_mounted(
    plain: sandbox.SandboxVolume, host: str
) -> None:
    vol = gfapi.Volume([host, "other"], "plain")
    assert repr(vol) == f"<gluster.gfapi.Volume 'plain' on {host}, other (not mounted)>"
    with plain.client() as vol:
        assert repr(vol) == f"<gluster.gfapi.Volume 'plain' on {host} (mounted)>"


# ------------------------------------------------------------------------ mounted or not


@pytest.fixture(scope="session")
def many_mounts(plain: sandbox.SandboxVolume, begin: Callable[..., Future[str]]) -> Future[str]:
    """A program that looks at its threads and descriptors after mounts and failed mounts."""
    program = """
        def use():
            return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

        def settled(limit):
            deadline = time.monotonic() + 50
            while time.monotonic() < deadline:
                descriptors, threads = use()
                if descriptors <= limit[0] and threads <= limit[1]:
                    return True
                time.sleep(0.1)
            return False

        before = use()
        with vol:
            with vol.fopen("/leak", "w") as file:
                file.write(b"x")
        # What libgfapi keeps for the life of the process.
        assert settled((before[0] + 3, before[1] + 3)), (before, use())
        once = use()
        for _ in range(4):
            with vol:
                vol.fopen("/leak").close()
            for bad in (gfapi.Volume(hosts, "missing"), gfapi.Volume("127.255.255.253", "v")):
                try:
                    bad.mount()
                except gfapi.LibgfapiException:
                    pass
        assert settled(once), (once, use())
    """
    return begin(plain, "", program, timeout=120)


@pytest.mark.usefixtures("many_mounts")
def test_mounted_follows_mount_and_umount_and_is_read_only(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client()
    assert vol.mounted is False
    assert vol.mount() is None
    assert vol.mounted is True
    with pytest.raises(AttributeError):
        vol.mounted = False  # type: ignore[misc]
    assert vol.umount() is None
    assert vol.mounted is False


def test_with_mounts_and_unmounts_also_after_an_error(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client()
    with vol as entered:
        assert entered is vol
        assert vol.mounted
    assert not vol.mounted
    with pytest.raises(KeyError), vol:
        raise KeyError
    assert not vol.mounted


def test_a_second_mount_and_a_second_umount_do_nothing(plain: sandbox.SandboxVolume) -> None:
    vol = plain.client()
    vol.umount()
    vol.mount()
    with vol.fopen("/survivor", "w") as file:
        vol.mount()
        assert file.write(b"still open") == 10
    vol.umount()
    vol.umount()
    assert not vol.mounted


def test_a_volume_can_be_mounted_again(plain: sandbox.SandboxVolume, plain_folder: str) -> None:
    vol = plain.client()
    for number in range(3):
        vol.mount()
        with vol.fopen(f"{plain_folder}/{number}", "w") as file:
            file.write(b"x")
        vol.umount()
    with vol:
        assert sorted(vol.listdir(plain_folder)) == ["0", "1", "2"]


def test_a_volume_that_is_mounted_again_starts_at_the_root(
    plain: sandbox.SandboxVolume, plain_folder: str
) -> None:
    vol = plain.client()
    with vol:
        vol.chdir(plain_folder)
    with vol:
        assert vol.getcwd() == "/"


CALLS: dict[str, tuple[Any, ...]] = {
    "access": ("/", 0),
    "chdir": ("/",),
    "chmod": ("/x", 0),
    "chown": ("/x", 0, 0),
    "copy": ("/x", "/y"),
    "copy2": ("/x", "/y"),
    "copyfile": ("/x", "/y"),
    "copymode": ("/x", "/y"),
    "copy_file_range": (1, 2, 1),
    "copystat": ("/x", "/y"),
    "copytree": ("/x", "/y"),
    "disk_usage": ("/",),
    "exists": ("/",),
    "fchdir": (1,),
    "fopen": ("/x",),
    "get_volfile": (),
    "get_volume_id": (),
    "getacl": ("/",),
    "getatime": ("/",),
    "getctime": ("/",),
    "getcwd": (),
    "getmtime": ("/",),
    "getsize": ("/",),
    "getxattr": ("/", "user.x"),
    "identity": (0, 0),
    "isdir": ("/",),
    "isfile": ("/",),
    "islink": ("/",),
    "lchown": ("/x", 0, 0),
    "lexists": ("/x",),
    "link": ("/x", "/y"),
    "listdir": ("/",),
    "listdir_with_stat": ("/",),
    "listxattr": ("/",),
    "lookup": ("/",),
    "lookup_gfid": (bytes(15) + b"\1",),
    "lstat": ("/",),
    "makedirs": ("/x",),
    "mkdir": ("/x",),
    "mknod": ("/x", 0o600),
    "move": ("/x", "/y"),
    "open": ("/x", os.O_RDONLY),
    "opendir": ("/",),
    "poll_upcall": (),
    "readlink": ("/x",),
    "realpath": ("/x",),
    "remove": ("/x",),
    "removedirs": ("/x",),
    "removexattr": ("/", "user.x"),
    "rename": ("/x", "/y"),
    "renames": ("/x", "/y"),
    "replace": ("/x", "/y"),
    "rmdir": ("/x",),
    "rmtree": ("/x",),
    "samefile": ("/", "/"),
    "scandir": ("/",),
    "setacl": ("/", ""),
    "setattr": ("/x",),
    "setfsgid": (0,),
    "setfsgroups": ([0],),
    "setfsleaseid": (None,),
    "setfsuid": (0,),
    "setxattr": ("/", "user.x", "y"),
    "stat": ("/",),
    "statedump": ("/",),
    "statvfs": ("/",),
    "symlink": ("x", "/y"),
    "sysrq": ("h",),
    "touch": ("/x",),
    "truncate": ("/x", 0),
    "unlink": ("/x",),
    "utime": ("/x", None),
    "walk": ("/",),
    "walk_with_stat": ("/",),
    "watch": (),
    "xattrs": ("/",),
}


@pytest.fixture(scope="module")
def unmounted(plain: sandbox.SandboxVolume) -> gfapi.Volume:
    vol = plain.client()
    vol.mount()
    vol.umount()
    return vol


@pytest.mark.parametrize("call", CALLS)
def test_each_call_needs_the_volume_mounted(
    plain: sandbox.SandboxVolume, unmounted: gfapi.Volume, call: str
) -> None:
    def attempt(vol: gfapi.Volume) -> None:
        outcome = getattr(vol, call)(*CALLS[call])
        if call.startswith("walk"):
            next(outcome)

    for vol in (plain.client(), unmounted):
        with pytest.raises(gfapi.VolumeNotMounted, match="not mounted: call mount") as caught:
            attempt(vol)
        assert isinstance(caught.value, gfapi.LibgfapiException)


def test_every_public_method_is_among_those(plain: sandbox.SandboxVolume) -> None:
    methods = {name for name in dir(gfapi.Volume) if not name.startswith("_")}
    without = {"copyfileobj", "disable_logging", "mount", "mounted", "set_logging", "umount"}
    without |= {"add_server", "from_url", "hosts", "remove_server"}
    without |= {"log_to", "meta"}
    assert methods - without == set(CALLS)


def test_two_volumes_in_one_process_are_kept_apart(
    cluster: sandbox.Cluster, plain: sandbox.SandboxVolume, plain_folder: str
) -> None:
    second = cluster.create_volume("second")
    try:
        with plain.client() as one, second.client() as two:
            two.mkdir(plain_folder)
            for vol, data in ((one, b"of the first"), (two, b"of the second")):
                with vol.fopen(f"{plain_folder}/file", "w") as file:
                    file.write(data)
            path = f"{plain_folder}/file"
            with one.fopen(path) as of_one, two.fopen(path) as of_two:
                assert of_one.read() == b"of the first"
                assert of_two.read() == b"of the second"
            assert one.get_volume_id() != two.get_volume_id()
            two.chdir(plain_folder)
            assert one.getcwd() == "/"
            two.umount()
            assert one.listdir(plain_folder) == ["file"]
    finally:
        second.delete()


def test_get_volume_id_is_that_of_glusterd(
    cluster: sandbox.Cluster, plain: sandbox.SandboxVolume, plain_vol: gfapi.Volume
) -> None:
    info = cluster.gluster("volume", "info", plain.name)
    (expected,) = re.findall(r"Volume ID: (\S+)", info)
    assert plain_vol.get_volume_id() == uuid.UUID(expected)


def test_a_mounted_volume_is_pickled_as_one_that_is_not(plain_vol: gfapi.Volume) -> None:
    other = pickle.loads(pickle.dumps(plain_vol))
    assert not other.mounted
    with other:
        assert other.get_volume_id() == plain_vol.get_volume_id()


# --------------------------------------------------------------------- ways to reach a volume


def test_the_socket_of_glusterd_is_a_way_to_a_volume(plain: sandbox.SandboxVolume) -> None:
    path = plain.bricks[0].node.socket
    with gfapi.Volume(path, plain.name) as vol:
        assert vol.exists("/")
    with gfapi.Volume(path, plain.name, proto="unix") as vol:
        assert vol.exists("/")
    with gfapi.Volume([path], plain.name) as vol:
        assert vol.exists("/")


def test_rdma_is_a_protocol_that_can_be_asked_for(plain: sandbox.SandboxVolume, host: str) -> None:
    # Later GlusterFS has none and takes TCP; with an older one a machine without it says so.
    vol = gfapi.Volume(host, plain.name, "rdma")
    with contextlib.suppress(gfapi.LibgfapiException), vol:
        assert vol.exists("/")


class Relay(socketserver.ThreadingTCPServer):
    """Hands connections on to another port, and counts them."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], target: tuple[str, int]) -> None:
        super().__init__(address, RelayedConnection)
        self.target = target
        self.connections = 0


class RelayedConnection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        self.server.connections += 1
        with contextlib.suppress(OSError), socket.create_connection(self.server.target) as target:
            back = threading.Thread(target=pump, args=(target, self.request), daemon=True)
            back.start()
            pump(self.request, target)
            back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relay(address: tuple[str, int], target: tuple[str, int]) -> Iterator[Relay]:
    with Relay(address, target) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_port_is_where_glusterd_is_looked_for(plain: sandbox.SandboxVolume, host: str) -> None:
    with relay(("127.0.0.1", 0), (host, 24007)) as server:
        with gfapi.Volume("127.0.0.1", plain.name, port=server.server_address[1]) as vol:
            assert vol.exists("/")
        assert server.connections > 0


def test_hosts_are_tried_in_their_order(plain: sandbox.SandboxVolume, host: str) -> None:
    with relay((NOBODY, 24007), (host, 24007)) as server:
        with gfapi.Volume([host, NOBODY], plain.name) as vol:
            assert vol.exists("/")
        assert server.connections == 0
        with gfapi.Volume([NOBODY, host], plain.name) as vol:
            assert vol.exists("/")
        assert server.connections > 0


def test_a_host_that_does_not_answer_is_passed_over(
    plain: sandbox.SandboxVolume, host: str
) -> None:
    with gfapi.Volume([NOBODY, host], plain.name) as vol:
        assert vol.exists("/")


# ------------------------------------------------------------------------------ ways to fail


def failure(vol: gfapi.Volume) -> gfapi.LibgfapiException:
    with pytest.raises(gfapi.LibgfapiException) as caught:
        vol.mount()
    assert not isinstance(caught.value, gfapi.VolumeNotMounted)
    assert not vol.mounted
    assert isinstance(caught.value.errno, int)
    return caught.value


def test_a_missing_volume_is_said_to_be_missing(host: str) -> None:
    error = failure(gfapi.Volume(host, "missing"))
    assert error.errno == errno.ENOENT
    assert "cannot mount volume 'missing'" in str(error)
    assert f"{host}:24007 knows no such volume" in str(error)


@pytest.mark.parametrize("how", ["never started", "stopped"])
def test_a_volume_that_is_not_started_is_said_not_to_be(cluster: sandbox.Cluster, how: str) -> None:
    volume = cluster.create_volume("stopped", start=how == "stopped")
    try:
        if how == "stopped":
            volume.stop()
        error = failure(volume.client())
        assert "it is not started" in str(error)
    finally:
        volume.delete()


def test_a_host_that_cannot_be_reached_is_named() -> None:
    error = failure(gfapi.Volume(NOBODY, "plain"))
    assert f"nothing answers on {NOBODY}:24007" in str(error)
    error = failure(gfapi.Volume(["no-such-host.invalid", NOBODY], "plain", port=24008))
    assert f"nothing answers on no-such-host.invalid:24008, {NOBODY}:24008" in str(error)
    assert "no address is known of no-such-host.invalid;" in str(error)


def test_a_wrong_port_is_named(plain: sandbox.SandboxVolume, host: str) -> None:
    error = failure(gfapi.Volume(host, plain.name, port=1))
    assert f"nothing answers on {host}:1;" in str(error)


@pytest.mark.parametrize("kind", ["missing", "no socket"])
def test_a_wrong_socket_is_named(plain: sandbox.SandboxVolume, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "socket"
    if kind == "no socket":
        path.touch()
    error = failure(gfapi.Volume(str(path), plain.name))
    assert f"nothing answers on {path};" in str(error)


def test_a_log_that_cannot_be_written_is_named(
    plain: sandbox.SandboxVolume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "log"
    error = failure(plain.client(log_file=str(path)))
    assert f"cannot log to {path}" in str(error)
    capfd.readouterr()  # libgfapi itself complains there too


def test_a_name_that_no_volume_can_have_is_named(host: str) -> None:
    assert "v/w" in str(failure(gfapi.Volume(host, "v/w")))


def test_missing_translators_are_said_to_be_missing(
    plain: sandbox.SandboxVolume, output_of: Output
) -> None:
    program = """
        import glob, subprocess
        from gluster.gfapi import api
        api.library()
        with open("/proc/self/maps") as maps:
            place = {line.split()[-1] for line in maps if "libglusterfs.so" in line}.pop()
        folders = glob.glob(os.path.dirname(place) + "/glusterfs/*/xlator")
        assert folders
        for folder in folders:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
        try:
            vol.mount()
        except gfapi.LibgfapiException as error:
            print(error)
    """
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if not shutil.which("unshare") or subprocess.run(probe, check=False).returncode != 0:
        pytest.skip("no mount namespace of one's own can be had here")
    output = output_of(plain, "", program, prefix=("unshare", "-m"))
    assert "translators are not installed" in output
    assert "glusterfs-common" in output


def test_a_volume_that_failed_to_mount_can_be_mounted_when_the_cause_is_gone(
    cluster: sandbox.Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    vol = gfapi.Volume(cluster.hosts, "late")
    failure(vol)
    (tmp_path / "file").touch()
    vol.set_logging(str(tmp_path / "file" / "log"), 7)
    failure(vol)
    capfd.readouterr()
    vol.disable_logging()
    volume = cluster.create_volume("late")
    try:
        vol.mount()
        vol.mkdir("/made")
        assert vol.listdir("/") == ["made"]
        vol.umount()
    finally:
        volume.delete()


def test_with_a_volume_that_cannot_be_mounted_raises_and_runs_nothing(host: str) -> None:
    vol = gfapi.Volume(host, "missing")
    with pytest.raises(gfapi.LibgfapiException, match="no such volume"), vol:
        pytest.fail("it was mounted")


def test_what_writes_the_log_ends_with_a_mount_that_fails_early(
    plain: sandbox.SandboxVolume, plain_folder: str, output_of: Output
) -> None:
    """Its timer would run on freed memory, which is filled with other bytes here."""
    program = """
        import ctypes
        from gluster.gfapi import attempt, ending
        from gluster.gfapi.api.loader import thread_translator

        class Translators(ctypes.Structure):  # its context is somewhere in it
            _fields_ = [("all", ctypes.c_void_p * 1024)]

        def write_each_second(glfs, *arguments):
            context = ctypes.c_void_p.from_address(glfs.pointer + 24).value
            translator = Translators((ctypes.c_void_p * 1024)(*[context] * 1024))
            place = thread_translator()()
            before, place[0] = place[0], ctypes.addressof(translator)
            ctypes.CDLL("libglusterfs.so.0").gf_log_set_log_flush_timeout(1)
            place[0] = before
            set_logging(glfs, *arguments)
            raise KeyboardInterrupt

        set_logging, attempt.set_logging = attempt.set_logging, write_each_second
        ending.FINI_DELAY = 0.1
        try:
            vol.mount()
        except KeyboardInterrupt:
            time.sleep(3)
            print("alive")
    """
    prefix = ("env", "MALLOC_PERTURB_=165")
    assert output_of(plain, plain_folder, program, prefix=prefix) == "alive\n"


def test_neither_mounts_nor_failed_mounts_leave_threads_or_descriptors(
    many_mounts: Future[str],
) -> None:
    assert many_mounts.result() == ""


@pytest.mark.parametrize(("options", "most"), [("", 1), ("2", 2)])
def test_a_mount_has_one_thread_for_events_unless_it_is_told_otherwise(
    sandbox_volume: sandbox.SandboxVolume,
    folder: str,
    output_of: Callable[..., str],
    options: str,
    most: int,
) -> None:
    """The tear-down waits for the end of the first of them alone."""
    program = """
        options, most = arguments
        if options:
            vol = gfapi.Volume(
                hosts.split(","), volname, xlator_options={"*-client-*.event-threads": options}
            )
        vol.mount()
        deadline = time.monotonic() + 20
        while len(found := [n for n in thread_names() if n.startswith("glfs_epoll")]) != int(most):
            assert time.monotonic() < deadline, found
            vol.stat("/")
            time.sleep(0.1)
    """
    output_of(sandbox_volume, folder, program, options, str(most))


@pytest.mark.parametrize("free", [0, 1, 2, 4, 7])
def test_a_mount_for_which_there_are_too_few_descriptors_says_so(
    plain: sandbox.SandboxVolume, output_of: Callable[..., str], free: int
) -> None:
    """With hardly any, libgfapi would end the process."""
    program = """
        import errno, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        for number in range(2):
            taken = []
            with contextlib.suppress(OSError):
                while True:
                    taken.append(os.open("/dev/null", os.O_RDONLY))
            for _ in range(int(arguments[0])):
                os.close(taken.pop())
            try:
                vol.mount()
            except gfapi.LibgfapiException as error:
                print(error.errno == errno.EMFILE, "Too many open files" in str(error))
            for descriptor in taken:
                os.close(descriptor)
        vol.mount()
        print(vol.exists("/"))
    """
    assert output_of(plain, "", program, str(free)) == "True True\n" * 2 + "True\n"


# ---------------------------------------------------------------------------------- logging


def test_a_log_chosen_before_the_mount_is_written_by_it(
    plain: sandbox.SandboxVolume, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    with plain.client(log_file=str(first), log_level=7):
        assert first.stat().st_size > 0
    vol = plain.client()
    assert vol.set_logging(log_file=str(second), log_level=7) is None
    assert not second.exists()
    with vol:
        assert second.stat().st_size > 0


def test_a_log_chosen_after_the_mount_is_written_at_once(
    plain: sandbox.SandboxVolume, plain_folder: str, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    with plain.client(log_file=str(first)) as vol:
        vol.set_logging(second, 9)
        size = first.stat().st_size
        vol.mkdir(f"{plain_folder}/logged")
        assert second.stat().st_size > 0
        assert first.stat().st_size == size


def test_the_level_decides_how_much_is_logged(
    plain: sandbox.SandboxVolume, plain_folder: str, tmp_path: Path
) -> None:
    sizes = []
    for level in (4, 7, 9):
        log = tmp_path / f"{level}.log"
        with plain.client(log_file=log, log_level=level) as vol:
            vol.mkdir(f"{plain_folder}/{level}")
            sizes.append(log.stat().st_size if log.exists() else 0)
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize("when", ["before", "after"])
def test_disable_logging_ends_the_log(
    plain: sandbox.SandboxVolume, plain_folder: str, tmp_path: Path, when: str
) -> None:
    log = tmp_path / "log"
    vol = plain.client(log_file=log, log_level=9)
    if when == "before":
        vol.disable_logging()
    with vol:
        if when == "after":
            assert vol.disable_logging() is None
        size = log.stat().st_size if log.exists() else 0
        vol.mkdir(f"{plain_folder}/unlogged")
        vol.rmdir(f"{plain_folder}/unlogged")
        assert (log.stat().st_size if log.exists() else 0) == size
    if when == "before":
        assert not log.exists()


def test_a_log_that_cannot_be_written_after_the_mount_is_an_error_and_the_old_one_stays(
    plain: sandbox.SandboxVolume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with plain.client() as vol:
        with pytest.raises(gfapi.LibgfapiException, match="cannot log to"):
            vol.set_logging(str(tmp_path / "file" / "log"), 7)
        assert vol.log_file == "/dev/null"
        assert vol.exists("/")
    capfd.readouterr()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [((5, 7), "log_file is 5"), (("/dev/null", "7"), "log_level is '7'"), (("", 7), "log_file")],
)
def test_bad_arguments_of_set_logging_are_named(
    plain_vol: gfapi.Volume, arguments: Any, complaint: str
) -> None:
    with pytest.raises(gfapi.LibgfapiException, match=complaint):
        plain_vol.set_logging(*arguments)


def test_no_log_file_means_one_in_the_default_folder(
    plain: sandbox.SandboxVolume, output_of: Output
) -> None:
    if not os.path.isdir("/var/log/glusterfs"):
        pytest.skip("no /var/log/glusterfs")
    program = """
        before = set(os.listdir("/var/log/glusterfs"))
        vol.set_logging(None, 7)
        vol.mount()
        (new,) = set(os.listdir("/var/log/glusterfs")) - before
        assert os.path.getsize("/var/log/glusterfs/" + new) > 0
        os.unlink("/var/log/glusterfs/" + new)
        vol.umount()
    """
    output_of(plain, "", program)


def test_the_threads_of_a_mount_that_have_nothing_to_do_end_soon(
    sandbox_volume: sandbox.SandboxVolume, folder: str, output_of: Callable[..., str]
) -> None:
    """Those of an earlier graph would look, two minutes later, at what the tear-down has freed."""
    program = """
        def idle():
            return sum(name.startswith("glfs_iotwr") for name in thread_names())

        vol.mount()
        together = [threading.Thread(target=lambda: [vol.listxattr("/") for _ in range(200)])
                    for _ in range(16)]
        for thread in together:
            thread.start()
        for thread in together:
            thread.join()
        deadline = time.monotonic() + 20
        while idle() > 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    """
    output_of(sandbox_volume, folder, program)
