"""What the exit status of the load commands means; 1 is an error, 2 a wrong option."""

MISSED = 3
"""It ran, and the promise was not kept, or the newer result is worse."""

NO_RESULT = 4
"""It ran, and the client was the limit, so nothing was learnt."""

NO_CAPACITY = 5
"""It ran, and found no rate at which the promise is kept."""
