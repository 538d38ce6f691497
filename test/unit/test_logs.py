"""What is made of the lines that GlusterFS logs, whatever they say."""

from __future__ import annotations

import logging
import random
import time
from typing import Any, Callable

import pytest

from gluster.gfapi import logs

HEAD = "[2026-11-22 13:52:23.123456 +0000] "
BODY = "W [MSGID: 101012] [file.c:123:function] 0-demo-client-0: a message [{x=1}]"
AT = 1795355543.123456


def test_a_line_is_taken_apart() -> None:
    assert logs.message_in(HEAD + BODY + " ") == logs.Message(
        "W", "file.c", 123, "function", 0, "demo-client-0", 101012, AT, "a message [{x=1}]"
    )


def test_a_line_without_a_number_and_with_its_callers_is_too() -> None:
    callers = "(-->/usr/lib/a.so(+0x1) [0x2] -->/usr/lib/b.so(+0x3) [0x4] ) "
    line = f"{HEAD}E [rpc-clnt.c:345:saved_frames_unwind] {callers}2-demo: forced: unwinding"
    message = logs.message_in(line)
    assert message[:7] == ("E", "rpc-clnt.c", 345, "saved_frames_unwind", 2, "demo", None)
    assert message.text == "forced: unwinding"


def test_messages_that_were_held_back_say_how_often() -> None:
    between = "between [2026-11-22 13:50:00.000000 +0000] and [2026-11-22 13:52:23.123456 +0000]"
    message = logs.message_in(f'The message "{BODY}" repeated 3 times {between}')
    assert message[:8] == logs.message_in(HEAD + BODY)[:8]
    assert message.text == "a message [{x=1}] (repeated 3 times)"


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("2026-11-22 13:52:23.123456", AT),
        ("2026-11-22 15:52:23.123456 +0200", AT),
        ("2026-11-22 08:22:23.123456 -0530", AT),
        ("2026-11-22 13:52:23", int(AT)),
        ("2026-00-99 99:99:99.9", None),
    ],
)
def test_the_time_is_that_of_the_message(stamp: str, seconds: Any) -> None:
    created = logs.message_in(f"[{stamp}] {BODY}").created
    assert created == (None if seconds is None else pytest.approx(seconds)) or stamp[5:7] == "00"


def test_a_line_without_a_head_is_information() -> None:
    line = "  1: volume demo-client-0 "
    assert logs.message_in(line) == logs.Message("I", "", 0, "", 0, "", None, None, line.rstrip())


def test_the_password_of_the_bricks_stays_here() -> None:
    line = " 17:     option password 16cac8a4-7bf3-4666-976d-2b42d9be70d9"
    assert logs.message_in(line).text == " 17:     option password ***"


def test_a_record_has_what_the_message_has() -> None:
    record = logs.record_of(
        logs.message_in(HEAD + BODY.replace("a message", "100 % %s {}")),
        logging.WARNING,
        logging.getLogger("some.logger"),
    )
    assert record.getMessage() == "100 % %s {} [{x=1}]"
    assert (record.name, record.levelname) == ("some.logger", "WARNING")
    assert (record.filename, record.lineno, record.funcName) == ("file.c", 123, "function")
    assert record.created == pytest.approx(AT)
    assert record.msecs == pytest.approx(123, abs=1)
    extra: Any = record
    assert (extra.translator, extra.graph, extra.msgid) == ("demo-client-0", 0, 101012)


def test_every_letter_has_a_level() -> None:
    assert [logs.LEVELS[letter] for letter in "CEWNIDT"] == [50, 40, 30, 20, 20, 10, 5]


def test_damaged_lines_are_messages_still() -> None:
    dice = random.Random(1)
    pieces = ["[", "]", '"', " ", ":", "\0", "\n", "9" * 400, "The message ", "-", "\udcff", "("]
    for _ in range(3000):
        line = HEAD + BODY
        for _ in range(dice.randint(1, 8)):
            at, length = dice.randrange(len(line) + 1), dice.choice((0, 1, 5, 30))
            line = line[:at] + dice.choice(pieces) + line[at + length :]
        logs.record_of(logs.message_in(line), 20, logging.getLogger("x"))


@pytest.mark.parametrize("piece", ["(", "( ", " 1", "1-", '"', " 0-x:", "[", " ("])
def test_a_long_line_takes_no_long_time(piece: str) -> None:
    body = BODY.replace("0-demo-client-0: ", "(" + piece * 16000)
    start = time.process_time()
    logs.message_in(HEAD + body)
    logs.message_in(f'The message "{body}')
    assert time.process_time() - start < 5


def test_logging_is_not_imported_with_the_package(python: Callable[..., Any]) -> None:
    modules = "{'logging', 'json', 'gluster.gfapi.logs', 'gluster.gfapi.meta'}"
    program = f"import gluster.gfapi; tell(sorted({modules} & set(sys.modules)))"
    assert python(program) == []
