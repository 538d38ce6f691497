"""Prove that permissions decide: who may do what, on a volume and on a local folder alike.

Each case is a subject (user, group, supplementary groups), an object (a file or directory with
owner, mode and perhaps an access control list) and an attempt. What the kernel decides for a
process of that user on a local folder is compared with what a volume decides for a thread with
that identity, or for a process of that user. Each attempt is made in every way that the package
has: by path, by an open file, by a handle. ::

    python test/stress/permissions.py --kinds plain,replica --json doc/figures/security.json

It needs root and the GlusterFS server. The exit code is 1 if a volume lets somebody do what the
kernel forbids, or forbids what it allows, but for what is listed here with its reason.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import json
import os
import pkgutil
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Optional

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import figures

from gluster import gfapi
from gluster.gfapi import sandbox

KINDS = {
    "plain": {},
    "replica": {"replica": 3},
    "distribute": {"distribute": 3},
    "disperse": {"disperse": 3, "redundancy": 1},
}
OWNER, GROUP, NAMED, NAMED_GROUP, STRANGER = 4001, 4002, 4003, 4004, 4005
ALLOWED = "allowed"
CONTENT = b"the content of a file that not everybody may read"


class Subject(NamedTuple):
    """Who tries."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


class Object(NamedTuple):
    """What it is tried on. It belongs to OWNER and GROUP."""

    mode: int
    acl: str = ""


SUBJECTS = {
    "root": Subject(0, 0),
    "owner": Subject(OWNER, STRANGER),
    "owner in its group": Subject(OWNER, GROUP),
    "group": Subject(STRANGER, GROUP),
    "supplementary group": Subject(STRANGER, STRANGER, (STRANGER + 1, GROUP)),
    "user in the ACL": Subject(NAMED, STRANGER),
    "group in the ACL": Subject(STRANGER, STRANGER, (NAMED_GROUP,)),
    "others": Subject(STRANGER, STRANGER, (STRANGER + 1,)),
}
_ACL_R = f"u::rw-,u:{NAMED}:r--,g::---,g:{NAMED_GROUP}:rw-,m::rw-,o::---"
_ACL_MASKED = f"u::rw-,u:{NAMED}:rwx,g::rwx,g:{NAMED_GROUP}:rwx,m::r--,o::---"
_ACL_DENIED = f"u::rw-,u:{NAMED}:---,g::r--,g:{NAMED_GROUP}:---,m::rw-,o::rw-"
_ACL_ENTER = f"u::rwx,u:{NAMED}:rwx,g::---,g:{NAMED_GROUP}:r-x,m::rwx,o::---"
FILES = {
    **{oct(mode): Object(mode) for mode in (0, 0o600, 0o640, 0o660, 0o060, 0o606, 0o644, 0o666)},
    "0o711": Object(0o711),
    "ACL": Object(0o660, _ACL_R),
    "ACL with a mask": Object(0o640, _ACL_MASKED),
    "ACL that denies": Object(0o666, _ACL_DENIED),
}
FOLDERS = {
    **{oct(mode): Object(mode) for mode in (0o700, 0o750, 0o711, 0o744, 0o733, 0o755, 0o777)},
    "0o1777": Object(0o1777),
    "ACL": Object(0o770, _ACL_ENTER),
}

Action = Callable[..., Any]


class Attempt(NamedTuple):
    """What is tried: as ``os`` has it, and in which ways the package does."""

    kernel: Action
    ways: dict[str, Action]


# ------------------------------------------------------------------------------- the attempts


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()


def _write(path: str, flags: int = os.O_WRONLY) -> None:
    descriptor = os.open(path, flags)
    try:
        os.write(descriptor, b"other")
    finally:
        os.close(descriptor)


def _of(file: gfapi.File, method: str, *arguments: Any) -> Any:
    """Call a method of a file and close that; both may be refused."""
    with file:
        done = getattr(file, method)(*arguments)
        return done.result() if hasattr(done, "result") else done


