"""Keep what was drawn with napari-spatialdata: that plugin holds it in memory only. Hidden while there is nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGroupBox, QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.plugin.parts.listening import Listening

from .docks import neighbour_of
from .drawn import Drawn, drawn_in, replaced, save_drawn

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared


class DrawnBox(QGroupBox):
    """What was saved in its dock Annotation, and a button that writes it into the slide.

    Parameters
    ----------
    shared
        What the panels of the viewer share.
    """

    def __init__(self, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__("Drawn with napari-spatialdata", parent)
        self._shared, self._neighbour = shared, neighbour_of(shared)
        self.agree: Callable[[str], bool] = self._ask  # replaced in tests: a dialog would wait for ever
        self._work = Latest(self)
        self.state = QLabel(self)
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton("Save d&rawings", self)
        self.button.setToolTip("Write them into the slide's SpatialData, beside what is there")
        self.button.clicked.connect(self.save)
        column = QVBoxLayout(self)
        column.addWidget(self.state)
        column.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignLeft)
        self._heard = Listening(self)
        self._heard.to(self._neighbour.changed, self.look)
        for signal in (shared.jobs.started, shared.jobs.ended):
            self._heard.to(signal, self._on_job)
        self.look()

    def look(self) -> None:
        """Look anew for what is not in the slide yet."""
        drawn = self._drawn()
        slide = self._shared.session.slide
        self.setVisible(bool(drawn))
        lines = [each.words for each in drawn]
        if slide is not None and not slide.is_zarr:
            lines.append("The slide is not a SpatialData yet: save a copy as one, and open it.")
        if self._writing():
            lines.append("A job is writing into the slide: save when it has ended.")
        self.state.setText("\n".join(lines))
        free = not self._work.awaited and not self._writing()
        self.button.setEnabled(bool(drawn) and slide is not None and slide.is_zarr and free)

    def save(self) -> None:
        """Write what was drawn; shapes that would be replaced are asked about first."""
        drawn, lent, slide = self._drawn(), self._neighbour.in_hand(), self._shared.session.require_slide()
        if lent is None or not drawn:
            return
        there = replaced(drawn, slide)
        if there and not self.agree(f"The slide already holds {', '.join(there)}. Replace?"):
            return
        self._work.ask(save_drawn, lent, drawn, slide, done=self._saved, failed=self._failed)
        self.look()

    def _drawn(self) -> Sequence[Drawn]:
        lent = self._neighbour.in_hand()
        return drawn_in(lent) if lent is not None else ()

    def _writing(self) -> bool:
        return bool(self._shared.jobs.writers())

    def _saved(self, names: list[str]) -> None:
        session = self._shared.session
        session.tell("info", f"saved into '{session.require_slide().path}': {', '.join(names)}")
        session.results_changed.emit()
        self.look()

    def _failed(self, message: str, hint: str) -> None:
        self._shared.session.tell("error", message, hint)
        self.look()

    def _on_job(self, _job: object) -> None:
        self.look()

    def _ask(self, question: str) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        return QMessageBox.question(self, "Replace shapes?", question, yes | no, no) == yes
