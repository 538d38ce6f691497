"""What ``import gluster.gfapi`` takes, as a whole process."""

from __future__ import annotations

from ..rows import Group, Row, at_most_more

GROUPS = [
    Group(
        "import",
        "A process that imports",
        rows=(Row("import gluster.gfapi", "import", "python", at_most_more(0.030)),),
        operations=("import",),
        work=None,
        count=1,
        quick=1,
        rounds=25,
        kind="none",
    )
]