def _file(vol: gfapi.Volume, path: str, flags: int) -> gfapi.File:
    return gfapi.File(vol.open(path, flags))


def _must(answer: bool) -> None:
    if not answer:
        raise PermissionError(errno.EACCES, "access says no")


def _utime(path: str) -> None:
    os.utime(path, (1, 1))


def _chgrp(path: str) -> None:
    os.chown(path, -1, GROUP)


_R, _W, _RW = os.O_RDONLY, os.O_WRONLY, os.O_RDWR

ON_FILES: dict[str, Attempt] = {
    "read": Attempt(
        _read,
        {
            "fopen": lambda vol, path, _: _of(vol.fopen(path), "read"),
            "open, pread": lambda vol, path, _: _of(_file(vol, path, _R), "pread", 9, 0),
            "open, pread_async": lambda vol, path, _: _of(
                _file(vol, path, _R), "pread_async", 9, 0
            ),
            "Handle.fopen": lambda vol, path, held: _of(held.fopen(), "read"),
            "Handle.pread": lambda vol, path, held: held.pread(9, 0),
            "Handle.preadinto": lambda vol, path, held: held.preadinto(bytearray(9), 0),
            "lookup, pread": lambda vol, path, _: vol.lookup(path).pread(9, 0),
            "access": lambda vol, path, _: _must(vol.access(path, os.R_OK)),
            "Handle.access": lambda vol, path, held: _must(held.access(os.R_OK)),
            "copyfile": lambda vol, path, _: vol.copyfile(path, path + "-copy"),
            "copy2": lambda vol, path, _: vol.copy2(path, path + "-copy"),
        },
    ),
    "write": Attempt(
        _write,
        {
            "open, write": lambda vol, path, _: _of(_file(vol, path, _W), "write", b"other"),
            "open, pwrite": lambda vol, path, _: _of(_file(vol, path, _W), "pwrite", b"x", 3),
            "open, pwrite_async": lambda vol, path, _: _of(
                _file(vol, path, _W), "pwrite_async", b"x", 3
            ),
            "open, ftruncate": lambda vol, path, _: _of(_file(vol, path, _W), "ftruncate", 3),
            "Handle.pwrite": lambda vol, path, held: held.pwrite(b"other", 3),
            "lookup, pwrite": lambda vol, path, _: vol.lookup(path).pwrite(b"other", 3),
            "Handle.open": lambda vol, path, held: _of(
                gfapi.File(held.open(_W)), "write", b"other"
            ),
            "access": lambda vol, path, _: _must(vol.access(path, os.W_OK)),
            "Handle.access": lambda vol, path, held: _must(held.access(os.W_OK)),
        },
    ),
    "read and write": Attempt(
        lambda path: _write(path, _RW),
        {
            "fopen": lambda vol, path, _: _of(vol.fopen(path, "r+"), "write", b"other"),
            "Handle.fopen": lambda vol, path, held: _of(held.fopen("r+"), "write", b"other"),
            "fopen, read": lambda vol, path, _: _of(vol.fopen(path, "r+"), "read"),
        },
    ),
    "cut": Attempt(
        lambda path: os.truncate(path, 3),
        {
            "truncate": lambda vol, path, _: vol.truncate(path, 3),
            "fopen": lambda vol, path, _: vol.fopen(path, "w").close(),
            "Handle.fopen": lambda vol, path, held: held.fopen("w").close(),
            "Handle.truncate": lambda vol, path, held: held.truncate(3),
            "Handle.setattr": lambda vol, path, held: held.setattr(size=3),
            "setattr": lambda vol, path, _: vol.setattr(path, size=3),
            "Handle.create": lambda vol, path, _: vol.lookup(os.path.dirname(path)).create(
                os.path.basename(path), os.O_TRUNC
            ),
        },
    ),
    "append": Attempt(
        lambda path: _write(path, _W | os.O_APPEND),
        {
            "fopen": lambda vol, path, _: _of(vol.fopen(path, "a"), "write", b"more"),
            "Handle.fopen": lambda vol, path, held: _of(held.fopen("a"), "write", b"more"),
        },
    ),
    "execute": Attempt(
        lambda path: _must(os.access(path, os.X_OK)),
        {
            "access": lambda vol, path, _: _must(vol.access(path, os.X_OK)),
            "Handle.access": lambda vol, path, held: _must(held.access(os.X_OK)),
        },
    ),
    "see the status": Attempt(
        os.stat,
        {
            "stat": lambda vol, path, _: vol.stat(path),
            "Handle.stat": lambda vol, path, held: held.stat(),
            "Handle.getattrs": lambda vol, path, held: held.getattrs(),
        },
    ),
    "change the mode": Attempt(
        lambda path: os.chmod(path, 0o777),
        {
            "chmod": lambda vol, path, _: vol.chmod(path, 0o777),
            "setattr": lambda vol, path, _: vol.setattr(path, mode=0o777),
            "Handle.setattr": lambda vol, path, held: held.setattr(mode=0o777),
        },
    ),
    "change the times": Attempt(
        _utime,
        {
            "utime": lambda vol, path, _: vol.utime(path, (1, 1)),
            "setattr": lambda vol, path, _: vol.setattr(path, times=(1, 1)),
            "Handle.setattr": lambda vol, path, held: held.setattr(times=(1, 1)),
        },
    ),
    "give it away": Attempt(
        lambda path: os.chown(path, STRANGER + 9, -1),
        {
            "setattr": lambda vol, path, _: vol.setattr(path, uid=STRANGER + 9),
            "chown": lambda vol, path, _: vol.chown(path, STRANGER + 9, GROUP),
            "Handle.setattr": lambda vol, path, held: held.setattr(uid=STRANGER + 9),
        },
    ),
    "give it to the group": Attempt(
        _chgrp,
        {
            "setattr": lambda vol, path, _: vol.setattr(path, gid=GROUP),
            "chown": lambda vol, path, _: vol.chown(path, OWNER, GROUP),
            "Handle.setattr": lambda vol, path, held: held.setattr(gid=GROUP),
        },
    ),
    "give it to another group": Attempt(
        lambda path: os.chown(path, -1, NAMED_GROUP + 100),
        {
            "setattr": lambda vol, path, _: vol.setattr(path, gid=NAMED_GROUP + 100),
            "Handle.setattr": lambda vol, path, held: held.setattr(gid=NAMED_GROUP + 100),
        },
    ),
    "read an attribute": Attempt(
        lambda path: os.getxattr(path, "user.x"),
        {
            "getxattr": lambda vol, path, _: vol.getxattr(path, "user.x"),
            "xattrs": lambda vol, path, _: vol.xattrs(path)["user.x"],
            "Handle.getxattr": lambda vol, path, held: held.getxattr("user.x"),
        },
    ),
    "set an attribute": Attempt(
        lambda path: os.setxattr(path, "user.x", b"2"),
        {
            "setxattr": lambda vol, path, _: vol.setxattr(path, "user.x", b"2"),
            "Handle.setxattr": lambda vol, path, held: held.setxattr("user.x", b"2"),
        },
    ),
    "remove an attribute": Attempt(
        lambda path: os.removexattr(path, "user.x"),
        {
            "removexattr": lambda vol, path, _: vol.removexattr(path, "user.x"),
            "Handle.removexattr": lambda vol, path, held: held.removexattr("user.x"),
        },
    ),
    "set a trusted attribute": Attempt(
        lambda path: os.setxattr(path, "trusted.x", b"2"),
        {
            "setxattr": lambda vol, path, _: vol.setxattr(path, "trusted.x", b"2"),
            "Handle.setxattr": lambda vol, path, held: held.setxattr("trusted.x", b"2"),
        },
    ),
    "read the ACL": Attempt(
        os.stat,  # whoever sees the file, sees its list
        {
            "getacl": lambda vol, path, _: vol.getacl(path),
            "Handle.getacl": lambda vol, path, held: held.getacl(),
        },
    ),
    "set the ACL": Attempt(
        lambda path: os.setxattr(path, _ACCESS, _packed(_ACL_R)),
        {
            "setacl": lambda vol, path, _: vol.setacl(path, _ACL_R),
            "Handle.setacl": lambda vol, path, held: held.setacl(_ACL_R),
            "setxattr": lambda vol, path, _: vol.setxattr(path, _ACCESS, _packed(_ACL_R)),
        },
    ),
    "write what is open for reading": Attempt(
        lambda path: _write(path, _R),
        {
            "write": lambda vol, path, _: _of(_file(vol, path, _R), "write", b"x"),
            "pwrite": lambda vol, path, _: _of(_file(vol, path, _R), "pwrite", b"x", 0),
            "ftruncate": lambda vol, path, _: _of(_file(vol, path, _R), "ftruncate", 0),
            "discard": lambda vol, path, _: _of(_file(vol, path, _R), "discard", 0, 3),
            "zerofill": lambda vol, path, _: _of(_file(vol, path, _R), "zerofill", 0, 3),
            "fallocate": lambda vol, path, _: _of(_file(vol, path, _R), "fallocate", 0, 0, 99),
            "Handle.open": lambda vol, path, held: _of(gfapi.File(held.open(_R)), "write", b"x"),
        },
    ),
    "read what is open for writing": Attempt(
        lambda path: _read_descriptor(os.open(path, _W)),
        {
            "read": lambda vol, path, _: _of(_file(vol, path, _W), "read"),
            "pread": lambda vol, path, _: _of(_file(vol, path, _W), "pread", 9, 0),
        },
    ),
}


