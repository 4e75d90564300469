"""What is seen: one run of a scenario, the server's counters, the sums."""
