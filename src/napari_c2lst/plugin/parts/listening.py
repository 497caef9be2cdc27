"""Signals that a widget hears, and stops hearing when it is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psygnal import SignalInstance
from qtpy.QtCore import QObject


class Listening:
    """Connections to signals that outlive a widget (of the session, of a job); they end with the widget.

    Parameters
    ----------
    owner
        The widget; when Qt destroys it, all connections are cut. It keeps this object (`self._listening = ...`).
    """

    def __init__(self, owner: QObject) -> None:
        self._ends: list[tuple[Any, Callable[..., Any]]] = []
        owner.destroyed.connect(self._owner_is_gone)  # bound to this object, which still exists by then

    def to(self, signal: Any, slot: Callable[..., Any]) -> None:
        """Hear a signal (psygnal's or Qt's)."""
        signal.connect(slot)
        self._ends.append((signal, slot))

    def _owner_is_gone(self) -> None:
        # Qt cuts its own connections with the receiver; to touch them by now can crash the process
        self._ends = [(signal, slot) for signal, slot in self._ends if isinstance(signal, SignalInstance)]
        self.stop()

    def stop(self) -> None:
        """Hear nothing any more."""
        for signal, slot in self._ends:
            try:
                signal.disconnect(slot)
            except (TypeError, RuntimeError, ValueError):  # the other side is gone already
                continue
        self._ends.clear()