def _read_descriptor(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 9)
    finally:
        os.close(descriptor)


ON_FOLDERS: dict[str, Attempt] = {
    "list": Attempt(
        os.listdir,
        {
            "listdir": lambda vol, path, _: vol.listdir(path),
            "scandir": lambda vol, path, _: list(vol.scandir(path)),
            "walk": lambda vol, path, _: list(vol.walk(path)),
            "walk, 4 threads": lambda vol, path, _: list(vol.walk(path, threads=4)),
            "Handle.opendir": lambda vol, path, held: list(held.opendir()),
        },
    ),
    "see what is in it": Attempt(
        lambda path: os.stat(path + "/f"),
        {
            "stat": lambda vol, path, _: vol.stat(path + "/f"),
            "Handle.lookup": lambda vol, path, held: held.lookup("f"),
            "lookup": lambda vol, path, _: vol.lookup(path + "/f"),
        },
    ),
    "read what is in it": Attempt(
        lambda path: _read(path + "/f"),
        {
            "fopen": lambda vol, path, _: _of(vol.fopen(path + "/f"), "read"),
            "Handle.lookup, pread": lambda vol, path, held: held.lookup("f").pread(9, 0),
        },
    ),
    "make a file": Attempt(
        lambda path: _write(path + "/new", _W | os.O_CREAT),
        {
            "fopen": lambda vol, path, _: vol.fopen(path + "/new", "w").close(),
            "Handle.create": lambda vol, path, held: held.create("new"),
            "Handle.create_open": lambda vol, path, held: held.create_open("new")[1].close(),
            "mknod": lambda vol, path, _: vol.mknod(path + "/new", stat.S_IFREG | 0o600),
            "copyfile": lambda vol, path, _: vol.copyfile(path + "/../own", path + "/new"),
        },
    ),
    "make a directory": Attempt(
        lambda path: os.mkdir(path + "/new"),
        {
            "mkdir": lambda vol, path, _: vol.mkdir(path + "/new"),
            "Handle.mkdir": lambda vol, path, held: held.mkdir("new"),
            "copytree": lambda vol, path, _: vol.copytree(path + "/../empty", path + "/new"),
        },
    ),
    "make a symbolic link": Attempt(
        lambda path: os.symlink("f", path + "/new"),
        {
            "symlink": lambda vol, path, _: vol.symlink("f", path + "/new"),
            "Handle.symlink": lambda vol, path, held: held.symlink("f", "new"),
        },
    ),
    "make a device": Attempt(
        lambda path: os.mknod(path + "/new", stat.S_IFCHR | 0o666, os.makedev(1, 3)),
        {
            "mknod": lambda vol, path, _: vol.mknod(
                path + "/new", stat.S_IFCHR | 0o666, os.makedev(1, 3)
            ),
            "Handle.mknod": lambda vol, path, held: held.mknod(
                "new", stat.S_IFBLK | 0o666, os.makedev(8, 0)
            ),
        },
    ),
    "remove a file": Attempt(
        lambda path: os.unlink(path + "/f"),
        {
            "unlink": lambda vol, path, _: vol.unlink(path + "/f"),
            "Handle.unlink": lambda vol, path, held: held.unlink("f"),
        },
    ),
    "remove a directory": Attempt(
        lambda path: os.rmdir(path + "/d"),
        {
            "rmdir": lambda vol, path, _: vol.rmdir(path + "/d"),
            "Handle.unlink": lambda vol, path, held: held.unlink("d"),
            "rmtree": lambda vol, path, _: vol.rmtree(path + "/d"),
        },
    ),
    "rename within": Attempt(
        lambda path: os.rename(path + "/f", path + "/g"),
        {
            "rename": lambda vol, path, _: vol.rename(path + "/f", path + "/g"),
            "Handle.rename": lambda vol, path, held: held.rename("f", held, "g"),
        },
    ),
    "move out of it": Attempt(
        lambda path: os.rename(path + "/f", path + "-f"),
        {
            "rename": lambda vol, path, _: vol.rename(path + "/f", path + "-f"),
            "move": lambda vol, path, _: vol.move(path + "/f", path + "-f"),
        },
    ),
}

