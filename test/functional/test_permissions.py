"""Who may do what: users, groups, access control lists, and what a volume is told to refuse."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import permissions
import pytest

from gluster import gfapi
from gluster.gfapi import sandbox

USER, GROUP = 4711, 4712


def wrong(verdicts: list[Any]) -> list[Any]:
    return [verdict for verdict in verdicts if verdict.differs and not verdict.is_known]


@pytest.mark.parametrize("subject", ["root", "owner", "supplementary group", "group in the ACL"])
def test_a_volume_decides_as_the_kernel_does(plain: sandbox.SandboxVolume, subject: str) -> None:
    for objects, names in (
        (permissions.FILES, ["0o640", "ACL"]),
        (permissions.FOLDERS, ["0o750"]),
    ):
        verdicts = permissions.compare(plain, objects, [subject], names)
        assert len(verdicts) > 20
        assert not wrong(verdicts)


def test_the_same_for_a_process_of_a_user(plain: sandbox.SandboxVolume) -> None:
    for objects, names in ((permissions.FILES, ["0o640"]), (permissions.FOLDERS, ["0o750"])):
        verdicts = permissions.compare(plain, objects, ["others"], names, as_process=True)
        assert len(verdicts) > 20
        assert not wrong(verdicts)


# ------------------------------------------------------- what bricks do not check by themselves


@pytest.mark.parametrize("size", [10, 100_000], ids=["kept by quick-read", "too big for that"])
@pytest.mark.parametrize("is_warm", [False, True], ids=["on a fresh mount", "after root"])
def test_a_secret_file_is_not_read_in_any_way(
    sandbox_volume: sandbox.SandboxVolume,
    vol: gfapi.Volume,
    folder: str,
    size: int,
    is_warm: bool,
) -> None:
    vol.chmod(folder, 0o777)
    path = f"{folder}/secret"
    with vol.fopen(path, "w") as file:
        file.write(b"s" * size)
    vol.chmod(path, 0o600)

    def opened(mode: str) -> bytes:
        with fresh.fopen(path, mode) as file:
            return file.read(5)

    ways: list[Callable[[], object]] = [
        lambda: held.pread(5, 0),
        lambda: held.preadinto(bytearray(5), 0),
        lambda: fresh.lookup(path).pread(5, 0),
        lambda: gfapi.File(held.open(os.O_RDONLY)).pread(5, 0),
        lambda: gfapi.File(fresh.open(path, os.O_RDONLY)).pread(5, 0),
        lambda: gfapi.File(fresh.open(path, os.O_RDWR)).read(5),
        lambda: opened("r"),
        lambda: opened("r+"),
        lambda: fresh.copyfile(path, f"{folder}/copy"),
        lambda: fresh.copytree(folder, f"{folder}/tree"),
        lambda: held.pwrite(b"x", 0),
        lambda: held.truncate(0),
    ]
    for way in ways:
        with sandbox_volume.client() as fresh:
            held = fresh.lookup(path)
            if is_warm:
                assert opened("r") == held.pread(5, 0) == b"sssss"
            with fresh.identity(USER, GROUP), pytest.raises((PermissionError, gfapi.Error)):
                way()
    assert vol.getsize(path) == size
    with vol.fopen(path) as file:
        assert file.read() == b"s" * size
    assert vol.listdir(f"{folder}/tree") == []


def test_who_may_reads_and_writes_by_handles(vol: gfapi.Volume, folder: str) -> None:
    path = f"{folder}/own"
    vol.fopen(path, "w").close()
    vol.chown(path, USER, GROUP)
    held = vol.lookup(path)
    for mode in (0o600, 0o200):
        vol.chmod(path, mode)
        with vol.identity(USER, GROUP):
            assert held.pwrite("content", 0) == 7
    buffer = bytearray(9)
    for mode in (0o600, 0o400):
        vol.chmod(path, mode)
        with vol.identity(USER, GROUP):
            assert held.pread(100, 3) == b"tent"
            assert held.preadinto(buffer, 0) == 7
            assert held.pread(5, 7) == b""
    assert buffer[:7] == b"content"


def test_the_open_decides_and_not_who_reads_then(vol: gfapi.Volume, folder: str) -> None:
    path = f"{folder}/secret"
    with vol.fopen(path, "w") as file:
        file.write(b"secret")
    vol.chmod(path, 0o600)
    vol.chmod(folder, 0o777)
    with vol.fopen(path, "r+") as file, vol.identity(USER, GROUP):
        assert file.read() == b"secret"
        assert file.pwrite(b"S", 0) == 1
        assert file.pread_async(6, 0).result() == b"Secret"


def test_only_root_sets_attributes_that_give_rights(vol: gfapi.Volume, folder: str) -> None:
    path = f"{folder}/own"
    with vol.fopen(path, "w") as file:
        file.setattr(uid=USER, gid=GROUP)
    held, key = vol.lookup(path), "trusted.x"
    with vol.identity(USER, GROUP), vol.fopen(path, "r+") as file:
        for key in ("trusted.x", b"trusted.x", "security.capability"):
            for refused in (
                lambda key=key: vol.setxattr(path, key, b"1"),
                lambda key=key: vol.removexattr(path, key),
                lambda key=key: held.setxattr(key, b"1"),
                lambda key=key: held.removexattr(key),
                lambda key=key: file.fsetxattr(key, b"1"),
                lambda key=key: file.fremovexattr(key),
            ):
                with pytest.raises(PermissionError) as caught:
                    refused()
                assert caught.value.filename == path
        vol.setxattr(path, "user.x", b"1")
    vol.setxattr(path, "trusted.x", b"1")
    assert vol.getxattr(path, b"trusted.x") == b"1"


def test_only_root_makes_devices(vol: gfapi.Volume, folder: str) -> None:
    vol.chmod(folder, 0o777)
    held = vol.lookup(folder)
    with vol.identity(USER, GROUP):
        for kind in (stat.S_IFCHR, stat.S_IFBLK):
            with pytest.raises(PermissionError):
                vol.mknod(f"{folder}/device", kind | 0o666, os.makedev(1, 3))
            with pytest.raises(PermissionError):
                held.mknod("device", kind | 0o666, os.makedev(1, 3))
        vol.mknod(f"{folder}/pipe", stat.S_IFIFO | 0o666)
    assert vol.listdir(folder) == ["pipe"]


def test_what_the_client_tells_of_itself_is_for_its_own_user(
    vol: gfapi.Volume, folder: str
) -> None:
    """Below /.meta are the password of its clients, and switches of the whole client."""
    secret, switch = "/.meta/graphs/active/volfile", "/.meta/logging/loglevel"
    with vol.identity(0, 0), vol.fopen(secret) as file:
        assert b"password" in file.read()
    vol.chmod(folder, 0o777)
    level = vol.meta.log_level
    with vol.identity(USER, GROUP):
        vol.symlink(secret, f"{folder}/secret")
        vol.symlink(switch, f"{folder}/switch")
        for path, mode in (
            *((secret, mode) for mode in ("r", "r+")),
            *((f"{folder}/secret", mode) for mode in ("r", "r+")),
            *((where, mode) for where in (switch, f"{folder}/switch") for mode in "wa"),
        ):
            for refused in (
                lambda path=path, mode=mode: vol.fopen(path, mode),
                lambda path=path, mode=mode: vol.lookup(path).fopen(mode),
                lambda path=path: vol.lookup(path).pread(100, 0),
                lambda path=path: vol.lookup(path).pwrite(b"9\n", 0),
                lambda path=path: vol.copyfile(path, f"{folder}/copy"),
            ):
                with pytest.raises(OSError, match=r"denied|permitted|bad state|Stale|No such"):
                    refused()
        assert vol.meta.graph().find_all("protocol/client")  # which the program asks for
        assert vol.meta.log_level == level


@pytest.mark.parametrize("key", ["user.radio statistics dump", "user.iostatdump"])
def test_no_attribute_has_the_client_write_a_file(vol: gfapi.Volume, folder: str, key: str) -> None:
    """Its io-stats takes all that is named so for a command to write to the value's name."""
    path, name = f"{folder}/file", f"gfapi-{os.getpid()}"
    with vol.fopen(path, "w") as file:
        held = vol.lookup(path)
        for uid in (0, USER):
            file.fchown(uid, uid)
            with vol.identity(uid, uid):
                for refused in (
                    lambda: vol.setxattr(path, key, name),
                    lambda: vol.setxattr(path, key.encode(), name.encode()),
                    lambda: file.fsetxattr(key, name),
                    lambda: held.setxattr(key, name),
                    lambda: vol.xattrs(path).update({key: name}),
                ):
                    with pytest.raises(OSError, match="not supported"):
                        refused()
    assert not list(Path("/var/run/gluster").glob(f"*{name}*"))


