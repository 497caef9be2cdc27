"""The panel "Open": choose a slide, see what it is, correct the size of a pixel, colour its spots."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGroupBox, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_c2lst.plugin.neighbour.offer import NeighbourOffer
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.message_bar import MessageBar
from napari_c2lst.plugin.parts.scrolled import scrolled
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.shared import shared_of

from .colours import SpotColours
from .facts import notes_words, store_words, summary
from .from_layer import use_layer
from .opener import opener_of
from .otherwise import OpenOtherwise
from .picker import PathLine, ask_image
from .reader_choice import ReaderOffer

if TYPE_CHECKING:
    import napari.viewer


class OpenPanel(ReadPanel):
    """Opens slides and shows what is open.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shared = shared = shared_of(viewer)
        self.session, self.canvas, self.opener = shared.session, shared.canvas, opener_of(shared)
        self.path = PathLine()
        self.busy = _Busy()
        self.message = MessageBar()
        self.reader = ReaderOffer()
        self.slide = QGroupBox("Slide")
        self.about, self.notes, self.store = _words(), _words(), _words()
        self.otherwise = OpenOtherwise()
        self.spots = QGroupBox("Spots")
        self.colours = SpotColours(self.canvas)
        self.neighbour = NeighbourOffer(shared)
        self._lay_out()
        self._connect()
        self._show_slide()
        if self.opener.path is not None:
            self.busy.begin(str(self.opener.path))

    def _lay_out(self) -> None:
        slide = QVBoxLayout(self.slide)
        for part in (self.about, self.otherwise, self.notes, self.store):
            slide.addWidget(part)
        spots = QVBoxLayout(self.spots)
        spots.addWidget(self.colours)
        inside = QWidget()
        column = QVBoxLayout(inside)
        for part in (self.path, self.busy, self.message, self.slide, self.spots, self.neighbour, self.reader):
            column.addWidget(part)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(inside))
        self.setMinimumWidth(330)  # what the widest row needs, and a scroll bar

    def _connect(self) -> None:
        self.path.chosen.connect(self.opener.open)
        self.path.sample.clicked.connect(lambda: self.opener.open_sample())
        self.path.layer.clicked.connect(lambda: use_layer(self._shared, self))
        self.otherwise.wanted.connect(lambda changes: self.opener.reopen(**changes))
        self.message.action_wanted.connect(self._on_image_wanted)
        self.busy.cancel.clicked.connect(self.opener.cancel)
        self._heard = Listening(self)
        self._heard.to(self.session.slide_changed, self._show_slide)
        self._heard.to(self.session.told, self.message.show_message)
        self._heard.to(self.opener.begun, self._on_begun)
        self._heard.to(self.opener.ended, self._on_ended)

    def _on_begun(self, path: str) -> None:
        self.message.clear()
        self.path.line.setText(path if os.path.lexists(path) else self.path.line.text())
        self.busy.begin(path)

    def _on_ended(self, _opened: bool) -> None:
        self.busy.end()
        if self.opener.imageless is not None:
            bar = self.message
            bar.show_message(bar.level, bar.message, bar.hint, action="&Browse for its image …")
        self.otherwise.show_slide(self.session.slide, self.session.opening)

    def _on_image_wanted(self) -> None:
        if self.opener.imageless is not None:
            image = ask_image(self, self.opener.imageless[0].absolute().parent)
            if image is not None:
                self.opener.open_with_image(image)

    def _show_slide(self) -> None:
        slide = self.session.slide
        self.slide.setVisible(slide is not None)
        self.spots.setVisible(slide is not None and slide.spots is not None)
        self.otherwise.show_slide(slide, self.session.opening)
        if slide is None:
            return
        self.slide.setTitle(slide.name.replace("&", "&&"))
        self.about.setText(summary(slide))
        _say(self.notes, notes_words(slide))
        _say(self.store, store_words(slide))


class _Busy(QWidget):
    """What is being opened, and a way to leave it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = _words()
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(8)
        self.bar.setAccessibleName("Opening")
        self.cancel = QPushButton("Canc&el")
        self.cancel.setToolTip("Leave it; the slide that is open stays")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.text, self.bar, self.cancel):
            column.addWidget(part)
        self.hide()

    def begin(self, path: str) -> None:
        self.text.setText(f"Opening {Path(path).name or path} …")
        self.show()

    def end(self) -> None:
        self.hide()


def _words() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return label


def _say(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))
