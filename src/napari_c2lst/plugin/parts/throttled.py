"""Drawing a few times a second, however often something new comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer

INTERVAL_MS = 100


class Throttled:
    """Calls a function with the latest arguments, at most once an interval; nothing that came last is ever lost.

    Parameters
    ----------
    draw
        What to call.
    owner
        The calls end with it.
    interval
        Milliseconds.
    """

    def __init__(self, draw: Callable[..., None], owner: QObject, interval: int = INTERVAL_MS) -> None:
        self._draw = draw
        self._arguments: tuple[Any, ...] | None = None
        self._timer = QTimer(owner, singleShot=True, interval=interval)
        self._timer.timeout.connect(self.flush)

    def later(self, *arguments: Any) -> None:
        """Call with these arguments soon, unless others come in before."""
        self._arguments = arguments
        if not self._timer.isActive():
            self._timer.start()

    def flush(self) -> None:
        """Call now if a call is due."""
        self._timer.stop()
        if self._arguments is not None:
            arguments, self._arguments = self._arguments, None
            self._draw(*arguments)

    def cancel(self) -> None:
        """Forget a call that is due."""
        self._timer.stop()
        self._arguments = None
