"""Measurements of gfapi, each against a C program or a peer in the same run.

``python -m bench`` runs them and prints a table; see README.rst beside this file. Nothing here is
imported by :mod:`gluster.gfapi`, nor installed.
"""
