"""What the client costs, and what its batches bring: ``alphacut bench-client``."""
