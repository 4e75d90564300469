"""What a GPU makes of Alphacut, found out in one unattended call; see ../README.md."""
