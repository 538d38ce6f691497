# A namespace that other distributions share: GlusterFS's own gluster.cliutils lives in it too.
import os
import sys
from importlib.machinery import PathFinder

if any(os.path.isfile(os.path.join(entry, f"{__name__}.pkg")) for entry in sys.path):
    __path__ = __import__("pkgutil").extend_path(__path__, __name__)
else:  # the same, without an import that takes as long as that of gluster.gfapi
    for _entry in sys.path:
        _found = PathFinder.find_spec(__name__, [_entry])
        _portions = _found.submodule_search_locations if _found else None
        __path__ += [_portion for _portion in _portions or () if _portion not in __path__]
