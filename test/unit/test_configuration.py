"""What Volume's constructor, its servers and from_url accept, without GlusterFS."""

from __future__ import annotations

import contextlib
import logging
import random
from typing import Any

import pytest

from gluster import gfapi
from gluster.gfapi.servers import Server

# ------------------------------------------------------------------------------------------ URLs


@pytest.mark.parametrize(
    ("url", "server", "volname"),
    [
        ("gluster://host/vol", Server("tcp", "host", 24007), "vol"),
        ("gluster+tcp://host:5/vol/", Server("tcp", "host", 5), "vol"),
        ("GLUSTER://Host/Vol", Server("tcp", "host", 24007), "Vol"),
        ("gluster:///vol", Server("tcp", "localhost", 24007), "vol"),
        ("gluster+rdma://host/vol", Server("rdma", "host", 24007), "vol"),
        ("gluster://[::1]:5/vol", Server("tcp", "::1", 5), "vol"),
        ("gluster://127.0.0.1/v%6Fl", Server("tcp", "127.0.0.1", 24007), "vol"),
        (
            "gluster+unix:///vol?socket=/run/g%20d.socket",
            Server("unix", "/run/g d.socket", 0),
            "vol",
        ),
    ],
)
def test_a_url_means_a_server_and_a_volume(url: str, server: Server, volname: str) -> None:
    vol = gfapi.Volume.from_url(url)
    assert (vol._servers, vol.volname) == ([server], volname)
    assert (vol.log_file, vol.log_level) == ("/dev/null", 7)


def test_a_url_may_choose_the_log() -> None:
    vol = gfapi.Volume.from_url("gluster://h/v?debug=9&logfile=/tmp/a%26b")
    assert (vol.log_file, vol.log_level) == ("/tmp/a&b", 9)


def test_a_volume_from_a_url_has_the_class_that_was_asked() -> None:
    class Mine(gfapi.Volume):
        pass

    vol = Mine.from_url("gluster://h/v", xlator_options={"*-a.b": 1})
    assert type(vol) is Mine
    assert vol.xlator_options == {"*-a.b": 1}


def test_a_volume_from_a_url_may_have_a_logger() -> None:
    logger = logging.getLogger("some.logger")
    assert gfapi.Volume.from_url("gluster://h/v?debug=5", logger=logger)._log_place is logger
    with pytest.raises(gfapi.LibgfapiException, match="logger is 5"):
        gfapi.Volume.from_url("gluster://h/v", logger=5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (None, "must be a str"),
        (b"gluster://h/v", "must be a str"),
        ("", "must begin with one of gluster, gluster"),
        ("vol", "must begin with"),
        ("http://h/v", "must begin with"),
        ("gluster+udp://h/v", "must begin with"),
        ("gluster:h/v", "must be like"),
        ("gluster:/v", "must be like"),
        ("gluster://h", "names no volume"),
        ("gluster://h/", "names no volume"),
        ("gluster://h//v", "names no volume"),
        ("gluster://h/v/dir/image", "'dir/image' inside the volume"),
        ("gluster://u@h/v", "must be like"),
        ("gluster://u:p@h/v", "must be like"),
        ("gluster://h/v#f", "must be like"),
        ("gluster://h:port/v", "[Pp]ort"),
        ("gluster://h:65536/v", "[Pp]ort"),
        ("gluster://h:-1/v", "[Pp]ort"),
        ("gluster://[::1/v", "IPv6"),
        ("gluster://[fe80::1%25eth0]/v", "zone|IPv6"),
        ("gluster://h/v?", None),
        ("gluster://h/v?debug", "bad query field"),
        ("gluster://h/v?debug=10", "from 0 to 9"),
        ("gluster://h/v?debug=x", "from 0 to 9"),
        ("gluster://h/v?debug=1&debug=2", "given twice"),
        ("gluster://h/v?logfile=", "given twice or empty"),
        ("gluster://h/v?colour=red", "'colour' is none of socket, debug, logfile"),
        ("gluster://h/v?socket=/s", "only one that begins with gluster[+]unix has a socket"),
        ("gluster+unix:///v", "needs [?]socket="),
        ("gluster+unix://h/v?socket=/s", "has no host"),
        ("gluster://h/v v", "%20"),
        ("gluster://h/v\n", "%20"),
        ("gluster://h/v%00", "null byte"),
    ],
)
def test_a_url_that_is_none_is_refused_in_words(url: Any, reason: str) -> None:
    if reason is None:
        assert gfapi.Volume.from_url(url).volname == "v"
        return
    with pytest.raises(gfapi.LibgfapiException, match=reason) as caught:
        gfapi.Volume.from_url(url)
    assert str(caught.value).startswith("url is ")


