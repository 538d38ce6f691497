"""The text of an access control list, as libacl reads and writes it."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from gluster.gfapi import api


@pytest.fixture(autouse=True)
def libacl() -> ctypes.CDLL:
    try:
        return ctypes.CDLL("libacl.so.1")
    except OSError as error:
        pytest.skip(f"libacl is not installed: {error}")


def full(text: str, may_be_empty: bool = False) -> str:
    """A list in its full form."""
    with api.acl_from_text(text, may_be_empty) as acl:
        libacl = ctypes.CDLL("libacl.so.1")
        libacl.acl_dup.restype, libacl.acl_dup.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        return api.acl_to_text(libacl.acl_dup(acl))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("u::rw,g::r,o::-", "user::rw-\ngroup::r--\nother::---\n"),
        ("u::rw, g::r,\n o::-\n", "user::rw-\ngroup::r--\nother::---\n"),
        (
            "# a comment, with a comma\nu::rw,g::r # and u::x\no::-",
            "user::rw-\ngroup::r--\nother::---",
        ),
        ("u::rw,u:7:r,g::x,o::-", "user::rw-\nuser:7:r--\ngroup::--x\nmask::r-x\nother::---\n"),
        (
            "u::rw,u:7:r,g::x,m::r,o::-",
            "user::rw-\nuser:7:r--\ngroup::--x\nmask::r--\nother::---\n",
        ),
        ("u::rw,g::r,o::-,g:7:w", "user::rw-\ngroup::r--\ngroup:7:-w-\nmask::rw-\nother::---\n"),
    ],
)
def test_a_list_is_read_and_written(text: str, expected: str) -> None:
    assert full(text).strip() == expected.strip()
    assert full(full(text)) == full(text)


def test_only_a_list_that_may_be_empty_is() -> None:
    assert full("", may_be_empty=True) == full("# nothing\n", may_be_empty=True) == ""
    for text in ("", "\n", "# nothing"):
        with pytest.raises(ValueError, match="missing"):
            full(text)


@pytest.mark.parametrize("text", ["u::rw", "g::r,o::r", "m::r", "u::rw,g::r,o::r,u:7:r,m::r,m::w"])
def test_an_incomplete_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no access control list"):
        full(text, may_be_empty=True)


@pytest.mark.parametrize("text", ["x", "u:", "u::rwxr", "u::rw,,g::q,o::-", "é::r", "u::\udcff"])
def test_what_is_no_entry_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no entry"):
        full(text)


def test_the_types_are_those_of_the_header() -> None:
    header = Path("/usr/include/sys/acl.h")
    if not header.exists():
        pytest.skip("libacl's header is not installed (libacl1-dev)")
    text = header.read_text()
    for kind in api.AclType:
        (line,) = (line for line in text.splitlines() if f"#define ACL_TYPE_{kind.name}" in line)
        assert int(line.split("(")[1].rstrip(")"), 0) == kind
