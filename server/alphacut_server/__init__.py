"""A real Triton from pip, started, watched and restarted; the only way in is ``python -m alphacut_server``."""
