"""A tour of gfapi: what one does with files, done on a GlusterFS volume.

    python examples/tour.py HOST VOLUME

``./demo.sh`` makes a volume and runs this on it. Each step is a function, and is printed together
with what it prints.
"""

import contextlib
import inspect
import io
import os
import sys
import textwrap
import time

from gluster.gfapi import Volume


def make_directories(vol: Volume) -> None:
    vol.makedirs("garden/2026/spring", 0o755)
    vol.mkdir("garden/2026/autumn", 0o755)


def write(vol: Volume) -> None:
    with vol.fopen("garden/2026/spring/notes.txt", "w") as file:
        file.write("Snowdrops\n")
        file.write("Crocuses\n")


def append(vol: Volume) -> None:
    with vol.fopen("garden/2026/spring/notes.txt", "a") as file:
        file.write(b"Violets\n")


def read(vol: Volume) -> None:
    with vol.fopen("garden/2026/spring/notes.txt") as file:
        print(file.read().decode())


def get_the_status(vol: Volume) -> None:
    stat = vol.stat("garden/2026/spring/notes.txt")
    print(stat.st_size, "bytes, changed", time.ctime(stat.st_mtime))


def set_and_get_extended_attributes(vol: Volume) -> None:
    vol.setxattr("garden/2026/spring/notes.txt", "user.mood", "hopeful")
    print(vol.listxattr("garden/2026/spring/notes.txt"))
    print(vol.getxattr("garden/2026/spring/notes.txt", "user.mood"))


def copy(vol: Volume) -> None:
    print(vol.copy2("garden/2026/spring/notes.txt", "garden/2026/autumn"))


def rename(vol: Volume) -> None:
    vol.rename("garden/2026/autumn/notes.txt", "garden/2026/autumn/plans.txt")


def list_a_directory(vol: Volume) -> None:
    print(sorted(vol.listdir("garden/2026")))
    with vol.scandir("garden/2026/autumn") as entries:
        for entry in entries:
            print(entry.name, entry.stat().st_size)


def walk_a_tree(vol: Volume) -> None:
    for folder, _, names in vol.walk("garden"):
        print(folder, names)


def delete(vol: Volume) -> None:
    vol.unlink("garden/2026/autumn/plans.txt")
    vol.rmtree("garden")
    print(vol.exists("garden"))


STEPS = (
    make_directories,
    write,
    append,
    read,
    get_the_status,
    set_and_get_extended_attributes,
    copy,
    rename,
    list_a_directory,
    walk_a_tree,
    delete,
)


def main() -> None:
    if len(sys.argv) == 3:
        host, name = sys.argv[1:]
    elif "GFAPI_HOST" in os.environ and "GFAPI_VOLUME" in os.environ:
        host, name = os.environ["GFAPI_HOST"], os.environ["GFAPI_VOLUME"]
    else:
        sys.exit("Usage: tour.py HOST VOLUME")
    print(f"with Volume({host!r}, {name!r}) as vol:")
    with Volume(host, name) as vol:
        for step in STEPS:
            _, *lines = inspect.getsource(step).splitlines()
            print(f"\n    # {step.__name__.replace('_', ' ').capitalize()}", *lines, sep="\n")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                step(vol)
            print(textwrap.indent(output.getvalue(), "      > "), end="")


if __name__ == "__main__":
    main()
