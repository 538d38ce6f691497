"""How cost grows: ``python -m bench.scale``."""
