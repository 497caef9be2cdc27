"""Reading shapes from a file: which classes to take, and in which coordinates they were drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_c2lst.plugin.parts.theme import clear_boxes
from napari_c2lst.slides.spots.geojson import Region, describe_regions, read_regions

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide


@dataclass(frozen=True)
class RegionFile:
    """A file and the shapes in it."""

    path: Path
    regions: list[Region]

    @property
    def classes(self) -> dict[str, int]:
        """How many shapes there are of each class; of each name where there is no class."""
        return dict(Counter(region.label or region.name for region in self.regions if region.label or region.name))

    @property
    def words(self) -> str:
        """'3 shapes (2 Tumor, 1 Stroma)'."""
        return describe_regions(self.regions)

    def only(self, classes: tuple[str, ...]) -> RegionFile:
        """The shapes of these classes or names; empty for all."""
        kept = [each for each in self.regions if each.label in classes or each.name in classes]
        return RegionFile(self.path, kept) if classes else self


@dataclass(frozen=True)
class Answer:
    """What to take of a file: shapes of these classes (empty for all), drawn in this system (None for pixels)."""

    classes: tuple[str, ...] = ()
    system: str | None = None


def read_file(path: Path, classes: tuple[str, ...] = ()) -> RegionFile:
    """Read the shapes of a GeoJSON file.

    Raises
    ------
    InputError
        If there is no such file, it holds no polygon, a polygon is empty or crosses itself, or a class is unknown.
    """
    return RegionFile(path, read_regions(path, labels=classes))


def systems_of_slide(slide: Slide) -> list[str]:
    """The coordinate systems that the slide's image has a place in."""
    from napari_c2lst.slides.geometry import systems_of

    images = getattr(slide.sdata, "images", {})
    return systems_of(images[slide.image_name]) if slide.image_name in images else []


def ask_what_to_take(parent: QWidget, slide: Slide, file: RegionFile) -> Answer | None:
    """Ask which shapes are wanted, if there is anything to choose; None if the user does not go on."""
    systems = systems_of_slide(slide)
    if len(file.classes) < 2 and len(systems) < 2:
        return Answer()
    dialog = ImportDialog(file, systems, parent)
    return dialog.answer() if dialog.exec() == QDialog.DialogCode.Accepted else None


class ImportDialog(QDialog):
    """Classes to tick, and the coordinate system."""

    def __init__(self, file: RegionFile, systems: list[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shapes from a file")
        self.classes = QListWidget(self)
        clear_boxes(self.classes)
        self.classes.setAccessibleName("Classes")
        self.classes.setMaximumHeight(140)
        for name, number in file.classes.items():
            item = QListWidgetItem(f"{name} ({number})")
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.classes.addItem(item)
        self.system = QComboBox(self)
        self.system.setAccessibleName("Coordinates")
        self.system.addItem("pixels of the full-resolution image (QuPath)", None)
        for system in systems:
            self.system.addItem(f"coordinate system '{system}'", system)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self)
        self.ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.classes.itemChanged.connect(self._on_ticked)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(f"{file.words} in {file.path.name}", self))
        if len(file.classes) > 1:
            column.addWidget(QLabel("Take shapes of:", self))
            column.addWidget(self.classes)
        self.classes.setVisible(len(file.classes) > 1)
        column.addWidget(QLabel("They were drawn in:", self))
        column.addWidget(self.system)
        column.addWidget(buttons)

    def answer(self) -> Answer:
        """What is ticked; all classes ticked are all shapes."""
        items, ticked = self._items()
        names = tuple(str(item.data(Qt.ItemDataRole.UserRole)) for item in ticked)
        return Answer(() if len(ticked) == len(items) else names, self.system.currentData())

    def _items(self) -> tuple[list[QListWidgetItem], list[QListWidgetItem]]:
        """All classes, and those that are ticked."""
        items = [self.classes.item(i) for i in range(self.classes.count())]
        return items, [item for item in items if item.checkState() == Qt.CheckState.Checked]

    def _on_ticked(self, _item: QListWidgetItem) -> None:
        self.ok.setEnabled(bool(self._items()[1]))  # no class at all would mean all of them
