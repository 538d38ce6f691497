"""The enumerations and flags against the C compiler and against the names in the headers."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from gluster.gfapi.api import constants, structures

FOLDERS = (Path("/usr/include/glusterfs/api"), Path("/usr/local/include/glusterfs/api"))
HEADERS = ("glfs.h", "glfs-handles.h")
C_NAMES = {
    constants.SetAttr: "GFAPI_SET_ATTR_{}",
    constants.StatMask: "GLFS_STAT_{}",
    constants.LockMode: "GLFS_LK_{}",
    constants.Sysrq: "GLFS_SYSRQ_{}",
    constants.Xreaddirp: "GFAPI_XREADDIRP_{}",
    constants.UpcallReason: "GLFS_UPCALL_{}",
    constants.UpcallEvents: "GLFS_EVENT_{}",
    constants.UpcallFlags: "GFAPI_UP_{}",
    constants.LeaseType: "GLFS_{}_LEASE",
    constants.LeaseCommand: "GLFS_{}_LEASE",
}
PLAIN = {
    "GFAPI_HANDLE_LENGTH": structures.HANDLE_LENGTH,
    "GLFS_LEASE_ID_SIZE": structures.LEASE_ID_SIZE,
    "GFAPI_MAX_LOCK_OWNER_LEN": structures.MAX_LOCK_OWNER_LEN,
}
# What the headers define besides: checks of a mask, flags of a member that nothing fills, and
# flags that are others together.
NOT_OURS = re.compile(r"GLFS_STAT_\w+_VALID|GLFS_STAT_ATTR_RESERVED|GFAPI_INODE_UPDATE_FLAGS")
NOT_NAMES = {"GFAPI_PUBLIC", "GFAPI_PRIVATE"}


def ours() -> dict[str, int]:
    """Our numbers, by the names that C has for them."""
    found = dict(PLAIN)
    for kind, pattern in C_NAMES.items():
        for name, member in kind.__members__.items():
            value = ord(member.value) if isinstance(member.value, bytes) else int(member.value)
            c_name = "GLFS_LEASE_NONE" if member is constants.LeaseType.NONE else pattern
            found[c_name.format(name)] = value
    return found


@pytest.fixture(scope="module")
def folder() -> Path:
    found = next((folder for folder in FOLDERS if (folder / HEADERS[0]).exists()), None)
    if found is None:
        pytest.skip("libgfapi's headers are not installed (libglusterfs-dev, glusterfs-api-devel)")
    return found


def test_every_constant_has_the_value_that_c_says(
    folder: Path, compiler: Callable[..., str]
) -> None:
    lines = "".join(
        f'    __asm__("-> {name} = %0" : : "i"((unsigned long)({name})));\n' for name in ours()
    )
    includes = "".join(f"#include <{name}>\n" for name in HEADERS)
    source = f"#define _GNU_SOURCE\n{includes}void answer(void)\n{{\n{lines}}}\n"
    command = [compiler(), f"-I{folder}", "-S", "-x", "c", "-o", "-", "-"]
    done = subprocess.run(command, input=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answers = re.findall(r"-> (\w+) = [$#]?(-?\d+)$", done.stdout, re.MULTILINE)
    assert {name: int(value) % 2**64 for name, value in answers} == ours()


def test_every_constant_of_the_headers_is_there(folder: Path) -> None:
    text = "".join((folder / name).read_text() for name in HEADERS)
    defined = set(re.findall(r"^#define (G(?:LFS|FAPI)_\w+)", text, re.MULTILINE)) - NOT_NAMES
    in_enumerations: set[str] = set()
    for body in re.findall(r"^enum \w+ \{(.*?)\}", text, re.MULTILINE | re.DOTALL):
        in_enumerations |= set(re.findall(r"\b(GLFS_\w+)", body))
    assert in_enumerations, "the parser finds no enumeration"
    wanted = {name for name in defined | in_enumerations if not NOT_OURS.fullmatch(name)}
    assert wanted == set(ours())


def test_the_name_in_c_is_in_the_text_of_its_class() -> None:
    def has(kind: Any, pattern: str) -> bool:
        return f"``{pattern.format('*')}``" in str(kind.__doc__)

    assert [kind for kind, pattern in C_NAMES.items() if not has(kind, pattern)] == []