def test_the_command_to_write_counters_is_for_root_and_has_a_short_name(
    vol: gfapi.Volume, folder: str
) -> None:
    """The client has copies of a long one on the stack, which it overruns."""
    path, name, key = f"{folder}/file", f"gfapi-{os.getpid()}", "trusted.io-stats-dump"
    vol.fopen(path, "w").close()
    vol.chown(path, USER, GROUP)
    with vol.identity(USER, GROUP), pytest.raises(PermissionError):
        vol.setxattr(path, key, name)
    with pytest.raises(OSError, match="too long"):
        vol.setxattr(path, key, "x" * 200_000)
    vol.setxattr(path, key, name)
    (written,) = Path("/var/run/gluster").glob(f"*{name}*")
    written.unlink()


# ------------------------------------------------------------------------- what a volume is told


def test_with_root_squash_root_is_nobody(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("squash")
    try:
        with volume.client() as vol:
            vol.chmod("/", 0o777)
            vol.mkdir("/closed", 0o700)
            for name in ("secret", "closed/file"):
                with vol.fopen(f"/{name}", "w") as file:
                    file.write(b"x" * 100_000)
                vol.chmod(f"/{name}", 0o600)
        squash = {"server.root-squash": True, "server.anonuid": USER, "server.anongid": GROUP}
        # What says yes before a brick does knows nothing of squashing; see doc/identity.rst.
        volume.set_options({**squash, "performance.open-behind": False})
        with volume.client() as vol:
            vol.fopen("/mine", "w").close()
            assert (vol.stat("/mine").st_uid, vol.stat("/mine").st_gid) == (USER, GROUP)
            for refused in (
                lambda: vol.fopen("/secret"),
                lambda: vol.open("/secret", os.O_RDONLY),
                lambda: vol.listdir("/closed"),
                lambda: vol.stat("/closed/file"),
                lambda: vol.truncate("/secret", 0),
                lambda: vol.chmod("/secret", 0o666),
                lambda: vol.chown("/mine", 0, 0),
                lambda: vol.mkdir("/closed/new"),
            ):
                with pytest.raises(PermissionError):
                    refused()
            with vol.identity(USER + 1, GROUP):  # only root is squashed
                vol.fopen("/other", "w").close()
            assert vol.stat("/other").st_uid == USER + 1
    finally:
        volume.delete()


def test_a_read_only_volume_is_not_changed(cluster: sandbox.Cluster) -> None:
    volume = cluster.create_volume("fixed")
    try:
        with volume.client() as vol:
            vol.mkdir("/folder")
            with vol.fopen("/file", "w") as file:
                file.write(b"content")
        volume.set_option("features.read-only", True)
        with volume.client() as vol:
            held = vol.lookup("/file")
            with vol.fopen("/file") as file:
                assert file.read() == held.pread(100, 0) == b"content"
            for refused in (
                lambda: vol.fopen("/new", "w"),
                lambda: vol.fopen("/file", "w"),
                lambda: vol.truncate("/file", 0),
                lambda: held.truncate(0),
                lambda: held.pwrite(b"C", 0),
                lambda: held.setattr(mode=0),
                lambda: vol.mkdir("/new"),
                lambda: vol.symlink("x", "/new"),
                lambda: vol.link("/file", "/new"),
                lambda: vol.rename("/file", "/new"),
                lambda: vol.unlink("/file"),
                lambda: vol.rmdir("/folder"),
                lambda: vol.rmtree("/folder"),
                lambda: vol.chmod("/file", 0),
                lambda: vol.utime("/file", (1, 1)),
                lambda: vol.setxattr("/file", "user.x", b"1"),
                lambda: write(vol, "/file"),
            ):
                with pytest.raises(OSError, match="Read-only file system"):
                    refused()
        assert Path(f"{volume.bricks[0].path}/file").read_bytes() == b"content"
    finally:
        volume.delete()


def write(vol: gfapi.Volume, path: str) -> None:
    with vol.fopen(path, "r+") as file:
        file.write(b"x")


REFUSED = """
import gluster.gfapi.attempt
gluster.gfapi.attempt.INIT_TIMEOUT = 2.0
for attempt in arguments:
    try:
        with gfapi.Volume(None, volname, volfile=attempt) as mounted:
            print("mounted", mounted.isdir("/"))
    except gfapi.LibgfapiException as error:
        print(error)
sys.stdout.flush()
os._exit(0)
"""


def test_a_volume_chooses_the_addresses_of_its_clients(
    cluster: sandbox.Cluster, run_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Not those of its own nodes, whose volume files have a password; so this is not theirs."""
    volume = cluster.create_volume("chosen")
    file = f"{cluster.nodes[0].folder}/glusterd/vols/chosen/chosen.tcp-fuse.vol"
    said = {}
    try:
        for option, addresses in (
            ("auth.reject", "127.*"),
            ("auth.reject", "10.9.9.9"),
            ("auth.allow", "10.9.9.9"),
            ("auth.allow", "10.9.9.9,127.*"),
        ):
            volume.set_option(option, addresses)
            said[option, addresses] = run_python(volume, "", REFUSED, file).stdout
            cluster.gluster("volume", "reset", "chosen", option)
    finally:
        volume.delete()
    (rejected, not_rejected, not_allowed, allowed) = said.values()
    assert not_rejected == allowed == "mounted True\n"
    assert "its bricks refuse this client" in rejected
    assert "its bricks refuse this client" in not_allowed