_ACCESS = "system.posix_acl_access"
_TAGS = {"u": (1, 2), "g": (4, 8), "m": (16, 16), "o": (32, 32)}


def _packed(acl: str) -> bytes:
    """An access control list as the kernel has it in an extended attribute."""
    packed = struct.pack("<I", 2)
    for entry in acl.split(","):
        tag, who, permissions = entry.split(":")
        bits = sum(bit for letter, bit in zip("rwx", (4, 2, 1)) if letter in permissions)
        packed += struct.pack("<HHI", _TAGS[tag][bool(who)], bits, int(who or 0xFFFFFFFF))
    return packed


# ------------------------------------------------------------------------------- the objects


class Case(NamedTuple):
    """One attempt of one subject on one object."""

    subject: str
    object: str
    attempt: str
    way: str = ""


def cases_of(subjects: Iterable[str], objects: Iterable[str], attempts: Any) -> list[Case]:
    """All combinations, with each way of an attempt."""
    return [
        Case(subject, name, attempt, way)
        for subject in subjects
        for name in objects
        for attempt in attempts
        for way in attempts[attempt].ways
    ]


def _made_file(path: str) -> None:
    with open(path, "wb") as file:
        file.write(CONTENT)


def make_local(path: str, thing: Object, is_folder: bool) -> None:
    """Make an object on a local folder."""
    if is_folder:
        os.mkdir(path)
        os.mkdir(path + "/d")
        _made_file(path + "/f")
        os.chmod(path + "/f", 0o644)
        os.chmod(path + "/d", 0o777)
        for name in ("f", "d"):
            os.chown(f"{path}/{name}", OWNER, GROUP)
    else:
        _made_file(path)
        os.setxattr(path, "user.x", b"1")
    os.chown(path, OWNER, GROUP)
    os.chmod(path, thing.mode)
    if thing.acl:
        os.setxattr(path, _ACCESS, _packed(thing.acl))


