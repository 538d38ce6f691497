"""What is public, found by looking at the package, and what each of it is called with by right.

``public()`` is all that the package and its reference name. ``valid(name)`` has a maker of a right
value for each parameter of one; what it has none for is not covered, and a test fails.
"""

from __future__ import annotations

import fcntl
import functools
import importlib
import inspect
import os
import re
import stat
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from gluster import gfapi
from gluster.gfapi import meta, sandbox
from gluster.gfapi.sandbox.layout import Layout

Make = Callable[[Any], Any]  # gets the stage

_DOC = Path(gfapi.__file__).parents[2] / "doc"
# What a class of ours does for a statement or an operator.
_OPERATORS = ("contains", "delitem", "enter", "eq", "exit", "fspath", "getitem", "iter", "len")
_OPERATORS += ("next", "repr", "setitem", "bytes", "hash", "reduce", "copy", "str")


class Callee(NamedTuple):
    """Something public that can be called.

    :ivar name: as ``Volume.stat``; ``File.lkowner=`` is what sets an attribute, and
        ``File.name`` what reads one.
    :ivar owner: the class that it is a method of, or None.
    :ivar parameters: their names.
    :ivar by_position: those that cannot be given by name.
    """

    name: str
    owner: Optional[type]
    parameters: tuple[str, ...]
    by_position: tuple[str, ...] = ()

    @property
    def attribute(self) -> str:
        return self.name.rpartition(".")[2].rstrip("=")

    def of(self, target: Any, arguments: dict[str, Any], **more: Any) -> Any:
        """Call it.

        :param target: the object that it is a method of.
        """
        left = dict(arguments)
        listed = [left.pop(name) for name in self.by_position if name in left]
        left.update(more)
        if self.owner is None:
            return _found(self.name)(*listed, **left)
        if self.name.endswith("="):
            return setattr(target, self.attribute, *left.values())
        if not callable(getattr(self.owner, self.attribute)):
            return getattr(target, self.attribute)
        return getattr(target, self.attribute)(*listed, **left)


def _found(name: str) -> Any:
    """The class or function of a name below ``gluster.gfapi``."""
    module, _, last = name.rpartition(".")
    full = f"gluster.gfapi.{module}" if module else "gluster.gfapi"
    return getattr(importlib.import_module(full), last)


@functools.cache
def public() -> dict[str, Callee]:
    """All that is public and can be called, by name."""
    names = {*gfapi.__all__, *(f"sandbox.{name}" for name in sandbox.__all__), *_in_reference()}
    callees = [callee for name in sorted(names) for callee in _callees(name)]
    return {callee.name: callee for callee in callees}


def _in_reference() -> set[str]:
    """What the pages of the documentation describe, if they are there."""
    found = {"meta.Meta", "meta.Translator", "meta.graph_in"}
    for page in sorted(_DOC.glob("*.rst")):
        module = "gluster.gfapi"
        for line in page.read_text(encoding="utf-8").splitlines():
            if match := re.match(r"\.\. currentmodule:: (\S+)", line):
                module = match[1]
            elif match := re.match(r"\.\. auto(?:class|function|exception):: (\S+)", line):
                name = match[1] if match[1].startswith("gluster.") else f"{module}.{match[1]}"
                found.add(name.removeprefix("gluster.gfapi."))
    return found


def _callees(name: str) -> list[Callee]:
    thing = _found(name)
    found = [_callee(name, None, thing)]
    if not inspect.isclass(thing) or issubclass(thing, (int, tuple, BaseException)):
        return found  # what else these have is Python's own
    for attribute in dir(thing):
        if not _is_public(thing, attribute):
            continue
        full, raw = f"{name}.{attribute}", inspect.getattr_static(thing, attribute)
        if isinstance(raw, property):
            found.append(Callee(full, thing, ()))
            if raw.fset:
                found.append(Callee(f"{full}=", thing, ("value",)))
        elif callable(getattr(thing, attribute)):
            found.append(_callee(full, thing, getattr(thing, attribute)))
    return found


def _is_public(thing: type, attribute: str) -> bool:
    if not attribute.startswith("_"):
        return True
    if attribute.strip("_") not in _OPERATORS or not attribute.endswith("__"):
        return False
    definer = next(base for base in thing.__mro__ if attribute in vars(base))
    return definer.__module__.startswith(("gluster.", "collections.abc"))


