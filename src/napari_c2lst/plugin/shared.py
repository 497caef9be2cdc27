"""What the panels of one viewer share, found by the viewer, so that every panel is usable alone and all agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

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


_OF_VIEWER: WeakKeyDictionary[Any, Shared] = WeakKeyDictionary()


def shared_of(viewer: Any) -> Shared:
    """The one `Shared` of a viewer, made on first use.

    Parameters
    ----------
    viewer
        A `napari.Viewer` or `ViewerModel`.
    """
    if viewer not in _OF_VIEWER:
        from .canvas import Canvas
        from .jobs.desk import JobDesk

        session = Session()
        _OF_VIEWER[viewer] = Shared(session, Canvas(viewer, session), JobDesk(session))
    return _OF_VIEWER[viewer]