def make_remote(vol: gfapi.Volume, path: str, thing: Object, is_folder: bool) -> None:
    """Make the same on a volume."""
    if is_folder:
        folder = vol.lookup(os.path.dirname(path)).mkdir(os.path.basename(path), 0o700)
        child, file = folder.create_open("f", mode=0o644)
        file.write(CONTENT)
        file.close()
        child.setattr(uid=OWNER, gid=GROUP)
        folder.mkdir("d", 0o777).setattr(uid=OWNER, gid=GROUP)
        made = folder
    else:
        with vol.fopen(path, "w") as file:
            file.write(CONTENT)
        made = vol.lookup(path)
        made.setxattr("user.x", b"1")
    made.setattr(uid=OWNER, gid=GROUP)
    made.setattr(mode=thing.mode)
    if thing.acl:
        made.setacl(thing.acl)


def outcome(action: Callable[[], Any]) -> str:
    """``allowed``, or the name of the error."""
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return ALLOWED


# ------------------------------------------------------------------------------- the kernel


def decided_by_kernel(cases: Iterable[Case], objects: dict[str, Object]) -> dict[Case, str]:
    """What it allows in a local folder to processes of those users, way left out."""
    is_folder = objects is FOLDERS
    attempts = ON_FOLDERS if is_folder else ON_FILES
    alike = list(dict.fromkeys(case._replace(way="") for case in cases))
    folder = tempfile.mkdtemp(prefix="gf-permissions-")
    try:
        os.chmod(folder, 0o777)
        paths = [f"{folder}/{number}" for number in range(len(alike))]
        for path, case in zip(paths, alike):
            make_local(path, objects[case.object], is_folder)
        decided = {}
        for name, subject in SUBJECTS.items():
            its = [(path, case) for path, case in zip(paths, alike) if case.subject == name]
            said = _in_child(subject, partial(_tried_locally, its, attempts))
            decided.update(zip([case for _, case in its], said))
        return decided
    finally:
        shutil.rmtree(folder)


