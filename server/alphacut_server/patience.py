"""How long a supervisor waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Deadlines and pauses, in seconds.

    Attributes:
        start_s: From the start of the process to the first right answer.
        poll_s: Between the first questions to a server that is starting.
        probe_every_s: Between probes of a healthy server.
        look_every_s: Between looks whether a stub has died; the second one that finds it dead counts.
        first_pause_s: Before the first restart; doubles with each failure that follows.
        longest_pause_s: Upper bound of that pause.
        settled_s: After this long in health the pause is ``first_pause_s`` again.
        end_s: For the images under way of a server that is told to stop, before it is killed.
        broken_end_s: The same of one that no longer serves: some of them wait for what has died, and would have all
            others wait for the restart.
    """

    start_s: float = 120.0
    poll_s: float = 0.02
    probe_every_s: float = 2.0
    look_every_s: float = 0.5
    first_pause_s: float = 0.1
    longest_pause_s: float = 30.0
    settled_s: float = 60.0
    end_s: float = 10.0
    broken_end_s: float = 1.0

    def grace_s(self, *, stopping: bool) -> float:
        """Return how long a server has to end: one that is told to stop, or one that no longer serves."""
        return self.end_s if stopping else min(self.end_s, self.broken_end_s)
