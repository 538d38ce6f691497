"""The table of C functions against the headers and the library that are installed.

The headers know names, parameters and versions; the library knows what it really exports.
"""

from __future__ import annotations

import ctypes
import errno
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gluster.gfapi import api
from gluster.gfapi.api import parameters
from gluster.gfapi.gate import Gate

FOLDERS = (Path("/usr/include/glusterfs/api"), Path("/usr/local/include/glusterfs/api"))
HEADERS = ("glfs.h", "glfs-handles.h")
# glfs.h gives glfs_file_lock the version 3.13.0; every library exports it as 4.0.0.
WRONG_IN_THE_HEADER = {"glfs_file_lock": ("3.13.0", "4.0.0")}
# It is to return -1 for a failure, so libgfapi returns it as a size_t.
SIGNED_AFTER_ALL = {"glfs_h_anonymous_write"}
# Declared, but exported by no library; the second even under the name of another function.
NOT_EXPORTED = {"glfs_caller_specific_init", "glfs_h_find_handle"}

DECLARATION = re.compile(
    r"(?P<result>\w[\w\s]*?[\s*]+)(?P<name>glfs_\w+)\s*\((?P<parameters>[^;{}()]*)\)\s*"
    r"__THROW\s*GFAPI_PUBLIC\(\s*\w+\s*,\s*(?P<version>[\d.]+)\s*\)\s*;"
)


class Declaration(NamedTuple):
    """What a header says of a function; names of parameters are left out."""

    result: str
    parameters: tuple[str, ...]
    version: str


def declarations_in(text: str) -> dict[str, Declaration]:
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    text = re.sub(r"^#(?:.*\\\n)*.*", "", text, flags=re.MULTILINE)
    found = {}
    for match in DECLARATION.finditer(text):
        given = [kind_of(parameter, is_named=True) for parameter in match["parameters"].split(",")]
        parameters = () if given == ["void"] else tuple(given)
        result = kind_of(match["result"], is_named=False)
        found[match["name"]] = Declaration(result, parameters, match["version"])
    return found


def kind_of(declared: str, is_named: bool) -> str:
    """A C type in one way of writing: no ``struct``, no name, one blank before each star."""
    words = declared.replace("*", " * ").replace("[", " [ ").split()
    if "[" in words:  # an array parameter is a pointer
        end = words.index("[")
        words[end - 1 :] = ["*", words[end - 1]]
    words = [word for word in words if word != "struct"]
    if is_named and len(words) > 1 and words[-1] != "*":
        del words[-1]
    return " ".join(words)


@pytest.fixture(scope="module")
def declared() -> dict[str, Declaration]:
    folder = next((folder for folder in FOLDERS if (folder / HEADERS[0]).exists()), None)
    if folder is None:
        pytest.skip("libgfapi's headers are not installed (libglusterfs-dev, glusterfs-api-devel)")
    texts = [(folder / name).read_text() for name in HEADERS]
    found = {name: row for text in texts for name, row in declarations_in(text).items()}
    promised = sum(len(re.findall(r"\bGFAPI_PUBLIC\(\s*glfs_", text)) for text in texts)
    assert len(found) == promised, "the parser overlooks declarations"
    return found


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("libgfapi.so.0")
    except OSError as error:
        pytest.skip(f"libgfapi is not installed: {error}")


# What a kind of parameter in C may be in the table. A pointer that libgfapi fills or reads is a
# buffer, a structure of ours, or the bare address of something opaque.
CHARS = {ctypes.c_char_p}
ADDRESS = {ctypes.c_void_p}
SCALARS = {
    "char": ctypes.c_char,
    "int": ctypes.c_int,
    "glfs_lock_mode_t": ctypes.c_int,  # enumerations
    "acl_type_t": ctypes.c_int,
    "long": ctypes.c_long,
    "int32_t": ctypes.c_int32,
    "unsigned int": ctypes.c_uint,
    "uint32_t": ctypes.c_uint32,
    "uint64_t": ctypes.c_uint64,
    "mode_t": parameters.mode.ctype,
    "uid_t": parameters.uid.ctype,
    "gid_t": parameters.gid.ctype,
    "dev_t": parameters.device.ctype,
    "off_t": parameters.offset.ctype,
    "size_t": ctypes.c_size_t,
    "ssize_t": ctypes.c_ssize_t,
}
STRUCTURES = {
    "stat *": api.Stat,
    "statvfs *": api.Statvfs,
    "dirent *": api.Dirent,
    "timespec *": api.Timespec,
    "glfs_stat *": api.GlfsStat,
    "iovec *": api.Iovec,
    "flock *": api.Flock,
    "glfs_lease_t *": api.Lease,
}
OPAQUE = ("glfs_leaseid_t", "acl_t")  # pointers under another name
GATES = ("glfs *", "glfs_t *", "glfs_fd *", "glfs_fd_t *", "glfs_object *", "glfs_object_t *")


