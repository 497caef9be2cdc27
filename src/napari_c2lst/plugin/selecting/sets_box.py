"""The named sets of the slide: a list with colours and counts, and what can be done with a set."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QAction, QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_c2lst.plugin.parts.theme import clear_boxes

from .named import COLOUR_NAMES, SetLine

_NAME = Qt.ItemDataRole.UserRole
EXPORTS = {"chosen": "Chosen &spots…", "sets": "All se&ts…", "drawn": "&Drawn shapes…"}


class SetsBox(QGroupBox):
    """The list of sets; it knows neither the session nor the store.

    A ticked set is shown on the slide in its colour; of the selected one the held-out spots are marked too.
    """

    keep_wanted = Signal(str)
    take_wanted = Signal(str)
    rename_wanted = Signal(str)
    delete_wanted = Signal(str)
    colour_wanted = Signal(str, str)
    export_wanted = Signal(str)  # "chosen", "sets" or "drawn"
    shown_changed = Signal()  # other sets are ticked, or another one is selected

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Sets of spots", parent)
        self._hidden: set[str] = set()
        self._make_list()
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("name of a new set")
        self.name.setAccessibleName("Name of the set")
        self.name.setToolTip("Letters, digits, _ and -; a set that has this name is replaced if you agree")
        self.keep = self._button("Save as se&t", "Save the chosen spots in the slide under this name")
        self.take = self._button("Ta&ke", "Pick the spots of the selected set: they are added, subtracted, ...")
        self.rename = self._button("Rena&me…", "Give the selected set another name")
        self.delete = self._button("Delete…", "Delete the selected set from the slide")
        self.colour = self._button("Colour", "Another colour for the selected set")
        self.export = self._button("E&xport GeoJSON", "Write spots or shapes as GeoJSON, which QuPath opens")
        self._make_menus()
        self._connect()
        self._lay_out()
        self.show_sets([])

    @property
    def selected(self) -> str:
        """Name of the selected set; empty for none."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(0, _NAME))

    def ticked(self) -> list[str]:
        """Names of the sets that are to be seen."""
        return [name for name, item in self._items() if item.checkState(0) == Qt.CheckState.Checked]

    def show_sets(self, lines: Sequence[SetLine]) -> None:
        """Show these sets; what was selected and hidden stays so."""
        selected = self.selected
        self.list.blockSignals(True)
        self.list.clear()
        for line in lines:
            self.list.addTopLevelItem(self._item(line))
        names = [line.name for line in lines]
        wanted = selected if selected in names else (names[-1] if names else "")
        for name, item in self._items():
            if name == wanted:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self._hidden &= set(names)
        self._show_state()

    def select(self, name: str) -> None:
        """Select a set."""
        for there, item in self._items():
            if there == name:
                self.list.setCurrentItem(item)

    def allow(self, keep: bool, spots: bool, drawn: bool) -> None:
        """Enable what can be done with the choice."""
        self.keep.setEnabled(keep)
        self.name.setEnabled(keep)
        self._exports["chosen"].setEnabled(spots)
        self._exports["drawn"].setEnabled(drawn)
        self._exports["sets"].setEnabled(self.list.topLevelItemCount() > 0)

    def _item(self, line: SetLine) -> QTreeWidgetItem:
        share = f"{100 * line.share:.1f} %"
        item = QTreeWidgetItem([line.name, f"{line.spots:,}", share, line.kept])
        item.setData(0, _NAME, line.name)
        item.setIcon(0, _swatch(line.colour))
        item.setCheckState(0, Qt.CheckState.Unchecked if line.name in self._hidden else Qt.CheckState.Checked)
        for column in (1, 2):
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for column in range(4):
            item.setToolTip(column, f"{line.words}; {COLOUR_NAMES.get(line.colour, line.colour)}")
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, line.words)
        return item

    def _items(self) -> list[tuple[str, QTreeWidgetItem]]:
        items = [self.list.topLevelItem(i) for i in range(self.list.topLevelItemCount())]
        return [(str(item.data(0, _NAME)), item) for item in items if item is not None]

    def _make_list(self) -> None:
        self.list = QTreeWidget(self)
        clear_boxes(self.list)
        self.list.setAccessibleName("Sets of spots")
        self.list.setHeaderLabels(["Set", "Spots", "Share", "In the slide"])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setIconSize(QSize(12, 12))
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.list.setMinimumHeight(84)
        self.list.setMaximumHeight(150)
        self.list.itemChanged.connect(self._on_ticked)
        self.list.currentItemChanged.connect(self._on_selected)

    def _make_menus(self) -> None:
        colours = QMenu(self)
        self._colours: dict[str, QAction] = {}
        for colour, words in COLOUR_NAMES.items():
            action = colours.addAction(_swatch(colour), words)
            action.triggered.connect(lambda _checked=False, c=colour: self.colour_wanted.emit(self.selected, c))
            self._colours[colour] = action
        self.colour.setMenu(colours)
        exports = QMenu(self)
        self._exports: dict[str, QAction] = {}
        for what, words in EXPORTS.items():
            action = exports.addAction(words)
            action.triggered.connect(lambda _checked=False, w=what: self.export_wanted.emit(w))
            self._exports[what] = action
        self.export.setMenu(exports)

    def _connect(self) -> None:
        self.keep.clicked.connect(self._on_keep)
        self.name.returnPressed.connect(self._on_keep)
        self.take.clicked.connect(lambda: self.take_wanted.emit(self.selected))
        self.rename.clicked.connect(lambda: self.rename_wanted.emit(self.selected))
        self.delete.clicked.connect(lambda: self.delete_wanted.emit(self.selected))

    def _on_keep(self) -> None:
        if self.keep.isEnabled():
            self.keep_wanted.emit(self.name.text().strip())

    def _on_ticked(self, item: QTreeWidgetItem) -> None:
        name = str(item.data(0, _NAME))
        if item.checkState(0) == Qt.CheckState.Checked:
            self._hidden.discard(name)
        else:
            self._hidden.add(name)
        self.shown_changed.emit()

    def _on_selected(self, _now: object = None, _before: object = None) -> None:
        self._show_state()
        self.shown_changed.emit()

    def _show_state(self) -> None:
        for button in (self.take, self.rename, self.delete, self.colour):
            button.setEnabled(bool(self.selected))
        self._exports["sets"].setEnabled(self.list.topLevelItemCount() > 0)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(5)
        first = QHBoxLayout()
        first.addWidget(self.name, 1)
        first.addWidget(self.keep)
        column.addLayout(first)
        column.addWidget(self.list)
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        for row, buttons in enumerate(((self.take, self.rename, self.delete), (self.colour, self.export))):
            line = QHBoxLayout()
            line.setSpacing(4)
            for button in buttons:
                button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
                line.addWidget(button, 1)
            grid.addLayout(line, row, 0)
        column.addLayout(grid)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        return button


def _swatch(colour: str) -> QIcon:
    picture = QPixmap(12, 12)
    picture.fill(QColor(colour))
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)  # else Qt tints it, and it is another colour than on the slide
    return icon
