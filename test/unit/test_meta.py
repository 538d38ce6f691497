"""What is made of the texts below ``/.meta``, whatever they say."""

from __future__ import annotations

import contextlib
import random

import pytest

from gluster.gfapi import meta

FRAMES = """{
\t"Stack": [
\t   {
\t\t"Number": 1,
\t\t"Frame": [
\t\t   {
\t\t\t"Number": 1,
\t\t\t"Xlator": "demo-client-0",
\t\t\t"Creation_time": 11996.422353477,
\t\t\t"Parent": "demo-dht",
\t\t\t"Wind_from": "dht_writev",
\t\t\t"Wind_to": "subvol->fops->writev",
\t\t\t"Unwind_to": "dht_writev_cbk",
\t\t\t"Complete": 0
\t\t   },
\t\t   {
\t\t\t"Number": 2,
\t\t\t"Xlator": "demo-dht",
\t\t\t"Complete": 1
\t\t   }
\t\t],
\t\t"Unique": 54,
\t\t"Type": "WRITE",
\t\t"UID": 1000,
\t\t"GID": -2,
\t\t"LK_owner": "00ff"
\t   },
\t],
\t"Call_Count": 1
}"""
VOLFILE = """# a comment
volume demo-client-0
    type protocol/client
    option remote-host server1
    option remote-subvolume /a brick/with blanks
end-volume

volume demo-client-1
    type protocol/client
    option empty
end-volume

volume demo-dht
    type cluster/distribute
    subvolumes demo-client-0 demo-client-1
end-volume
volume demo
\ttype debug/io-stats
\tsubvolumes demo-dht
end-volume
"""
PROFILE = "[demo.latency]\ndemo.latency.READ = AVG:2.500000 CNT:2 TOTAL:5 MIN:1 MAX:4\n"
PRIVATE = "[xlator.demo.priv]\nconnected = 1\nempty = \nno pair\n[other]\nname = a = b\n"


def test_calls_have_their_translators_from_the_top_down() -> None:
    (call,) = meta.calls_in(FRAMES)
    assert call[:5] == ("WRITE", 1000, 0xFFFFFFFE, "00ff", 54)
    assert call.frames == (
        meta.Frame("demo-dht", None, None, True, None),
        meta.Frame("demo-client-0", "demo-dht", "subvol->fops->writev", False, 11996.422353477),
    )


def test_an_operation_that_is_not_told_is_found_in_what_was_called() -> None:
    (call,) = meta.calls_in(FRAMES.replace('"WRITE"', '"NULL"'))
    assert call.operation == "WRITEV"
    (call,) = meta.calls_in(FRAMES.replace('"WRITE"', '"NULL"').replace("fops", ""))
    assert call.operation == "NULL"


def test_names_that_break_json_break_nothing() -> None:
    text = FRAMES.replace("demo-dht", 'a "quoted", \\ {[name]}')
    assert meta.calls_in(text)[0].frames[0].translator == 'a "quoted", \\ {[name]}'


def test_no_calls_are_an_empty_list() -> None:
    assert meta.calls_in('{ \n\t"Stack": [\n\t],\n\t"Call_Count": 0\n}') == []


@pytest.mark.parametrize(
    "text",
    ["", "{", FRAMES[:200], FRAMES.replace("1000", "root"), FRAMES.replace("54", "5" * 5000)],
)
def test_calls_that_are_not_whole_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"missing|invalid|limit"):
        meta.calls_in(text)


def test_a_volfile_is_a_tree() -> None:
    top = meta.graph_in(VOLFILE)
    assert repr(top) == "<gluster.gfapi.meta.Translator 'demo' (debug/io-stats)>"
    names = [translator.name for translator in top.walk()]
    assert names == ["demo", "demo-dht", "demo-client-0", "demo-client-1"]
    clients = top.find_all("protocol/client")
    assert clients == [top.find("demo-client-0"), top.find("demo-client-1")]
    assert clients[0].options == {
        "remote-host": "server1",
        "remote-subvolume": "/a brick/with blanks",
    }
    assert clients[1].options == {"empty": ""}
    with pytest.raises(KeyError, match="demo-client-2"):
        top.find("demo-client-2")


def test_a_translator_that_two_stand_on_is_walked_once() -> None:
    again = VOLFILE.replace("subvolumes demo-dht", "subvolumes demo-dht demo-client-0")
    assert len(list(meta.graph_in(again).walk())) == 4


def test_a_deep_graph_is_walked() -> None:
    deep = "".join(
        f"volume {n}\nsubvolumes {n - 1 if n else ''}\nend-volume\n" for n in range(5000)
    )
    assert len(list(meta.graph_in(deep).walk())) == 5000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "volume x\ntype y\n",
        "volume x\nsubvolumes x\nend-volume",
        "volume x\nsubvolumes nowhere\nend-volume",
    ],
)
def test_what_is_no_volfile_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="there is no volume"):
        meta.graph_in(text)


def test_latencies_are_seconds() -> None:
    (latency,) = meta.latencies_in(PROFILE)
    assert latency[:3] == ("demo", "READ", 2)
    assert latency[3:] == pytest.approx((5e-9, 1e-9, 4e-9))
    assert latency.mean == pytest.approx(2.5e-9)


def test_latencies_of_another_form_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"demo.latency.READ = 0.1,2,3"):
        meta.latencies_in("[demo.latency]\ndemo.latency.READ = 0.1,2,3\n")


def test_sections_keep_what_stands_in_them() -> None:
    assert meta.sections_in(PRIVATE) == {
        "xlator.demo.priv": {"connected": "1", "empty": ""},
        "other": {"name": "a = b"},
    }
    assert meta.sections_in("no = section\n") == {}


@pytest.mark.parametrize("text", [FRAMES, VOLFILE, PROFILE, PRIVATE])
def test_damaged_texts_do_no_more_than_raise_value_error(text: str) -> None:
    dice = random.Random(1)
    pieces = ['"', "\n", "[", "]", "{", ",", " = ", ":", "\0", "\udcff", "9" * 400, "subvolumes "]
    for _ in range(500):
        damaged = text
        for _ in range(dice.randint(1, 8)):
            at, length = dice.randrange(len(damaged) + 1), dice.choice((0, 1, 5, 50))
            damaged = damaged[:at] + dice.choice(pieces) + damaged[at + length :]
        for parse in (meta.calls_in, meta.graph_in, meta.latencies_in, meta.sections_in):
            with contextlib.suppress(ValueError):
                parse(damaged)