def problem_with(kind: str, parameter: parameters.Parameter) -> str:
    """Why a parameter of the table cannot stand for a kind of C, or ""."""
    ctype = parameter.ctype
    plain = kind.replace("const ", "")
    if parameter.is_gate != (plain in GATES):
        return "a gate stands for a glfs or glfd, and for nothing else"
    if parameter.is_path and kind != "const char *":
        return "only a string can be a path"
    if plain in SCALARS:
        return "" if ctype is SCALARS[plain] else f"{ctype.__name__} does not fit"
    if kind == "const char *":
        return "" if ctype in CHARS else "a string is expected"
    if plain in STRUCTURES:
        return "" if ctype is ctypes.POINTER(STRUCTURES[plain]) else "another structure"
    if plain.endswith("* *"):
        return "" if ctype is ctypes.POINTER(ctypes.c_void_p) else "a place for a pointer"
    if plain.endswith("*") or plain in OPAQUE:
        return "" if ctype in ADDRESS or hasattr(ctype, "contents") else "an address is expected"
    is_callback = kind.endswith(("_cbk", "_cbk_t"))
    return "" if is_callback or not is_number(ctype) else f"{kind} is unknown to this test"


def is_number(ctype: Any) -> bool:
    return issubclass(ctype, ctypes._SimpleCData) and ctype not in ADDRESS | CHARS


def row_and_declaration(name: str, declared: dict[str, Declaration]) -> tuple[Any, Declaration]:
    if name not in declared:
        pytest.skip(f"the headers that are installed do not declare {name}")
    return api.TABLE[name], declared[name]


@pytest.mark.parametrize("name", api.TABLE)
def test_a_row_takes_what_the_header_declares(declared: dict[str, Declaration], name: str) -> None:
    row, declaration = row_and_declaration(name, declared)
    assert len(row.parameters) == len(declaration.parameters)
    pairs = zip(declaration.parameters, row.parameters)
    problems = [
        f"parameter {number}, {kind}: {problem}"
        for number, (kind, parameter) in enumerate(pairs, 1)
        if (problem := problem_with(kind, parameter))
    ]
    assert not problems


@pytest.mark.parametrize("name", api.TABLE)
def test_a_row_returns_what_the_header_declares(
    declared: dict[str, Declaration], name: str
) -> None:
    row, declaration = row_and_declaration(name, declared)
    kind, ctype = declaration.result, row.result.ctype
    if kind == "void":
        assert ctype is None
    elif kind == "char *":
        assert ctype in ADDRESS | CHARS
    elif kind.endswith("*") or kind in OPAQUE:
        assert ctype in ADDRESS
    elif name in SIGNED_AFTER_ALL:
        assert (kind, ctype) == ("size_t", ctypes.c_ssize_t)
    else:
        # An enumeration is an int.
        assert ctype is SCALARS.get(kind, ctypes.c_int)


@pytest.mark.parametrize("name", api.TABLE)
def test_a_row_says_how_its_kind_of_result_fails(name: str) -> None:
    result = api.TABLE[name].result
    if result.failed == "result < 0":
        assert is_number(result.ctype)
        assert result.ctype(-1).value == -1
    elif result.failed in ("result is None", "result is None and errno()"):
        assert result.ctype in ADDRESS | CHARS
    else:
        assert result.failed == ""


def test_an_entry_is_a_copy_and_its_absence_a_failure_only_with_an_errno() -> None:
    theirs = api.Dirent(d_name=b"first")
    answers = [ctypes.addressof(theirs), None, None]
    readdir = api.wrap(api.TABLE["glfs_readdir"], lambda pointer: answers.pop(0))
    gate = Gate(1, "/folder")
    ctypes.set_errno(0)
    entry = readdir(gate)
    theirs.d_name = b"second"
    assert entry.d_name == b"first"
    assert readdir(gate) is None
    ctypes.set_errno(errno.EIO)
    with pytest.raises(OSError, match="/folder") as caught:
        readdir(gate)
    assert caught.value.errno == errno.EIO


@pytest.mark.parametrize("name", api.TABLE)
def test_a_row_has_the_version_of_the_header(declared: dict[str, Declaration], name: str) -> None:
    row, declaration = row_and_declaration(name, declared)
    if name in WRONG_IN_THE_HEADER:
        assert (declaration.version, row.version) == WRONG_IN_THE_HEADER[name]
    else:
        assert row.version == declaration.version


@pytest.mark.parametrize("name", api.TABLE)
def test_the_library_has_each_row_at_its_version(
    declared: dict[str, Declaration], library: ctypes.CDLL, name: str
) -> None:
    row, _ = row_and_declaration(name, declared)
    assert api.symbol(library, name, row.version) is not None


