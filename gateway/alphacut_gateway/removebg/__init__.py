"""remove.bg's public contract, version 1.0, so that its clients change an address."""
