"""What importing the package brings along, and what it leaves for later."""

from __future__ import annotations

import pickle
import sys
import textwrap
import typing
from typing import Any, Callable, Optional

import pytest

from gluster import gfapi
from gluster.gfapi import api, typed

# Each takes a good part of the time that the package itself does, or more.
DEAR = {
    *("argparse", "ast", "asyncio", "concurrent.futures", "dataclasses", "enum", "fnmatch"),
    *("importlib.util", "inspect", "json", "logging", "pathlib", "pkgutil", "queue", "re"),
    *("shutil", "socket", "subprocess", "tempfile", "traceback", "typing", "uuid"),
}


# `-S` because what site imports differs from one installation to the next.


def test_the_import_leaves_dear_modules_out(python: Callable[..., Any]) -> None:
    program = f"import gluster.gfapi; tell(sorted({DEAR!r} & set(sys.modules)))"
    assert python(program, sys.executable, "-S", "-W", "error") == []


def test_what_is_imported_later_is_listed_and_there(python: Callable[..., Any]) -> None:
    program = """
from gluster import gfapi
from gluster.gfapi import api
listed = set(gfapi.__all__) <= set(dir(gfapi)) and set(api.__all__) <= set(dir(api))
exec("from gluster.gfapi import *")
exec("from gluster.gfapi.api import *")
tell([listed, gfapi.LeaseType is api.LeaseType, LeaseType.RD, AclType.ACCESS, Handle.__name__])
"""
    assert python(program) == [True, True, 1, 0x8000, "Handle"]


def test_dir_shows_what_is_public_and_no_module_of_its_own(python: Callable[..., Any]) -> None:
    program = """
from gluster import gfapi
from gluster.gfapi import sandbox
tell([name for name in dir(gfapi) if not name.startswith("__") and name not in gfapi.__all__])
"""
    assert python(program) == ["api", "exceptions", "sandbox"]


@pytest.mark.parametrize("module", [gfapi, api])
def test_a_name_that_there_is_not_is_an_attribute_error(module: Any) -> None:
    with pytest.raises(AttributeError, match=r"module 'gluster\.gfapi\S*' has no attribute 'no'"):
        module.no  # noqa: B018


def test_help_describes_each_public_name(python: Callable[..., Any]) -> None:
    program = """
import pydoc
from gluster import gfapi
tell([len(pydoc.render_doc(getattr(gfapi, name))) > 200 for name in gfapi.__all__])
"""
    assert all(python(program))


# -------------------------------------------------------------------- what stands for typing's


class Light(typed.NamedTuple):
    """A tuple."""

    one: int
    two: Optional[str] = None

    def both(self) -> str:
        return f"{self.one}{self.two}"


class Theirs(typing.NamedTuple):
    """A tuple."""

    one: int
    two: Optional[str] = None

    def both(self) -> str:
        return f"{self.one}{self.two}"


def test_a_named_tuple_is_as_one_of_typings() -> None:
    for made in (Light, Theirs):
        assert made._fields == ("one", "two")
        assert made._field_defaults == {"two": None}
        assert (made.__module__, made.__doc__) == (__name__, "A tuple.")
        assert list(made.__annotations__) == ["one", "two"]
        value = made(1)
        assert value == (1, None)
        assert repr(value) == f"{made.__name__}(one=1, two=None)"
        assert value._replace(two="2").both() == "12"
        assert (*made(*"ab"),) == ("a", "b")
        assert not hasattr(value, "__dict__")
        with pytest.raises(AttributeError):
            value.one = 2  # type: ignore[misc]
        with pytest.raises(TypeError):
            made()  # type: ignore[call-arg]


def test_the_public_named_tuples_are_pickled() -> None:
    holder = gfapi.LockHolder(1, 0, 0, 7)
    assert pickle.loads(pickle.dumps(holder)) == holder
    assert type(pickle.loads(pickle.dumps(holder))) is gfapi.LockHolder


def test_an_entry_takes_the_type_of_its_names_in_brackets() -> None:
    assert typing.get_args(gfapi.DirEntry[bytes]) == (bytes,)
    assert typing.get_origin(gfapi.DirEntry[str]) is gfapi.DirEntry


def test_another_interpreter_of_the_process_is_refused(python: Callable[..., Any]) -> None:
    program = """
try:
    import _interpreters as interpreters
    other = interpreters.create("legacy")
except ImportError:
    import _xxsubinterpreters as interpreters
    other = interpreters.create(isolated=False)
program = '''
import sys
sys.path[:] = %r
from gluster.gfapi.api.loader import library
try:
    library()
except ImportError as error:
    assert "main interpreter only" in str(error), error
else:
    raise AssertionError
''' % sys.path
said = interpreters.run_string(other, program)
assert said is None, said
interpreters.destroy(other)
tell(True)
"""
    assert python(program) is True


@pytest.mark.parametrize("name", ["gluster.gfapi.meta", "uuid"])
def test_a_fork_waits_for_another_thread_that_imports_what_is_needed_at_times(
    python: Callable[..., Any], name: str
) -> None:
    program = f"""
        import os, signal, sys, threading, time, warnings
        from gluster import gfapi

        begun = threading.Event()

        class Slow:
            def find_spec(self, name, path=None, target=None):
                if name == "{name}":
                    begun.set()
                    time.sleep(0.5)

        sys.meta_path.insert(0, Slow())
        thread = threading.Thread(target=__import__, args=("{name}",))
        thread.start()
        begun.wait()
        warnings.simplefilter("ignore")  # of a fork beside threads
        pid = os.fork()
        if not pid:
            signal.alarm(20)
            __import__("{name}")
            os._exit(0)
        status = os.waitpid(pid, 0)[1]
        thread.join()
        tell(status)
        """
    assert python(textwrap.dedent(program)) == 0
