"""``alphacut load``: one scenario, run and judged."""
