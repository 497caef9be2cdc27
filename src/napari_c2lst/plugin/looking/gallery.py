"""The panel "Gallery": real patches of the chosen spots beside the synthetic ones made for the same spots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QFormLayout, QLabel, QListView, QVBoxLayout, QWidget
from superqt.utils import signals_blocked

from napari_c2lst.common.runs import RESULT
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.parts.tab_order import ReadPanel
from napari_c2lst.plugin.pointing import NEAR_UM
from napari_c2lst.plugin.shared import shared_of

from .choices import narrow_combo
from .paired import Paired, Row, open_paired, runs_with_pairs
from .patch_delegate import PatchDelegate
from .patch_model import ROW, PatchModel

if TYPE_CHECKING:
    import napari.viewer

ALL, CHOSEN, SET = "all", "chosen", "set"
NO_SLIDE = "Open a slide first."
NO_PAIRS = "There are no synthetic patches of this slide yet. Make some in the step “Sample”."
KEY = (
    "Blue: the real patch, in the stain that the model sees. Orange: synthetic patches, made from that spot's gene"
    " expression alone. Click a spot to go there."
)


class GalleryPanel(ReadPanel):
    """Real against synthetic patches, a spot a box.

    Parameters
    ----------
    viewer
        napari's viewer.
    """

    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        shared = shared_of(viewer)
        self.session, self.canvas = shared.session, shared.canvas
        self.paired: Paired | None = None
        self._opened: tuple[str, int] | None = None
        self.runs = narrow_combo("Runs of “Sample” of this slide, the newest first")
        self.filter = narrow_combo("Which spots to show; synthetic patches are made for training spots only")
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.list = QListView()
        self.model = PatchModel(self)
        self.delegate = PatchDelegate(self)
        self._work = Latest(self)
        self._set_up_list()
        self._lay_out()
        self._connect()
        self._use_sets()
        self._use_runs()

    # ---------------------------------------------------------------- which pairs

    def _use_runs(self) -> None:
        """The runs there are; an older one that was chosen stays chosen."""
        # who looked at the newest looks at the newest again: a step that ends leads here
        before = self.runs.currentData() if self.runs.currentIndex() > 0 else None
        slide = self.session.slide
        found = runs_with_pairs(self.session.runs_folder) if slide is not None and slide.spots is not None else []
        with signals_blocked(self.runs):
            self.runs.clear()
            for path in found:
                self.runs.addItem(path.name, str(path))  # Qt finds texts again, not paths
            self.runs.setCurrentIndex(max(self.runs.findData(before), 0) if found else -1)
        for widget in (self.runs, self.filter, self.list):
            widget.setEnabled(bool(found))
        if not found or self._stamp() != self._opened:  # what is shown, and where it is scrolled to, stays
            self._open()

    def _leave_slide(self) -> None:
        """Another slide, or none: nothing of the one before is shown on it."""
        self._work.drop()
        self.paired, self._opened = None, None
        self.model.show(None, None, [])

    def _stamp(self) -> tuple[str, int] | None:
        """What tells the chosen pairs from others, and from themselves made anew."""
        path = self.runs.currentData()
        try:
            return None if not path else (path, (Path(path) / RESULT).stat().st_mtime_ns)
        except OSError:  # deleted meanwhile: to open it says so
            return None

    def _open(self) -> None:
        slide, path = self.session.slide, self.runs.currentData()
        self.paired, self._opened = None, self._stamp()
        self.model.show(None, None, [])
        if slide is None or not path:
            self._work.drop()
            self.words.setText(NO_SLIDE if slide is None else NO_PAIRS)
            return
        self.words.setText("Reading …")
        self._work.ask(open_paired, slide, Path(path), done=self._use_paired, failed=self._refuse)

    def _use_paired(self, paired: Paired) -> None:
        self.paired = paired
        self._show()

    # ---------------------------------------------------------------- which spots

    def _use_sets(self) -> None:
        before = (self.filter.currentText(), self.filter.currentData())
        with signals_blocked(self.filter):
            self.filter.clear()
            self.filter.addItem("All with synthetic patches", (ALL, ""))
            self.filter.addItem("Spots chosen in the viewer", (CHOSEN, ""))
            for name in self.session.sets:
                self.filter.addItem(f"Set “{name}”", (SET, name))
            self.filter.setCurrentIndex(max(self.filter.findText(before[0]), 0))
        self._show()

    def _use_chosen(self) -> None:
        if self.filter.currentData()[0] == CHOSEN:
            self._show()

    def shown_rows(self) -> list[Row]:
        """The spots that pass the filter."""
        if self.paired is None:
            return []
        kind, name = self.filter.currentData()
        if kind == ALL:
            return list(self.paired.rows)
        mask = self.session.chosen if kind == CHOSEN else self.session.sets[name].mask
        return [row for row in self.paired.rows if row.spot < len(mask) and mask[row.spot]]

    def _show(self) -> None:
        if self.paired is None:
            return
        rows = self.shown_rows()
        self.model.show(self.session.slide, self.paired, rows)
        self.words.setText(KEY if rows else self._why_none())

    def _why_none(self) -> str:
        assert self.paired is not None
        made = len(self.paired.rows)
        if not made:
            return "These pairs were all mixed between spots: no patch belongs to one spot alone."
        if self.filter.currentData()[0] == CHOSEN and not self.session.chosen.any():
            return "No spot is chosen: choose some in the viewer with the tools of the step “Spots”."
        return f"None of these spots has synthetic patches: they were made for {made} training spots."

    # ---------------------------------------------------------------- clicks

    def _go_to(self, index: QModelIndex) -> None:
        row, slide = index.data(ROW), self.session.slide
        if row is not None and slide is not None:
            self.canvas.go_to(slide.require_spots().yx[row.spot], across_um=NEAR_UM)
            self.session.spot_clicked.emit(row.spot)

    def _follow(self, spot: int) -> None:
        """A spot was clicked somewhere: show it here as well."""
        i = self.model.row_of_spot(spot)
        if i >= 0 and i != self.list.currentIndex().row():
            self.list.setCurrentIndex(self.model.index(i))
            self.list.scrollTo(self.model.index(i))

    # ---------------------------------------------------------------- plumbing

    def _refuse(self, message: str, hint: str) -> None:
        self._opened = None  # to be tried again when results change
        self.words.setText(" ".join(f"{each[:1].upper()}{each[1:]}." for each in (message, hint) if each))
        self.session.tell("error", message, hint)

    def _connect(self) -> None:
        self._listening = hear = Listening(self)
        hear.to(self.session.slide_changed, self._leave_slide)
        hear.to(self.session.results_changed, self._use_runs)
        hear.to(self.session.sets_changed, self._use_sets)
        hear.to(self.session.chosen_changed, self._use_chosen)
        hear.to(self.session.spot_clicked, self._follow)
        self.runs.currentIndexChanged.connect(self._open)
        self.filter.currentIndexChanged.connect(self._show)
        self.list.clicked.connect(self._go_to)
        self.list.activated.connect(self._go_to)
        self.model.failed.connect(self._refuse)

    def _set_up_list(self) -> None:
        self.list.setModel(self.model)
        self.list.setItemDelegate(self.delegate)
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setUniformItemSizes(True)
        self.list.setSpacing(2)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Real and synthetic patches of spots")
        self.list.setToolTip("Click a spot to go there; arrow keys walk, Enter goes")

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fewer synthetic patches of a spot where there is less room."""
        super().resizeEvent(event)
        shown = 4 if self.width() >= 370 else 3 if self.width() >= 310 else 2
        if shown != self.delegate.shown:
            self.delegate.shown = shown
            self.list.doItemsLayout()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, combo in (("Syn&thetic patches", self.runs), ("Sp&ots", self.filter)):
            label = QLabel(text)
            label.setBuddy(combo)
            form.addRow(label, combo)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(form)
        layout.addWidget(self.words)
        layout.addWidget(self.list, 1)
