"""Ways to choose spots that a few settings say: at random, as suggested, by a column, by a file; and low spots."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_c2lst.plugin.parts.theme import clear_boxes, plain_tabs

_SEEDS = 999_999


class WaysBox(QTabWidget):
    """One tab for each way; it knows neither the viewer nor the slide, only what it was told to offer."""

    random_wanted = Signal(float, int, str)  # share, seed, "random" or "blocked"
    suggest_wanted = Signal(int)
    stop_wanted = Signal()
    column_wanted = Signal(str, list)
    geojson_wanted = Signal()
    layer_wanted = Signal()
    ids_wanted = Signal()
    low_wanted = Signal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Other ways to choose spots")
        self.setDocumentMode(True)
        plain_tabs(self)
        self.setUsesScrollButtons(False)
        self._values: dict[str, list[str]] = {}
        for title, page, tip in (
            ("Random", self._random_page(), "A share of the spots, at random"),
            ("Suggest", self._suggest_page(), "The few spots that cover the morphology best"),
            ("Column", self._column_page(), "By a label in the slide's table"),
            ("File", self._file_page(), "By shapes from QuPath, a layer, or a list of spots"),
            ("Low spots", self._low_page(), "Leave spots with too few counts, genes or tissue out"),
        ):
            place = self.addTab(page, title)
            self.setTabToolTip(place, tip)

    def offer(self, spots: int, columns: Mapping[str, list[str]]) -> None:
        """Offer what an open slide has: its number of spots, and columns with their values."""
        self.setEnabled(spots > 0)
        if spots:  # without a slide the number stays what it is
            self.number.setMaximum(spots)
        self._values = dict(columns)
        before = self.column.currentText()
        self.column.clear()
        self.column.addItems(list(columns))
        self.column.setCurrentText(before if before in columns else next(iter(columns), ""))
        self._show_values()

    def show_progress(self, text: str) -> None:
        """Say how far the suggestion is; empty when nothing is under way."""
        busy = bool(text)
        self.suggest_note.setText(text or _SUGGEST_NOTE)
        self.suggest_button.setText(_STOP if busy else "Su&ggest")
        self.number.setEnabled(not busy)

    @property
    def suggesting(self) -> bool:
        """Whether the button stops."""
        return self.suggest_button.text() == _STOP

    def thresholds(self) -> dict[str, float]:
        """The thresholds as they stand in the form."""
        return {
            "min_counts": float(self.counts.value()),
            "min_genes": int(self.genes.value()),
            "min_tissue": self.tissue.value() / 100,
        }

    def ticked(self) -> list[str]:
        """The values of the column that are ticked."""
        items = [self.values.item(i) for i in range(self.values.count())]
        return [item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked]

    def _random_page(self) -> QWidget:
        self.share = QDoubleSpinBox()
        self.share.setRange(0.1, 100)
        self.share.setDecimals(1)
        self.share.setValue(25)
        self.share.setSuffix(" % of the spots")
        self.seed = QSpinBox()
        self.seed.setRange(0, _SEEDS)
        self.seed.setToolTip("Another seed chooses other spots; the same one the same spots")
        self.blocked = QCheckBox("in whole regions, with a gap (the honest test)")
        self.blocked.setToolTip(
            "Patches of neighbouring spots overlap, so scattered spots flatter the score. Whole regions of about a "
            "millimetre are chosen, and held-out spots whose patch touches them are left out."
        )
        button = _button("Choos&e", "Choose this share of the spots")
        button.clicked.connect(self._on_random)
        return _page([("Share", self.share), ("Seed", self.seed)], [self.blocked, button])

    def _on_random(self) -> None:
        split = "blocked" if self.blocked.isChecked() else "random"
        self.random_wanted.emit(self.share.value() / 100, self.seed.value(), split)

    def _suggest_page(self) -> QWidget:
        self.number = QSpinBox()
        self.number.setRange(1, 100_000)
        self.number.setValue(40)
        self.number.setSuffix(" spots")
        self.suggest_note = QLabel(_SUGGEST_NOTE)
        self.suggest_note.setWordWrap(True)
        self.suggest_button = _button("Su&ggest", "Look at every patch and choose")
        self.suggest_button.clicked.connect(self._on_suggest)
        return _page([("How many", self.number)], [self.suggest_note, self.suggest_button])

    def _on_suggest(self) -> None:
        if self.suggesting:
            self.stop_wanted.emit()
        else:
            self.suggest_wanted.emit(self.number.value())

    def _column_page(self) -> QWidget:
        self.column = QComboBox()
        self.column.setMinimumContentsLength(8)
        self.column.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.column.setAccessibleName("Column of the table")
        self.column.currentTextChanged.connect(self._show_values)
        self.values = QListWidget()
        clear_boxes(self.values)
        self.values.setAccessibleName("Values of the column")
        self.values.setMaximumHeight(88)
        self.column_note = QLabel("The slide's table has no column of labels.")
        self.column_note.setWordWrap(True)
        self.column_button = _button("Choos&e", "Choose the spots with the ticked values")
        self.column_button.clicked.connect(self._on_column)
        return _page([("Column", self.column)], [self.values, self.column_note, self.column_button])

    def _on_column(self) -> None:
        self.column_wanted.emit(self.column.currentText(), self.ticked())

    def _show_values(self, _text: str = "") -> None:
        self.values.clear()
        for value in self._values.get(self.column.currentText(), []):
            item = QListWidgetItem(value)
            item.setData(Qt.ItemDataRole.UserRole, value)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.values.addItem(item)
        there = bool(self._values)
        self.column_note.setVisible(not there)
        for widget in (self.column, self.values, self.column_button):
            widget.setEnabled(there)

    def _file_page(self) -> QWidget:
        rows = (
            ("Shapes from &GeoJSON…", "QuPath: File > Export objects as GeoJSON", self.geojson_wanted),
            ("Shapes of the selected layer", "All shapes of the Shapes layer selected in napari", self.layer_wanted),
            ("Spot ids from a text file…", "One spot id a line; # starts a comment", self.ids_wanted),
        )
        buttons: list[QWidget] = []
        for text, tip, signal in rows:
            button = _button(text, tip)
            button.clicked.connect(signal)
            buttons.append(button)
        return _page([], buttons)

    def _low_page(self) -> QWidget:
        self.counts, self.genes, self.tissue = QSpinBox(), QSpinBox(), QSpinBox()
        self.counts.setRange(0, 10_000_000)
        self.counts.setSingleStep(100)
        self.genes.setRange(0, 100_000)
        self.genes.setSingleStep(50)
        self.tissue.setRange(0, 100)
        self.tissue.setSingleStep(10)
        self.tissue.setSuffix(" %")
        rows = (("Counts below", self.counts), ("Genes below", self.genes), ("Tissue below", self.tissue))
        for name, box in rows:
            box.setSpecialValueText("any")
            box.setToolTip(f"{name} this are left out: neither learnt from nor scored")
        self.low_button = _button("Leave them out", "Spots below a threshold are neither chosen nor scored")
        self.low_button.clicked.connect(self._on_low)
        return _page(list(rows), [self.low_button])

    def _on_low(self) -> None:
        self.low_wanted.emit(self.thresholds())


_STOP = "Stop su&ggesting"
_SUGGEST_NOTE = "Finds the few spots that cover the slide's morphology best. With “Low spots” no bare glass is chosen."


def _page(rows: list[tuple[str, QWidget]], below: list[QWidget]) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(6, 8, 6, 6)
    column.setSpacing(6)
    form = QFormLayout()
    for text, widget in rows:
        label = QLabel(text)
        label.setBuddy(widget)
        widget.setAccessibleName(widget.accessibleName() or text)
        form.addRow(label, widget)
    if rows:
        column.addLayout(form)
    for widget in below:
        if isinstance(widget, QPushButton) and rows:
            line = QHBoxLayout()
            line.addStretch()
            line.addWidget(widget)
            column.addLayout(line)
        else:
            column.addWidget(widget)
    column.addStretch()
    return page


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleDescription(tip)
    return button
