"""A button that shows the open slide in napari-spatialdata's docks; hidden where that plugin is not installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.listening import Listening

from .docks import is_there, neighbour_of

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared

_WORDS = "Show in napari-spatialdata"


class NeighbourOffer(QWidget):
    """The button, where there is something to show and a plugin to show it in.

    Parameters
    ----------
    shared
        What the panels of the viewer share.
    """

    def __init__(self, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._neighbour = shared.session, neighbour_of(shared)
        self.button = QPushButton(_WORDS, self)
        self.button.setToolTip(
            "Opens its docks with this slide, in the coordinates of this window: what it adds lies on what you see, "
            "and shapes that you annotate there can be saved into the slide (Keep)"
        )
        self.button.clicked.connect(self._neighbour.show)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.button)
        self._heard = Listening(self)
        self._heard.to(self._neighbour.changed, self.look)
        self.look()

    def look(self) -> None:
        """Look anew whether there is anything to show."""
        busy = self._neighbour.busy
        self.button.setText("Opening napari-spatialdata …" if busy else _WORDS)
        self.button.setEnabled(not busy)
        slide = self._session.slide
        self.setVisible(slide is not None and slide.sdata is not None and is_there())
