"""Shapes that come in and go out: GeoJSON files (QuPath) and Shapes layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.drawing import layer_in_hand
from napari_c2lst.plugin.parts.asking import named_path
from napari_c2lst.plugin.parts.latest import Latest
from napari_c2lst.slides.spots.geojson import Region, spots_inside, write_regions

from . import exchange, recipes
from .choice import Choice, How, Step
from .hand import Hand
from .importing import RegionFile, ask_what_to_take, read_file
from .named import colours_of

if TYPE_CHECKING:
    from napari_c2lst.plugin.session import Session
    from napari_c2lst.plugin.shared import Shared
    from napari_c2lst.slides.slide import Slide

_GEOJSON = "GeoJSON (*.geojson *.json)"
_FILES = {"chosen": "chosen_spots", "sets": "spot_sets", "drawn": "shapes"}


class Regions(QObject):
    """Picks spots by shapes of a file or a layer, and writes spots and shapes as GeoJSON.

    Parameters
    ----------
    choice
        What the shapes pick into.
    how
        What picking does now.
    """

    told = Signal(str, str, str)  # level, message, hint

    def __init__(self, shared: Shared, choice: Choice, hand: Hand, how: Callable[[], How], parent: QWidget) -> None:
        super().__init__(parent)
        self._shared, self._choice, self._hand, self._how = shared, choice, hand, how
        self._window = parent
        self._thread = Latest(self)

    def ask_file(self) -> None:
        """Ask for a file and for what to take of it.

        Raises
        ------
        InputError
            As `take_file`.
        """
        session = self._shared.session
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Shapes", folder_of(session), f"{_GEOJSON};;All (*)")
        if not chosen:
            return
        path = Path(chosen)
        answer = ask_what_to_take(self._window, slide_with_spots(session), read_file(path))
        if answer is not None:
            self.take_file(path, answer.classes, answer.system)

    def take_file(self, path: Path, classes: tuple[str, ...] = (), system: str | None = None) -> None:
        """Pick the spots inside the shapes of a GeoJSON file.

        Parameters
        ----------
        classes
            Only shapes of these classes or names; empty for all.
        system
            Coordinate system of the slide the shapes are in; None for pixels of the full-resolution image.

        Raises
        ------
        InputError
            If no slide with spots is open, the file holds no usable shape, or no spot lies inside.
        """
        file: RegionFile = read_file(path, classes)
        slide = slide_with_spots(self._shared.session)
        step = recipes.by_regions(slide, self._how(), file.regions, file.path, classes, system)
        self._choice.apply(step)
        self.told.emit("success", f"{file.words} of '{file.path.name}': {int(step.mask.sum())} spots", "")

    def take_layer(self) -> None:
        """Pick the spots inside the shapes of the Shapes layer that is selected in napari.

        Raises
        ------
        InputError
            If no slide with spots is open, the layer holds no usable shape, or no spot lies inside.
        """
        slide, layer = slide_with_spots(self._shared.session), layer_in_hand(self._shared.canvas)
        regions = exchange.regions_of_layer(layer, self._hand.drawing.pointing)
        self._choice.apply(_step_of_layer(slide, self._how(), regions))

    def ask_export(self, what: str, name: str) -> None:
        """Ask where to write "chosen", "sets" or "drawn"."""
        start = str(Path(folder_of(self._shared.session)) / f"{_FILES[what]}.geojson")
        # the dialog itself asks before a file is replaced
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Export", start, _GEOJSON)
        path = named_path(self._window, chosen, ".geojson")
        if path is not None:
            self.write(what, path, name)

    def write(self, what: str, path: Path, name: str) -> None:
        """Write "chosen" spots, all "sets" or the "drawn" shapes as GeoJSON; the user has agreed to the file's name.

        Parameters
        ----------
        name
            What the chosen spots are called.
        """
        session = self._shared.session
        slide, sets, colours = session.slide, dict(session.sets), colours_of(session.sets)
        mask, steps = self._choice.mask, self._choice.steps  # as they are now: the user goes on

        def write() -> str:
            if what == "drawn":
                regions = exchange.drawn_regions(steps)
            elif what == "sets":
                regions = exchange.set_regions(slide, sets, colours)
            else:
                regions = exchange.chosen_regions(slide, mask, name)
            write_regions(path, regions)
            return f"wrote {len(regions)} region{'s' * (len(regions) != 1)} to '{path}'"

        self._thread.ask(
            write,
            done=lambda said: self.told.emit("success", said, ""),
            failed=lambda message, hint: self.told.emit("error", message, hint),
        )

    def drop(self) -> None:
        """Hear no more of what is being written."""
        self._thread.drop()


def slide_with_spots(session: Session) -> Slide:
    """The open slide.

    Raises
    ------
    InputError
        If none is open, or it has no spots.
    """
    slide = session.require_slide()
    slide.require_spots()
    return slide


def folder_of(session: Session) -> str:
    """Where file dialogs begin: beside the slide."""
    slide = session.slide
    return str(slide.path.absolute().parent if slide is not None else Path.cwd())


def _step_of_layer(slide: Any, how: How, regions: list[Region]) -> Step:
    mask = spots_inside(regions, slide.require_spots().yx)
    if not mask.any():
        raise InputError("no spot lies inside the shapes of the selected layer", "select another layer")
    return Step(how, mask, "shapes", area=shapely.union_all([region.area for region in regions]))
