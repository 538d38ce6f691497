"""For tools that call setup.py; all other metadata is in pyproject.toml."""

from setuptools import setup

# setuptools 77 wants the licence in pyproject.toml in a form that those before it refuse, and
# Debian 12's is 66. Here, all of them take it.
setup(license="LGPL-3.0-or-later OR GPL-2.0-only")
