"""How a slide is opened, to be corrected: size of a pixel, image, coordinate system, table, full-resolution image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from .facts import Choices, choices_of, microns_words
from .picker import ask_image

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

_UNKNOWN = 0.0


class OpenOtherwise(QWidget):
    """A form of what can be chosen; a choice is a wish to open the slide again.

    Attributes
    ----------
    wanted
        Signal: arguments of `open_slide` that are to change, by name; None takes one back to its default.
    """

    wanted = Signal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slide: Slide | None = None
        self.mpp = _microns_box()
        self.back = QToolButton()
        self.back.setText("Reset")
        self.back.setToolTip("Use the value that the slide itself gives")
        self.source = QLabel()
        self.source.setWordWrap(True)
        self.image = _combo("Image", "Which image of the SpatialData is shown and cut into patches")
        self.system = _combo("Coordinate system", "In which coordinate system image and spots belong together")
        self.table = _combo("Table", "Which table of counts is used")
        self.square = _square_box()
        self.full = QPushButton("Use another &image file …")
        self.full.setToolTip("The full-resolution image, which Space Ranger folders lack")
        self._lay_out()
        self.mpp.editingFinished.connect(self._on_mpp)
        self.back.clicked.connect(lambda: self.wanted.emit({"mpp": None}))
        self.image.activated.connect(lambda: self.wanted.emit({"image_name": self.image.currentText()}))
        self.system.activated.connect(self._on_system)
        self.table.activated.connect(self._on_table)
        self.square.editingFinished.connect(self._on_square)
        self.full.clicked.connect(self._on_full)

    def _lay_out(self) -> None:
        self.form = QFormLayout()
        self.form.setContentsMargins(0, 0, 0, 0)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        row = QHBoxLayout()
        row.addWidget(self.mpp, 1)
        row.addWidget(self.back)
        self.form.addRow("Pi&xel size", row)
        self.form.addRow(self.source)
        fields = (("I&mage", self.image), ("S&ystem", self.system), ("&Table", self.table), ("S&quares", self.square))
        for label, field in fields:
            self.form.addRow(label, field)
        label = self.form.labelForField(row)
        if isinstance(label, QLabel):
            label.setBuddy(self.mpp)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self.form)
        column.addWidget(self.full)

    def show_slide(self, slide: Slide | None, opening: Mapping[str, Any]) -> None:
        """Show how a slide is opened."""
        self._slide = slide
        if slide is None:
            return
        choices = choices_of(slide)
        self.mpp.setValue(_UNKNOWN if slide.microns is None else slide.microns.value)
        self.back.setVisible("mpp" in opening)
        self.source.setText(microns_words(slide))
        self._offer(self.image, choices.images, slide.image_name)
        self._offer(self.system, choices.systems, slide.coordinate_system)
        table = str(opening.get("table") or slide.table_name or "")
        self._offer(self.table, choices.tables, table)
        self._show_square(choices)
        self.full.setVisible(slide.spots is not None)

    def _offer(self, box: QComboBox, names: Sequence[str], current: str) -> None:
        """A choice only where there is one."""
        box.clear()
        box.addItems(list(names) if current in names or not current else [current, *names])
        box.setCurrentText(current)
        self.form.setRowVisible(box, box.count() > 1)

    def _show_square(self, choices: Choices) -> None:
        self.form.setRowVisible(self.square, choices.square_um is not None)
        if choices.square_um is not None:
            self.square.setValue(choices.square_um)

    def _on_mpp(self) -> None:
        if self._slide is None:
            return
        shown = _UNKNOWN if self._slide.microns is None else round(self._slide.microns.value, self.mpp.decimals())
        if self.mpp.value() == _UNKNOWN:  # no size to open it with: "Reset" takes a correction back
            self.mpp.setValue(shown)
        elif abs(self.mpp.value() - shown) > 10 ** -self.mpp.decimals() / 2:
            self.wanted.emit({"mpp": self.mpp.value()})

    def _on_system(self) -> None:
        # the image that was chosen may have no place in another system
        self.wanted.emit({"coordinate_system": self.system.currentText(), "image_name": None})

    def _on_table(self) -> None:
        self.wanted.emit({"table": self.table.currentText(), "coordinate_system": None, "image_name": None})

    def _on_square(self) -> None:
        if self._slide is not None and self.square.value() != self._slide.facts.spot_um:
            self.wanted.emit({"square_um": self.square.value()})

    def _on_full(self) -> None:
        if self._slide is None:
            return
        path = ask_image(self, self._slide.path.absolute().parent)
        if path is not None:
            self.wanted.emit({"image": path, "image_name": None})


def _microns_box() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(4)
    box.setRange(_UNKNOWN, 100.0)
    box.setSingleStep(0.01)
    box.setSuffix(" µm")
    box.setSpecialValueText("not known")
    box.setKeyboardTracking(False)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setAccessibleName("Microns per pixel")
    box.setToolTip("Microns per pixel of the image at full size; Return applies it")
    return box


def _square_box() -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setDecimals(0)
    box.setRange(2, 1000)
    box.setSingleStep(16)
    box.setSuffix(" µm")
    box.setKeyboardTracking(False)
    box.setAccessibleName("Side of the squares")
    box.setToolTip("Bins are summed into squares of this side, which take the place of spots; Return applies it")
    return box


def _combo(name: str, tip: str) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return box