def _tried_locally(cases: Iterable[tuple[str, Case]], attempts: dict[str, Attempt]) -> list[str]:
    return [outcome(partial(attempts[case.attempt].kernel, path)) for path, case in cases]


def _in_child(subject: Subject, work: Callable[[], list[str]]) -> list[str]:
    """Have a process of that user do something."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            become(subject)
            os.umask(0)
            os.write(writer, json.dumps(work()).encode())  # fits into a pipe
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    result: list[str] = json.loads(said)
    return result


def become(subject: Subject) -> None:
    """Be a process of that user, for good."""
    os.setgroups(subject.groups)
    os.setresgid(*[subject.gid] * 3)
    os.setresuid(*[subject.uid] * 3)


# ------------------------------------------------------------------------------- the volume


def decided_by_volume(
    volume: sandbox.SandboxVolume,
    cases: Sequence[Case],
    objects: dict[str, Object],
    as_process: bool = False,
) -> dict[Case, str]:
    """What a volume allows.

    :param as_process: whether each subject is a process of its own, and not an identity.
    """
    is_folder = objects is FOLDERS
    folder = f"/permissions-{os.urandom(4).hex()}"
    paths = [f"{folder}/{number}" for number in range(len(cases))]
    with volume.client() as vol:
        vol.mkdir(folder, 0o777)
        vol.mkdir(folder + "/empty", 0o777)
        vol.fopen(folder + "/own", "w").close()
        for path, case in zip(paths, cases):
            make_remote(vol, path, objects[case.object], is_folder)
    decided = {}
    for name in SUBJECTS:
        its = [(path, case) for path, case in zip(paths, cases) if case.subject == name]
        if its:
            said = (_as_process if as_process else _as_identity)(volume, name, its)
            decided.update(zip([case for _, case in its], said))
    with volume.client() as vol:
        vol.rmtree(folder)
    return decided


def _as_identity(
    volume: sandbox.SandboxVolume, name: str, cases: Sequence[tuple[str, Case]]
) -> list[str]:
    """On a mount of its own: what another has looked at is in the caches of a mount."""
    subject = SUBJECTS[name]
    with volume.client() as vol:
        return [_tried(vol, path, case, lambda: vol.identity(*subject)) for path, case in cases]


def _tried(vol: gfapi.Volume, path: str, case: Case, identity: Callable[[], Any]) -> str:
    action = {**ON_FILES, **ON_FOLDERS}[case.attempt].ways[case.way]
    held = vol.lookup(path)
    with identity(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        return outcome(lambda: action(vol, path, held))


def _as_process(
    volume: sandbox.SandboxVolume, name: str, cases: Sequence[tuple[str, Case]]
) -> list[str]:
    given = json.dumps([volume.hosts, volume.name, name, cases])
    done = subprocess.run(
        [sys.executable, __file__, "--try"],
        input=given,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(gfapi.__file__).parents[2])},
    )
    result: list[str] = json.loads(done.stdout)
    return result


def try_from_stdin() -> None:
    """The process of a subject."""
    hosts, volname, name, cases = json.load(sys.stdin)
    for module in pkgutil.iter_modules(gfapi.__path__):  # a user may not be able to read them
        if not module.ispkg:
            importlib.import_module(f"gluster.gfapi.{module.name}")
    become(SUBJECTS[name])
    with gfapi.Volume(hosts, volname) as vol:
        said = [_tried(vol, path, Case(*case), contextlib.nullcontext) for path, case in cases]
    print(json.dumps(said))


# ------------------------------------------------------------------------------- the judgement


class Verdict(NamedTuple):
    """What the kernel and a volume say of a case."""

    case: Case
    kernel: str
    volume: str

    @property
    def differs(self) -> bool:
        """Whether one allows it and the other does not."""
        return (self.kernel == ALLOWED) != (self.volume == ALLOWED)

    @property
    def is_known(self) -> bool:
        """Whether it is one of GlusterFS's own differences, which are documented."""
        subject, attempt = self.case.subject, self.case.attempt
        if self.volume == ALLOWED:
            # Root may "execute" what nobody may; who may write a file may set its times.
            return (subject == "root" and attempt == "execute") or attempt == "change the times"
        # Of a directory that may be read and not entered, only a distributed volume says so.
        if attempt == "list" and self.case.way.startswith("walk"):
            return self.case.object == "0o744"
        # To leave a file to the group that it has is a change, which takes a member.
        return attempt == "give it to the group" and subject == "owner"


