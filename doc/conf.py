"""Sphinx's configuration."""

import os
import sys

sys.path.insert(0, os.path.abspath("."))
sys.path.insert(0, os.path.abspath(".."))

from gluster.gfapi import __version__

project = "gfapi"
author = "The gfapi authors"
copyright = "The gfapi authors"
release = __version__

extensions = ["sphinx.ext.autodoc", "every_function", "figures_of_runs"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {
    "description": "GlusterFS for Python",
    "fixed_sidebar": True,
    "page_width": "1000px",
}

autodoc_member_order = "bysource"
# Signatures as people call them; the types are with the parameters.
autodoc_typehints = "none"
autodoc_preserve_defaults = True