def test_any_text_at_all_is_a_volume_or_refused() -> None:
    choice = random.Random(1)
    pieces = ["gluster", "+tcp", "+unix", "://", "/", "?", "socket=", "debug=1", "&", "%", "[", "]"]
    pieces += ["::1", ":", "@", "#", "\udcff", "\0", "ß", "%00", "%zz", "vol", "1e9", " ", "\u2100"]
    for _ in range(5000):
        url = "".join(choice.choices(pieces, k=choice.randint(0, 9)))
        for text in (url, "gluster://" + url, "gluster+unix:///v?" + url):
            with contextlib.suppress(gfapi.LibgfapiException):
                assert isinstance(gfapi.Volume.from_url(text), gfapi.Volume)


# ------------------------------------------------------------------------------- servers at rest


def test_servers_are_added_and_removed() -> None:
    vol = gfapi.Volume("one", "name")
    vol.add_server("two", port=5)
    vol.add_server("/run/gd.socket")
    vol.add_server("[::1]", "rdma")
    assert vol.hosts == ["one", "two", "/run/gd.socket", "::1"]
    vol.remove_server("one")
    vol.remove_server("[::1]", "rdma")
    with pytest.raises(gfapi.LibgfapiException, match=r"are: two:5, /run/gd\.socket"):
        vol.remove_server("two")
    vol.remove_server("two", port=5)
    with pytest.raises(gfapi.LibgfapiException, match="last server"):
        vol.remove_server("/run/gd.socket")


@pytest.mark.parametrize("hosts", ["one,two", "one, two", ["one,two"]])
def test_hosts_with_commas_between_are_to_be_a_list(hosts: Any) -> None:
    with pytest.raises(gfapi.LibgfapiException, match=r"are a list: \['one', 'two'\]"):
        gfapi.Volume(hosts, "name")
    assert gfapi.Volume("/run/a,b.socket", "name").hosts == ["/run/a,b.socket"]


@pytest.mark.parametrize(
    ("host", "proto", "port"),
    [
        (None, "tcp", 1),
        ("", "tcp", 1),
        (b"host", "tcp", 1),
        ("host:5", "tcp", 1),
        ("fe80::1%eth0", "tcp", 1),
        ("[host]:5", "tcp", 1),
        ("host", "udp", 1),
        ("host", None, 1),
        ("host", "tcp", "1"),
        ("host", "tcp", 65536),
    ],
)
def test_a_server_that_cannot_be_is_refused(host: Any, proto: Any, port: Any) -> None:
    vol = gfapi.Volume("one", "name")
    for call in (vol.add_server, vol.remove_server):
        with pytest.raises(gfapi.LibgfapiException):
            call(host, proto, port)
    with pytest.raises(gfapi.LibgfapiException):
        gfapi.Volume(host, "name", proto, port)
    assert vol.hosts == ["one"]


# ---------------------------------------------------------------------- volume files and options


def test_a_volume_file_stands_instead_of_hosts() -> None:
    vol = gfapi.Volume(None, "name", volfile=b"/some/file")
    assert (vol.volfile, vol.hosts) == ("/some/file", [])
    with pytest.raises(gfapi.LibgfapiException, match="asks no server"):
        vol.add_server("host")
    with pytest.raises(gfapi.LibgfapiException, match="hosts is 'host'; it must be None"):
        gfapi.Volume("host", "name", volfile="/some/file")
    with pytest.raises(gfapi.LibgfapiException, match="hosts is None"):
        gfapi.Volume(None, "name")
    for wrong in (5, ""):
        with pytest.raises(gfapi.LibgfapiException, match="volfile is"):
            gfapi.Volume(None, "name", volfile=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        5,
        "a.b=c",
        [("a.b", "c")],
        {"ab": "c"},
        {".b": "c"},
        {"a.": "c"},
        {"a b.c": "d"},
        {5: "c"},
        {b"a.b": "c"},
        {"a.b": None},
        {"a.b": 1.5},
        {"a.b": b"c"},
        {"a.b": ""},
        {"a.b": ["c"]},
        {"*-client-0.transport-type": "abc"},
        {"*-dht.decommissioned-bricks": "x"},
        {"*.afr-pending-xattr": "x"},
    ],
)
def test_options_that_cannot_be_are_refused(options: Any) -> None:
    with pytest.raises(gfapi.LibgfapiException, match="xlator_options"):
        gfapi.Volume("host", "name", xlator_options=options)


@pytest.mark.parametrize("options", [{"a.b\0": "c"}, {"a.b": "c\0"}])
def test_a_nul_in_an_option_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="null byte"):
        gfapi.Volume("host", "name", xlator_options=options)


def test_numbers_and_truths_are_options_too() -> None:
    vol = gfapi.Volume("host", "name", xlator_options={"*.a": True, "b-?.c.d": 5, "e.f": False})
    assert vol._options == [("*", "a", "on"), ("b-?", "c.d", "5"), ("e", "f", "off")]
