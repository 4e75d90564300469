"""``alphacut bench``: Alphacut, rembg and the bare engine in turns, on the same weights and photographs."""
