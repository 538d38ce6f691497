"""What type checkers are to take the results of calls for: mypy looks at it, and nobody runs it."""

from __future__ import annotations

from typing import Union

from typing_extensions import assert_type

from gluster.gfapi import File, Handle, Volume


def of_a_volume(vol: Volume, either: Union[str, bytes]) -> None:
    assert_type(vol.getxattr("file", "user.x"), str)
    assert_type(vol.getxattr(b"file", b"user.x", follow_symlinks=False), bytes)
    assert_type(vol.getxattr("file", either, 10), Union[str, bytes])
    assert_type(vol.listdir(), list[str])
    assert_type(vol.listdir(b"folder"), list[bytes])
    assert_type(next(vol.scandir()).name, str)
    assert_type(next(vol.scandir(b"folder", handles=True)).name, bytes)


def of_a_file(file: File) -> None:
    assert_type(file.fgetxattr("user.x"), str)
    assert_type(file.fgetxattr(b"user.x", 10), bytes)
    assert_type(file.mode, str)


def of_a_handle(handle: Handle) -> None:
    assert_type(handle.getxattr(key="user.x"), str)
    assert_type(handle.getxattr(key=b"user.x"), bytes)