def _callee(name: str, owner: Optional[type], function: Any) -> Callee:
    try:
        signature = inspect.signature(function)
    except ValueError:  # C's own, which takes anything by position
        return Callee(name, owner, ())
    parameters = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    if owner is not None and not inspect.ismethod(function):
        parameters = parameters[1:]  # self
    by_position = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]
    return Callee(name, owner, tuple(p.name for p in parameters), tuple(by_position))


# ------------------------------------------------------------------------- right arguments


def _const(value: Any) -> Make:
    return lambda stage: value


_file: Make = lambda s: s.file  # noqa: E731
_new: Make = lambda s: s.new  # noqa: E731
_name: Make = lambda s: s.new.rpartition("/")[2]  # noqa: E731
_folder: Make = lambda s: s.folder  # noqa: E731
_link: Make = lambda s: s.link  # noqa: E731
_buffers: Make = lambda s: [bytearray(3), bytearray(5)]  # noqa: E731
_ACL = "u::rw-,g::r--,o::---"

#: What a parameter of a name is given, unless the callable has another.
_BY_NAME: dict[str, Make] = {
    "acl": _const(_ACL),
    "buf": lambda s: bytearray(4),
    "buffer": lambda s: bytearray(4),
    "buffers": _buffers,
    "buflen": _const(4),
    "by_brick": _const(True),
    "callback": _const(None),
    "cmd": _const(fcntl.LOCK_EX),
    "command": _const("s"),
    "copy_function": _const(None),
    "count": _const(4),
    "data": _const(b"data"),
    "default": _const(False),
    "dev": _const(0),
    "dir_fd": _const(None),
    "dirs_exist_ok": _const(False),
    "directory": lambda s: s.local,
    "dst": _new,
    "dst_dir_fd": _const(None),
    "errno": _const(5),
    "events": _const(3),
    "error": _const(None),
    "exc_info": _const(None),
    "exchange": _const(False),
    "exclusive": _const(True),
    "exist_ok": _const(True),
    "fd": lambda s: s.directory,
    "fdst": lambda s: s.opened,
    "flags": _const(0),
    "follow_symlinks": _const(True),
    "followlinks": _const(False),
    "fsrc": lambda s: s.other_opened,
    "gfid": lambda s: s.handle.gfid,
    "gid": _const(0),
    "groups": _const((0, 1)),
    "handles": _const(True),
    "hint": _const(-1),
    "host": _const("127.0.0.1"),
    "hosts": lambda s: s.volume.hosts,
    "how": _const(os.SEEK_SET),
    "ignore": _const(None),
    "ignore_dangling_symlinks": _const(False),
    "ignore_errors": _const(False),
    "index": _const(0),
    "key": _const("user.x"),
    "kind": _const(None),
    "lease_id": _const(None),
    "len": _const(10),
    "length": _const(10),
    "lines": lambda s: [b"one", b"two"],
    "link_name": _new,
    "log_file": _const("/dev/null"),
    "log_level": _const(7),
    "logger": lambda s: s.logger,
    "mandatory": _const(False),
    "message": _const("words"),
    "mode": _const(0o644),
    "name": _name,
    "names": _const(None),
    "new": _new,
    "noreplace": _const(False),
    "ns": _const(None),
    "offset": _const(0),
    "offset_dst": _const(None),
    "offset_src": _const(None),
    "old": _file,
    "on_recall": _const(None),
    "onexc": _const(None),
    "onerror": _const(None),
    "operation": _const(fcntl.LOCK_EX),
    "other": lambda s: s.handle,
    "parent": lambda s: s.directory_handle,
    "path": _file,
    "path1": _file,
    "path2": _file,
    "port": _const(24007),
    "pos": _const(0),
    "position": _const(0),
    "proto": _const("tcp"),
    "readdirplus": _const(True),
    "scandir_path": _folder,
    "size": _const(4),
    "source": _file,
    "src": _file,
    "src_dir_fd": _const(None),
    "start": _const(0),
    "symlinks": _const(True),
    "target": _const("to"),
    "threads": _const(2),
    "timeout": _const(0),
    "times": _const((1.0, 2.0)),
    "top": _folder,
    "topdown": _const(True),
    "type": _const(1),
    "trace": _const(None),
    "uid": _const(0),
    "url": _const("gluster://127.0.0.1/volume"),
    "value": _const(b"value"),
    "vol": lambda s: s.volume,
    "volfile": _const(None),
    "volname": lambda s: s.volume.volname,
    "wait": _const(False),
    "whence": _const(os.SEEK_SET),
    "xlator_options": _const(None),
}