def compare(
    volume: sandbox.SandboxVolume,
    objects: dict[str, Object],
    subjects: Iterable[str] = tuple(SUBJECTS),
    names: Optional[Iterable[str]] = None,
    as_process: bool = False,
) -> list[Verdict]:
    """Try all attempts on a volume and on a local folder.

    :param names: of ``objects``, all by default.
    :param as_process: whether each subject is a process of its own, and not an identity.
    """
    attempts = ON_FOLDERS if objects is FOLDERS else ON_FILES
    cases = cases_of(subjects, names or objects, attempts)
    kernel = decided_by_kernel(cases, objects)
    decided = decided_by_volume(volume, cases, objects, as_process)
    return [Verdict(case, kernel[case._replace(way="")], decided[case]) for case in cases]


def main() -> int:
    options = parsed()
    rows = []
    with sandbox.Cluster(nodes=1) as cluster:
        for kind in options.kinds.split(","):
            volume = cluster.create_volume(kind, **KINDS[kind])
            for as_process, who in ((False, "identities"), (True, "processes of users")):
                verdicts = [
                    verdict
                    for objects in (FILES, FOLDERS)
                    for verdict in compare(volume, objects, as_process=as_process)
                ]
                differing = [verdict for verdict in verdicts if verdict.differs]
                wrong = [verdict for verdict in differing if not verdict.is_known]
                rows.append(
                    {
                        "tested": f"permissions, {who}",
                        "kind": kind,
                        "cases": len(verdicts),
                        "swaps": 0,
                        "documented differences": len(differing) - len(wrong),
                        "harm": len(wrong),
                    }
                )
                print(rows[-1], *wrong, sep="\n", flush=True)
            volume.delete()
    if options.json:
        figures.keep(options.json, ["tested", "kind"], rows)
    return 1 if any(row["harm"] for row in rows) else 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kinds", default="plain", help="(default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="where to keep the figures")
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:] == ["--try"]:
        try_from_stdin()
    else:
        sys.exit(main())
