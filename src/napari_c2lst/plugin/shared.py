"""What the panels of one viewer share, found by the viewer, so that every panel is usable alone and all agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from .session import Session

if TYPE_CHECKING:
    from .canvas import Canvas
    from .jobs.desk import JobDesk


@dataclass
class Shared:
    """The session, the layers and the jobs of one viewer."""

    session: Session
    canvas: Canvas
    jobs: JobDesk
    extras: dict[str, Any] = field(default_factory=dict)

    def close(self) -> None:
        """End what lasts: jobs, temporary stores, notifications and what listens to the viewer."""
        self.jobs.end()
        for extra in self.extras.values():
            if hasattr(extra, "close"):
                extra.close()
        self.extras.clear()
        self.canvas.close()


_OF_VIEWER: WeakKeyDictionary[Any, Shared] = WeakKeyDictionary()


def shared_of(viewer: Any) -> Shared:
    """The one `Shared` of a viewer, made on first use.

    Parameters
    ----------
    viewer
        A `napari.Viewer` or `ViewerModel`, or the proxy of one that napari hands to widgets of plugins.
    """
    viewer = _itself(viewer)
    if viewer not in _OF_VIEWER:
        from .canvas import Canvas
        from .jobs.desk import JobDesk

        session = Session()
        shared = Shared(session, Canvas(viewer, session), JobDesk(session))
        _OF_VIEWER[viewer] = shared
        _attend(viewer, shared)
    return _OF_VIEWER[viewer]


def forget(viewer: Any) -> None:
    """End what the panels of a viewer share, as when its window is closed; harmless when there is nothing."""
    shared = _OF_VIEWER.pop(_itself(viewer), None)
    if shared is not None:
        shared.close()


def _itself(viewer: Any) -> Any:
    """The viewer behind napari's proxy, which lives only as long as the widget and wraps the window as well."""
    return getattr(viewer, "__wrapped__", viewer)


def _attend(viewer: Any, shared: Shared) -> None:
    """Whatever panel is open: messages reach the user, views come back, closing the window asks while a job runs."""
    from .keeping.restoring import Restorer
    from .telling import Notices

    shared.extras["notices"] = Notices(shared.session)
    shared.extras["restorer"] = Restorer(shared)
    _tell_left_behind(shared.session)
    window = _main_window(viewer)
    if window is not None:
        from .closing import WindowGuard
        from .parts.focus_kept import FocusKept
        from .parts.focus_ring import FocusRing

        shared.extras["focus"], shared.extras["keys"] = FocusRing(window), FocusKept(window)
        # weak: the guard lives as long as the window, which must not keep the viewer
        gone = ref(viewer)
        WindowGuard(window, shared.jobs, lambda: _forget_if_there(gone()))


def _tell_left_behind(session: Session) -> None:
    from .jobs.temporary_store import left_behind

    for store in left_behind():
        session.tell(
            "warning",
            f"a window that ended unexpectedly has left '{store.name}' in '{store.parents[1]}'",
            "open it there and save a copy (Keep) if you need it, then delete that folder",
        )


def _forget_if_there(viewer: Any) -> None:
    if viewer is not None:
        forget(viewer)


def _main_window(viewer: Any) -> Any:
    """Napari's main window; None for a viewer without one."""
    return getattr(getattr(viewer, "window", None), "_qt_window", None)
