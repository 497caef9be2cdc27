"""Export: files that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QComboBox, QFileDialog, QGridLayout, QGroupBox, QLabel, QPushButton, QSizePolicy, QWidget

from napari_c2lst.common.errors import C2LError
from napari_c2lst.plugin.parts.asking import agree_to_replace, named_path
from napari_c2lst.plugin.parts.latest import ask_apart
from napari_c2lst.plugin.parts.listening import Listening
from napari_c2lst.plugin.runs import RunInfo, find_runs
from napari_c2lst.slides.facts import GRID, PREDICTIONS, SPOTS
from napari_c2lst.slides.naming import name_of_predictions

from . import exporting

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared


class ExportBox(QGroupBox):
    """Predictions, scores, spot sets, figures and the view as files.

    Parameters
    ----------
    shared
        What the panels of the viewer share.
    """

    def __init__(self, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self._shared = shared
        # asks before files are replaced that a dialog did not ask about; replaced in tests
        self.agree: Callable[[Sequence[Path]], bool] = partial(agree_to_replace, self)
        self._grid = QGridLayout(self)
        self._grid.setColumnStretch(1, 1)
        self.predictions = self._combo("Predictions to export")
        self.scores = self._combo("Score table to export")
        self.buttons: dict[str, QPushButton] = {}
        self._row("Predictions", self.predictions, ("predictions", "CSV...", self._ask_predictions))
        self._row("Scores", self.scores, ("scores", "CSV...", self._ask_scores))
        self.sets = QLabel(self)
        regions = ("regions", "GeoJSON...", self._ask_regions)
        self._row("Spot sets", self.sets, ("sets", "CSV...", self._ask_sets), regions)
        self.figures = QLabel(self)
        self._row("Figures", self.figures, ("figures", "SVG, PNG...", self._ask_figures))
        self.view = QLabel("as it is now", self)
        self._row("Picture", self.view, ("picture", "PNG...", self._ask_picture))
        self._heard = Listening(self)
        session = shared.session
        for signal in (session.slide_changed, session.sets_changed, session.results_changed):
            self._heard.to(signal, self.renew)
        self._heard.to(session.gene_changed, self._on_gene)
        self.renew()

    def renew(self) -> None:
        """Offer what there is now."""
        session = self._shared.session
        tables = {} if session.slide is None else getattr(session.slide.sdata, "tables", {})
        made = [name for name in tables if name.startswith(PREDICTIONS)]
        _fill(self.predictions, [(_words(name), name) for name in made], "none yet")
        runs = [r for r in find_runs(session.runs_folder) if r.task == "evaluate" and r.state == "finished"]
        _fill(self.scores, [(run.name, run) for run in runs], "none yet")
        self.sets.setText(", ".join(session.sets) or "none yet")
        parts = ["the sets on the tissue"] if session.sets else []
        parts += [f"map of {session.gene}"] if self._map_key() else []
        self.figures.setText(", ".join(parts) or "none yet")
        self.buttons["predictions"].setEnabled(bool(made))
        self.buttons["scores"].setEnabled(bool(runs))
        for name in ("sets", "regions"):
            self.buttons[name].setEnabled(bool(session.sets))
        known = session.slide is not None and session.slide.microns is not None
        self.buttons["figures"].setEnabled(bool(parts) and known)

    def export_predictions(self, path: Path) -> None:
        """Write the chosen predictions as CSV; the user has agreed to replace what is there."""
        slide, key = self._shared.session.require_slide(), self.predictions.currentData()
        self._start(exporting.export_predictions, slide, key, path)

    def export_scores(self, path: Path) -> None:
        """Write the tables of the chosen evaluation; beside `path`, which the user agreed to, come others."""
        run: RunInfo = self.scores.currentData()
        try:
            others = [each for each in exporting.files_of_scores(run, path) if each != path]
        except C2LError as error:
            self._failed(error.message, error.hint)
            return
        if self.agree(others):
            self._start(exporting.export_scores, run, path)

    def export_sets(self, path: Path) -> None:
        """Write all spot sets as CSV."""
        session = self._shared.session
        self._start(exporting.export_sets, session.require_slide(), dict(session.sets), path)

    def export_regions(self, path: Path) -> None:
        """Write all spot sets as GeoJSON."""
        session = self._shared.session
        self._start(exporting.export_regions, session.require_slide(), dict(session.sets), path)

    def export_figures(self, folder: Path) -> None:
        """Draw figures into a folder."""
        session, key = self._shared.session, self._map_key()
        sets, gene = dict(session.sets), session.gene if key else ""
        if self.agree(exporting.files_of_figures(folder, sets=sets, gene=gene)):
            self._start(_figures, session.require_slide(), folder, sets, key, gene)

    def export_picture(self, path: Path) -> None:
        """Write what the window shows of the slide, as it is now."""
        pixels = self._shared.canvas.viewer.screenshot(canvas_only=True, flash=False)
        self._start(exporting.export_picture, pixels, path)

    def _map_key(self) -> str:
        """The table of predictions on spots to map, of those with the gene that is shown: the chosen one goes first."""
        chosen = self.predictions.currentData()
        names = [self.predictions.itemData(i) for i in range(self.predictions.count())]
        on_spots = [name for name in (chosen, *names) if isinstance(name, str) and name.startswith(SPOTS)]
        slide, gene = self._shared.session.slide, self._shared.session.gene
        tables = {} if slide is None else slide.sdata.tables
        return next((name for name in on_spots if name in tables and gene in tables[name].var_names), "")

    def _start(self, function: Callable[..., list[Path]], *args: Any) -> None:
        ask_apart(self, partial(function, *args, replace=True), done=self._written, failed=self._failed)

    def _written(self, paths: list[Path]) -> None:
        first = paths[0]
        said = f"wrote '{first}'" if len(paths) == 1 else f"wrote {len(paths)} files into '{first.parent}'"
        self._shared.session.tell("info", said)

    def _failed(self, message: str, hint: str) -> None:
        self._shared.session.tell("error", message, hint)

    def _ask_predictions(self) -> None:
        self._save_as(f"{_plain(self.predictions.currentText())}.csv", "CSV (*.csv)", self.export_predictions)

    def _ask_scores(self) -> None:
        self._save_as(f"{self.scores.currentText()}.csv", "CSV (*.csv)", self.export_scores)

    def _ask_sets(self) -> None:
        self._save_as("spot_sets.csv", "CSV (*.csv)", self.export_sets)

    def _ask_regions(self) -> None:
        self._save_as("spot_sets.geojson", "GeoJSON (*.geojson)", self.export_regions)

    def _ask_picture(self) -> None:
        self._save_as("view.png", "Picture (*.png)", self.export_picture)

    def _ask_figures(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the figures", str(self._folder()))
        if folder:
            self.export_figures(Path(folder))

    def _save_as(self, name: str, kind: str, export: Callable[[Path], None]) -> None:
        # the dialog itself asks before a file is replaced
        chosen, _ = QFileDialog.getSaveFileName(self, "Export", str(self._folder() / name), kind)
        path = named_path(self, chosen, Path(name).suffix)
        if path is not None:
            export(path)

    def _folder(self) -> Path:
        slide = self._shared.session.slide
        return slide.path.absolute().parent if slide is not None else Path.cwd()

    def _on_gene(self, _gene: str) -> None:
        self.renew()

    def _combo(self, name: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setAccessibleName(name)
        combo.setMinimumContentsLength(8)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return combo

    def _row(self, title: str, middle: QWidget, *buttons: tuple[str, str, Callable[[], None]]) -> None:
        row = self._grid.rowCount()
        label = QLabel(title, self)
        label.setBuddy(middle)
        middle.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        if isinstance(middle, QLabel):
            middle.setWordWrap(True)
        self._grid.addWidget(label, row, 0)
        # a row with one button leaves the place of the other to what is exported
        first = 4 - len(buttons)
        self._grid.addWidget(middle, row, 1, 1, first - 1)
        for i, (key, text, slot) in enumerate(buttons):
            button = QPushButton(text, self)
            button.setAccessibleName(f"Export {title.lower()} as {text.rstrip('.')}")
            button.setToolTip(f"Export {title.lower()} as {text.rstrip('.')}")
            button.clicked.connect(slot)
            self.buttons[key] = button
            self._grid.addWidget(button, row, first + i)


def _figures(slide: Any, folder: Path, sets: Any, key: str, gene: str, *, replace: bool) -> list[Path]:
    return exporting.export_figures(slide, folder, sets=sets, key=key, gene=gene, replace=replace)


def _fill(combo: QComboBox, items: list[tuple[str, Any]], empty: str) -> None:
    """Offer items anew, and keep what was chosen if it is still there."""
    before = combo.currentText()
    combo.blockSignals(True)
    combo.clear()
    for text, value in items:
        combo.addItem(text, value)
    if not items:
        combo.addItem(empty, None)
    combo.setCurrentIndex(max(combo.findText(before), 0))
    combo.setEnabled(bool(items))
    combo.blockSignals(False)


def _words(table: str) -> str:
    return f"{name_of_predictions(table)} ({'grid' if table.startswith(GRID) else 'spots'})"


def _plain(text: str) -> str:
    return text.replace(" (", "_").replace(")", "")