_NO_TIMES: dict[str, Make] = {"size": _const(10), "times": _const(None)}
_FOLDER: dict[str, Make] = {"path": _folder}
#: The same for one callable.
_OF_CALLEE: dict[str, dict[str, Make]] = {
    "Dir": {"descriptor": lambda s: s.directory._descriptor},
    "DirEntry": {"name": _const("f"), "lstat": _const(None)},
    "File": {"fd": lambda s: s.opened.fileno},
    "File.fallocate": {"mode": _const(1)},
    "File.fgetxattr": {"key": _const("user.there"), "size": _const(0)},
    "File.flistxattr": {"size": _const(0)},
    "File.fremovexattr": {"key": _const("user.there")},
    "File.lkowner=": {"value": _const(b"owner")},
    "File.setattr": _NO_TIMES,
    "File.truncate": {"size": _const(10)},
    "Handle": {"held": lambda s: s.handle._object},
    "Handle.create": {"flags": _const(os.O_EXCL)},
    "Handle.create_open": {"flags": _const(os.O_RDWR)},
    "Handle.fopen": {"mode": _const("r+")},
    "Handle.getxattr": {"key": _const("user.there"), "size": _const(0)},
    "Handle.listxattr": {"size": _const(0)},
    "Handle.lookup": {"path": _const("f")},
    "Handle.open": {"flags": _const(os.O_RDWR)},
    "Handle.removexattr": {"key": _const("user.there")},
    "Handle.rename": {
        "name": _const("f"),
        "new_parent": lambda s: s.directory_handle,
        "new_name": _name,
    },
    "Handle.setattr": _NO_TIMES,
    "Handle.unlink": {"name": _const("f")},
    "Lease": {
        "mount": lambda s: s.volume._mount,
        "gate": lambda s: s.opened._descriptor,
        "ask": lambda s: lambda *_: None,
        "inode": _const(1),
    },
    "Lease.end": {"gate": lambda s: s.gate_of_lease},
    "LeaseType": {"value": _const(1)},
    "LockHolder": {"length": _const(0), "pid": _const(1)},
    "Upcall": {"told": _const(None)},  # nobody else has one
    "UpcallEvents": {"value": _const(1)},
    "UpcallFlags": {"value": _const(1)},
    "UpcallReason": {"value": _const(1)},
    "Volume.access": {"mode": _const(os.R_OK)},
    "Handle.access": {"mode": _const(os.R_OK)},
    "Volume.chdir": _FOLDER,
    "Volume.copy_file_range": {"src": lambda s: s.other_opened, "dst": lambda s: s.opened},
    "Volume.copymode": {"dst": lambda s: s.other_file},
    "Volume.copystat": {"dst": lambda s: s.other_file},
    "Volume.copytree": {"src": _folder},
    "Volume.fopen": {"mode": _const("r+")},
    "Volume.getxattr": {"key": _const("user.there"), "size": _const(0)},
    "Volume.listdir": _FOLDER,
    "Volume.listdir_with_stat": _FOLDER,
    "Volume.listxattr": {"size": _const(0)},
    "Volume.makedirs": {"path": lambda s: f"{s.new}/two/three"},
    "Volume.mkdir": {"path": _new},
    "Volume.mknod": {"path": _new, "mode": _const(stat.S_IFIFO | 0o644)},
    "Volume.open": {"flags": _const(os.O_RDWR | os.O_CREAT)},
    "Volume.opendir": _FOLDER,
    "Volume.readlink": {"path": _link},
    "Volume.remove_server": {"host": _const("127.0.0.2")},
    "Volume.removedirs": {"path": lambda s: s.empty},
    "Volume.removexattr": {"key": _const("user.there")},
    "Volume.rmdir": {"path": lambda s: s.empty},
    "Volume.rmtree": _FOLDER,
    "Volume.scandir": _FOLDER,
    "Volume.setattr": _NO_TIMES,
    "Xattrs": {name: _const(lambda *_: []) for name in ("get", "list", "set", "remove")},
    "Xattrs.__contains__": {"key": _const("user.there")},
    "Xattrs.__delitem__": {"key": _const("user.there")},
    "Xattrs.__eq__": {"other": lambda s: {}},
    "Xattrs.__getitem__": {"key": _const("user.there")},
    "Xattrs.pop": {"key": _const("user.there"), "default": _const(b"")},
    "Xattrs.get": {"default": _const(None)},
    "Xattrs.setdefault": {"default": _const(b"new")},
    "Xattrs.update": {"other": lambda s: {"user.y": b"1"}},
    "meta.Call": {
        "operation": _const("READ"),
        "lock_owner": _const(""),
        "unique": _const(1),
        "frames": _const(()),
    },
    "meta.Connection": dict.fromkeys(meta.Connection._fields, _const(None)),
    "meta.Frame": dict.fromkeys(meta.Frame._fields, _const(None)),
    "meta.Latency": dict.fromkeys(meta.Latency._fields, _const(1)),
    "meta.Meta": {"volume": lambda s: s.volume},
    "meta.Meta.allocations": {"name": lambda s: f"{s.volume.volname}-client-0"},
    "meta.Meta.log_level=": {"value": _const(7)},
    "meta.Meta.measure_latency=": {"value": _const(True)},
    "meta.Meta.private": {"name": lambda s: f"{s.volume.volname}-client-0"},
    "meta.Meta.read": {"name": _const("version")},
    "meta.Translator.find": {"name": lambda s: f"{s.volume.volname}-client-0"},
    "meta.Translator.find_all": {"type": _const("protocol/client")},
    "meta.graph_in": {"volfile": lambda s: s.volume.get_volfile()},
    "sandbox.Brick": {"volume": _const("v"), "node": lambda s: s.node, "path": _const("/b")},
    "sandbox.Cluster": {"nodes": _const(1), "base": _const(None), "storage": _const(None)},
    "sandbox.Cluster.create_volume": {
        "name": lambda s: s.volume_name(),
        **dict.fromkeys(("replica", "arbiter", "disperse", "redundancy"), _const(0)),
        "distribute": _const(1),
        "transport": _const("tcp"),
        "options": _const(None),
        "start": _const(False),
    },
    "sandbox.Cluster.gluster": {"node": _const(0)},
    "sandbox.Cluster.kill_node": {"index": _const(0)},
    "sandbox.Cluster.start_node": {"index": _const(0)},
    "sandbox.Node": {
        "host": _const("127.0.0.1"),
        "folder": lambda s: s.local,
        "storage": lambda s: s.local,
    },
    "sandbox.Node.finish_launch": {"launched": _const(None)},
    "sandbox.SandboxVolume": {
        "cluster": lambda s: s.cluster,
        "name": _const("v"),
        "layout": _const(Layout()),
    },
    "sandbox.SandboxVolume.add_bricks": {"count": _const(1), "replica": _const(0)},
    "sandbox.SandboxVolume.create": {"transport": _const("tcp"), "options": _const({})},
    "sandbox.SandboxVolume.heal": {"full": _const(False)},
    "sandbox.SandboxVolume.kill_brick": {"index": _const(0)},
    "sandbox.SandboxVolume.start_brick": {"index": _const(0)},
    "sandbox.SandboxVolume.replace_brick": {"index": _const(0)},
    "sandbox.SandboxVolume.set_option": {
        "key": _const("performance.io-cache"),
        "value": _const("on"),
    },
    "sandbox.SandboxVolume.set_options": {"options": _const({"performance.io-cache": True})},
    "sandbox.SandboxVolume.rebalance": {"timeout": _const(10.0)},
    "sandbox.SandboxVolume.wait_healed": {"timeout": _const(10.0)},
}
# Of Python's own enumerations, which are not what is tested.
_OWN_OF_ENUM = ("module", "qualname", "type", "start", "boundary", "names")


def valid(name: str) -> dict[str, Make]:
    """A maker of a right value for each parameter that there is one for."""
    callee, own = public()[name], _OF_CALLEE.get(name, {})
    makers = {p: own.get(p) or _BY_NAME.get(p) for p in callee.parameters}
    if callee.owner is None and issubclass(_class_of(name), int):
        makers = {p: make for p, make in makers.items() if p not in _OWN_OF_ENUM}
    return {parameter: make for parameter, make in makers.items() if make}


def _class_of(name: str) -> type:
    found = _found(name)
    return found if inspect.isclass(found) else object


def uncovered() -> list[str]:
    """The parameters that there is no right value for."""
    missing = []
    for name, callee in public().items():
        known = valid(name)
        if callee.owner is None and issubclass(_class_of(name), int):
            known = {**known, **dict.fromkeys(_OWN_OF_ENUM, _const(None))}
        missing += [f"{name}({p})" for p in callee.parameters if p not in known]
    return missing