@pytest.mark.parametrize("name", api.TABLE)
def test_the_version_of_a_row_is_the_one_that_the_header_describes(
    declared: dict[str, Declaration], library: ctypes.CDLL, name: str
) -> None:
    """A header declares the default version; an older one of that name may take other things."""
    row, _ = row_and_declaration(name, declared)
    default = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    assert api.symbol(library, name, row.version) == default


def test_each_function_of_the_headers_has_a_row(declared: dict[str, Declaration]) -> None:
    assert set(declared) - NOT_EXPORTED <= set(api.TABLE)


def test_no_row_is_of_a_function_that_no_library_exports() -> None:
    assert not NOT_EXPORTED & set(api.TABLE)


def test_each_row_stands_under_its_own_name() -> None:
    assert all(name == row.name for name, row in api.TABLE.items())


def test_each_row_makes_a_function_that_python_can_compile() -> None:
    for row in api.TABLE.values():
        assert callable(api.wrap(row, lambda *arguments: 0))


UNTOLD = {
    "path": ("/a", b"/a"),
    "text": ("user.x", b"user.x"),
    "text_or_null": (None, None),
    "int_": (-(1 << 31), -(1 << 31)),
    "own_int": ((1 << 31) - 1, (1 << 31) - 1),
    "uint32": (0xFFFFFFFF, 0xFFFFFFFF),
    "owner": (-1, 0xFFFFFFFF),
    "offset": (-(1 << 40), -(1 << 40)),
    "size": ((1 << 40) + 7, (1 << 40) + 7),
}


def received(kind: parameters.Parameter, given: Any) -> Any:
    """What C gets for a parameter of this kind, and what comes before it."""
    seen: list[Any] = []
    target = ctypes.CFUNCTYPE(None, ctypes.c_void_p, kind.ctype)(lambda *them: seen.append(them))
    address = ctypes.cast(target, ctypes.c_void_p).value
    row = api.Row("glfs_seen", "1.0", "", parameters.nothing, (parameters.fd, kind))
    api.wrap(row, api.prototype(row)(address))(Gate(1 << 47), given)
    [(pointer, value)] = seen
    assert pointer == 1 << 47
    return value


@pytest.mark.parametrize("kind", UNTOLD)
def test_a_value_whose_type_ctypes_is_not_told_reaches_c_as_it_is(kind: str) -> None:
    given, expected = UNTOLD[kind]
    assert received(getattr(parameters, kind), given) == expected


@pytest.mark.parametrize(
    "name", ["stat_p", "statvfs_p", "dirent_p", "attr_p", "flock_p", "lease_p"]
)
def test_a_structure_whose_type_ctypes_is_not_told_reaches_c_by_its_address(name: str) -> None:
    kind = getattr(parameters, name)
    given = kind.ctype._type_()
    at = ctypes.cast(received(kind, given), ctypes.c_void_p).value
    assert at == ctypes.addressof(given)
    assert not received(kind, None)


@pytest.mark.parametrize(
    "data",
    [b"read", bytearray(b"read"), memoryview(b"read"), memoryview(bytearray(b"read"))],
    ids=["bytes", "bytearray", "readonly", "writable"],
)
def test_a_buffer_reaches_c_by_its_address(data: Any) -> None:
    memory, size = api.memory(data)
    assert ctypes.string_at(received(parameters.buffer, memory), size) == b"read"


def test_the_lengths_that_are_kept_are_bounded() -> None:
    sizes = parameters.NAMES["sizes"]
    for size in range(5000):
        assert sizes[size] is not None
    assert len(sizes) < 5000
    assert received(parameters.size, 4999) == 4999


def test_a_name_that_is_no_row_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="glfs_nonsense"):
        _ = api.glfs_nonsense


SAMPLE = """
/* int glfs_in_a_comment(int a) __THROW GFAPI_PUBLIC(glfs_in_a_comment, 3.4.0); */
#define GFAPI_PUBLIC(sym, ver) \\
    continued
typedef void (*glfs_io_cbk)(glfs_fd_t *fd, ssize_t ret, void *data);
ssize_t
glfs_one(struct glfs_fd *fd, const struct iovec iov[2], off_t
         offset, glfs_io_cbk fn,unsigned char **out) __THROW
    GFAPI_PUBLIC(glfs_one, 3.4.2);
char *glfs_two(void) __THROW GFAPI_PUBLIC(glfs_two, 6.0);
"""


def test_the_parser_of_headers_reads_what_c_reads() -> None:
    one = ("glfs_fd *", "const iovec *", "off_t", "glfs_io_cbk", "unsigned char * *")
    assert declarations_in(SAMPLE) == {
        "glfs_one": Declaration("ssize_t", one, "3.4.2"),
        "glfs_two": Declaration("char *", (), "6.0"),
    }
