"""The public names with their parameters and defaults, as the API reference of gfapi 1 has them."""

from __future__ import annotations

import inspect
import io

import pytest

from gluster import gfapi

# As the reference writes them. Where it writes **kwargs, its list of parameters gives the names,
# and the text says which of them need not be given.
METHODS = """
Volume.__init__(hosts, volname, proto='tcp', port=24007, log_file='/dev/null', log_level=7)
Volume.access(path, mode)
Volume.chdir(path)
Volume.chmod(path, mode)
Volume.chown(path, uid, gid)
Volume.copy(src, dst)
Volume.copy2(src, dst)
Volume.copyfile(src, dst)
Volume.copyfileobj(fsrc, fdst, length=131072)
Volume.copymode(src, dst)
Volume.copystat(src, dst)
Volume.copytree(src, dst, symlinks=False, ignore=None)
Volume.disable_logging()
Volume.exists(path)
Volume.fopen(path, mode='r')
Volume.get_volume_id()
Volume.getatime(path)
Volume.getctime(path)
Volume.getcwd()
Volume.getmtime(path)
Volume.getsize(path)
Volume.getxattr(path, key, size=0)
Volume.isdir(path)
Volume.isfile(path)
Volume.islink(path)
Volume.link(source, link_name)
Volume.listdir(path)
Volume.listdir_with_stat(path)
Volume.listxattr(path, size=0)
Volume.lstat(path)
Volume.makedirs(path, mode=511)
Volume.mkdir(path, mode=511)
Volume.mknod(path, mode, dev)
Volume.mount()
Volume.open(path, flags, mode=511)
Volume.opendir(path, readdirplus=False)
Volume.readlink(path)
Volume.remove(path)
Volume.removexattr(path, key)
Volume.rename(src, dst)
Volume.rmdir(path)
Volume.rmtree(path, ignore_errors=False, onerror=None)
Volume.samefile(path1, path2)
Volume.scandir(path)
Volume.set_logging(log_file, log_level)
Volume.setfsgid(gid)
Volume.setfsuid(uid)
Volume.setxattr(path, key, value, flags=0)
Volume.stat(path)
Volume.statvfs(path)
Volume.symlink(source, link_name)
Volume.umount()
Volume.unlink(path)
Volume.utime(path, times=None)
Volume.walk(top, topdown=True, onerror=None, followlinks=False)
DirEntry.__init__(vol, scandir_path, name, lstat)
DirEntry.inode()
DirEntry.is_dir(follow_symlinks=False)
DirEntry.is_file(follow_symlinks=False)
DirEntry.is_symlink()
DirEntry.stat(follow_symlinks=False)
File.__init__(fd, path=None, mode=None)
File.close()
File.discard(offset, len)
File.dup()
File.fallocate(mode, offset, length)
File.fchmod(mode)
File.fchown(uid, gid)
File.fdatasync()
File.fgetsize()
File.fgetxattr(key, size=0)
File.flistxattr(size=0)
File.fremovexattr(key)
File.fsetxattr(key, value, flags=0)
File.fstat()
File.fsync()
File.ftruncate(length)
File.lseek(pos, how)
File.read(buflen=-1)
File.readinto(buf)
File.write(data)
File.zerofill(offset, length)
""".strip().splitlines()
PROPERTIES = ["Volume.mounted", "File.closed", "File.fileno", "File.mode", "File.name"]
# What need not be given though the reference says nothing of it, as with os and shutil.
EXTRA_DEFAULTS = {
    ("Volume.listdir", "path"): ".",
    ("Volume.mknod", "dev"): 0,
    ("Volume.mknod", "mode"): 0o600,
    ("Volume.scandir", "path"): ".",
}
# What may be given by position behind all that the reference names, as with os and shutil.
BEHIND = {"Volume.copytree": ["copy_function"], "Volume.makedirs": ["exist_ok"]}


@pytest.mark.parametrize("line", METHODS)
def test_each_method_takes_what_the_reference_says(line: str) -> None:
    name, _, parameters = line[:-1].partition("(")
    class_name, _, method_name = name.partition(".")
    method = inspect.getattr_static(getattr(gfapi, class_name), method_name)
    is_classmethod = isinstance(method, classmethod)
    function = method.__func__ if is_classmethod else method
    expected = inspect.signature(eval(f"lambda self, {parameters}: 0"))
    found = inspect.signature(function)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    by_position = [p for p in found.parameters.values() if p.kind in kinds]
    more = BEHIND.get(name, [])
    assert [p.name for p in by_position[1:]] == [*list(expected.parameters)[1:], *more]
    for parameter in by_position[1 : len(by_position) - len(more)]:
        wanted = expected.parameters[parameter.name].default
        wanted = EXTRA_DEFAULTS.get((name, parameter.name), wanted)
        assert parameter.default == wanted, parameter.name
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    for parameter in found.parameters.values():
        if parameter not in by_position:
            assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        if parameter not in by_position or parameter.name in more:
            assert parameter.default is not inspect.Parameter.empty


def test_copyfileobj_is_a_class_method() -> None:
    assert isinstance(inspect.getattr_static(gfapi.Volume, "copyfileobj"), classmethod)


@pytest.mark.parametrize("name", PROPERTIES)
def test_each_attribute_is_there_and_read_only(name: str) -> None:
    class_name, _, attribute = name.partition(".")
    found = inspect.getattr_static(getattr(gfapi, class_name), attribute)
    assert isinstance(found, property)
    assert found.fset is None


def test_an_entry_has_a_name_and_a_path() -> None:
    entry = gfapi.DirEntry(gfapi.Volume("host", "volume"), "folder", "name", None)
    assert (entry.name, entry.path) == ("name", "folder/name")


def test_the_package_exports_what_it_says() -> None:
    assert set(gfapi.__all__) == {
        "Dir",
        "DirEntry",
        "Error",
        "File",
        "Handle",
        "LeaseType",
        "LibgfapiException",
        "Upcall",
        "UpcallEvents",
        "UpcallFlags",
        "UpcallReason",
        "Lease",
        "LockHolder",
        "Volume",
        "VolumeNotMounted",
        "Watch",
        "Xattrs",
    }
    assert all(hasattr(gfapi, name) for name in gfapi.__all__)
    assert gfapi.__version__.startswith("2.")


def test_the_exceptions_are_what_they_were() -> None:
    assert issubclass(gfapi.LibgfapiException, Exception)
    assert issubclass(gfapi.VolumeNotMounted, gfapi.LibgfapiException)
    assert issubclass(gfapi.Error, OSError)
    assert issubclass(gfapi.File, io.RawIOBase)


@pytest.mark.parametrize(
    "class_", [gfapi.Volume, gfapi.File, gfapi.Dir, gfapi.DirEntry, gfapi.Xattrs]
)
def test_every_public_name_has_a_docstring(class_: type) -> None:
    assert class_.__doc__
    for name, member in vars(class_).items():
        if not name.startswith("_") and not inspect.ismemberdescriptor(member):
            assert inspect.getdoc(getattr(class_, name)), name
