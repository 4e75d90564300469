"""``alphacut capacity``: how many images a second a machine serves as promised, and how many machines that takes."""
