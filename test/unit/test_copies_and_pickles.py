"""What can be copied and pickled, and what says that it cannot."""

from __future__ import annotations

import copy
import logging
import pickle
from typing import Any, Callable

import pytest

from gluster import gfapi
from gluster.gfapi import api
from gluster.gfapi.descriptor import Descriptor
from gluster.gfapi.directory import Dir
from gluster.gfapi.file import Glfd

WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {number}": lambda thing, number=number: pickle.loads(  # type: ignore[misc]
            pickle.dumps(thing, number)
        )
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.fixture(params=WAYS)
def again(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return WAYS[request.param]


def described(vol: gfapi.Volume) -> dict[str, Any]:
    return {name: value for name, value in vars(vol).items() if name != "_mount"}


def test_a_volume_is_described_again(again: Callable[[Any], Any]) -> None:
    vol = gfapi.Volume(
        ["one", "two"],
        "volume",
        port=24008,
        log_file="/tmp/log",
        log_level=3,
        xlator_options={"*.cache-size": "1MB"},
    )
    vol.add_server("three")
    same = again(vol)
    assert described(same) == described(vol)
    assert same._mount is not vol._mount
    assert not same.mounted
    with pytest.raises(gfapi.VolumeNotMounted):
        same.listdir("/")
    same.add_server("four")
    same.xlator_options["another"] = 1
    assert vol.hosts == ["one", "two", "three"]
    assert vol.xlator_options == {"*.cache-size": "1MB"}


def test_a_volume_of_a_volfile_and_a_logger_is_described_again(again: Callable[[Any], Any]) -> None:
    logger = logging.getLogger("gfapi.test")
    vol = gfapi.Volume(None, "volume", volfile="/tmp/volfile", logger=logger)
    assert described(again(vol)) == described(vol)
    assert again(vol)._logger is logger


def test_a_subclass_of_volume_keeps_what_it_has(again: Callable[[Any], Any]) -> None:
    vol = Named("host", "volume")
    vol.name = "mine"
    assert (type(again(vol)), again(vol).name) == (Named, "mine")


class Named(gfapi.Volume):
    name = ""


@pytest.mark.parametrize(
    "result",
    [
        api.Stat(st_mode=0o100644, st_size=5),
        api.Statvfs(f_bsize=4096),
        api.Dirent(d_name=b"a", d_ino=7),
        api.Timespec(1, 2),
        gfapi.LockHolder(1, 2, 3, 4),
    ],
    ids=lambda result: type(result).__name__,
)
def test_results_are_copied(result: Any, again: Callable[[Any], Any]) -> None:
    same = again(result)
    assert type(same) is type(result)
    assert repr(same) == repr(result) or bytes(same) == bytes(result)


def test_errors_are_copied(again: Callable[[Any], Any]) -> None:
    same = again(gfapi.LibgfapiException("words", 5))
    assert (str(same), same.errno) == ("words", 5)
    assert again(gfapi.Error([("a", "b", "c")])).args == ([("a", "b", "c")],)


def test_what_is_open_says_that_it_cannot_be_copied(again: Callable[[Any], Any]) -> None:
    vol = gfapi.Volume("host", "volume")
    descriptor = Descriptor(vol._mount, 1, "/file", 0)
    things = (vol._mount, descriptor, Glfd(descriptor), gfapi.File(descriptor), Dir(descriptor))
    things += (vol.meta, gfapi.DirEntry(vol, "/", "x", None))
    try:
        for thing in things:
            with pytest.raises(TypeError, match=f"cannot pickle '{type(thing).__name__}' object"):
                again(thing)
    finally:
        descriptor.forget()
        vol._mount.descriptors.clear()
