"""The step 'cells': find nuclei and their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QBoxLayout, QLabel, QWidget

from napari_c2lst.cells.facts import EMBEDDED, PANNUKE
from napari_c2lst.plugin.steps.offers import weights_of
from napari_c2lst.plugin.steps.step_panel import StepPanel, Values
from napari_c2lst.slides.facts import CELLS, CELLS_TABLE

from .notices import unread_notice, weights_note
from .shown import shown_cells
from .weights_field import WeightsField

if TYPE_CHECKING:
    import napari.viewer


class CellsPanel(StepPanel):
    """Finds every nucleus of the slide with its type, and counts what each spot is composed of."""

    title: ClassVar[str] = "Find cells"
    purpose: ClassVar[str] = (
        "Finds every nucleus of the slide with its type, and what each spot is composed of; the slide keeps both."
    )
    shown_if: ClassVar[dict[str, Callable[[Values], bool]]] = {
        "allow_download": lambda v: v["weights"] == PANNUKE,
        "accept_licence": lambda v: v["weights"] == PANNUKE,
        "type_info": lambda v: v["weights"] not in (EMBEDDED, PANNUKE),
    }

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        self.note = QLabel()
        self._cells = None
        super().__init__(viewer, "cells", parent)
        self._cells = shown_cells(self._shared)
        self.done.connect(self._on_done)

    def run(self) -> None:
        """Start; at the first use of weights with terms of their own, these have to be read first."""
        notice = "" if self._active() else unread_notice(self._shared.extras, self.form.values()["weights"])
        if notice:
            self.ui.message.show_message("warning", notice, "press Run again to go on under these terms")
            return
        self.ui.message.clear()
        super().run()

    def offer_choices(self) -> None:
        """Weights of the package, of own trainings, and public ones."""
        field = self.form.field("weights")
        assert isinstance(field, WeightsField)
        field.offer(weights_of(self.session))
        self._show_note()

    def _prepare_form(self) -> None:
        self.form.use(WeightsField(self.form.field("weights").info))
        super()._prepare_form()
        self.form.hide_fields("scheduler")
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setAccessibleName("What the chosen weights know, and their terms")
        body = self.ui.scroll.widget()
        layout = None if body is None else body.layout()
        assert isinstance(layout, QBoxLayout)
        layout.insertWidget(2, self.note)

    def _on_form(self) -> None:
        super()._on_form()
        self._show_note()

    def _show_note(self) -> None:
        text = weights_note(str(self.form.values()["weights"] or ""))
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _on_done(self, _made: str) -> None:
        """Show what was found, once the slide is open anew."""
        result: Any = {} if self.job is None else self.job.last.get("result")
        names = [str(name) for name in (result or {}).get("elements", ())]
        areas = [name for name in names if name.startswith(CELLS) and not name.endswith(CELLS_TABLE)]
        if areas and self._cells is not None:
            self._cells.expect(areas[0].removeprefix(CELLS))
