"""The groups, one file each: its rows of the table, and its operations in Python.

The same operations in C are in ``worker.c``.
"""

from . import calls, copy, imports, listing, script, small, stream, tree

GROUPS = {
    group.name: group
    for module in (imports, script, calls, small, stream, listing, copy, tree)
    for group in module.GROUPS
}
