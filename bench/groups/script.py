"""A whole process: import, mount, stat, umount, exit, against a C program with ``glfs_fini``."""

from __future__ import annotations

from ..rows import Group, Row, at_least, at_most

GROUPS = [
    Group(
        "script",
        "A script that mounts, stats, unmounts and exits",
        rows=(
            Row("whole process", "script", "c", at_most(0.25)),
            Row("whole process", "script", "c", at_least(40)),
        ),
        operations=("script",),
        work=None,
        count=1,
        quick=1,
        rounds=9,
        at_most={"c": 3},
        slow=("c",),
    )
]
