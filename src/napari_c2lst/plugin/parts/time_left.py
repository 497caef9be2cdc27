"""How long a job will still take, from how fast it went lately. Knows no Qt."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW = 30.0  # seconds that count as lately
_FIRST = 1.5  # seconds before anything is said


class TimeLeft:
    """Time left, from progress events.

    A job that is resumed begins in the middle, and a job has several counts (patches, then steps): only what was done
    since the first event of a count says how fast it goes.

    Parameters
    ----------
    clock
        Seconds; replaced in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._what: tuple[int, str] = (0, "")
        self._seen: deque[tuple[float, int]] = deque()

    def feed(self, done: int, total: int, what: str = "") -> float | None:
        """Take a progress event; seconds left, or None while that cannot be told."""
        now = self._clock()
        if (total, what) != self._what or (self._seen and done < self._seen[-1][1]):
            self._what = (total, what)
            self._seen.clear()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > _WINDOW:
            self._seen.popleft()
        then, first = self._seen[0]
        if now - then < _FIRST or done <= first or total <= 0:
            return None
        return max(0, total - done) * (now - then) / (done - first)
