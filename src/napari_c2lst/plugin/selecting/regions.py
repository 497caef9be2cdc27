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
from napari_c2lst.plugin.parts.latest import Latest, ask_apart
from napari_c2lst.slides.spots.geojson import Region, spots_inside, write_regions

from . import exchange, recipes
from .areas import MOST_OUTLINES, seen_outlines
from .choice import Choice, How, Step
from .hand import Hand
from .importing import Answer, RegionFile, ask_what_to_take, read_file
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

    told = Signal(str, str, str)  # level, message, hint; all empty where there is nothing more to say

    def __init__(self, shared: Shared, choice: Choice, hand: Hand, how: Callable[[], How], parent: QWidget) -> None:
        super().__init__(parent)
        self._shared, self._choice, self._hand, self._how = shared, choice, hand, how
        self._window = parent
        self._reading = Latest(self)

    def ask_file(self) -> None:
        """Ask for a file and, once it is read, for what to take of it.

        Raises
        ------
        InputError
            If no slide with spots is open, or another file is being read.
        """
        session = self._shared.session
        slide_with_spots(session)
        self._refuse_while_reading()
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Shapes", folder_of(session), f"{_GEOJSON};;All (*)")
        if chosen:
            self._say_reading(Path(chosen))
            self._reading.ask(read_file, Path(chosen), done=self._on_read, failed=self._on_failed)

    def take_file(self, path: Path, classes: tuple[str, ...] = (), system: str | None = None) -> None:
        """Pick the spots inside the shapes of a GeoJSON file, which is read beside the GUI's thread.

        What is wrong with the file, or that no spot lies inside, is told.

        Parameters
        ----------
        classes
            Only shapes of these classes or names; empty for all.
        system
            Coordinate system of the slide the shapes are in; None for pixels of the full-resolution image.

        Raises
        ------
        InputError
            If no slide with spots is open, or another file is being read.
        """
        slide = slide_with_spots(self._shared.session)
        self._refuse_while_reading()
        self._pick(slide, lambda: read_file(path, classes), path, Answer(classes, system))

    def _on_read(self, file: RegionFile) -> None:
        self.told.emit("", "", "")
        session = self._shared.session
        before = session.require_slide()
        answer = ask_what_to_take(self._window, before, file)
        slide = session.slide  # opened anew meanwhile where a job has written into it
        if answer is not None and slide is not None and slide.path == before.path:
            self._pick(slide, lambda: file.only(answer.classes), file.path, answer)

    def _pick(self, slide: Slide, read: Callable[[], RegionFile], path: Path, answer: Answer) -> None:
        how = self._how()  # as it is now: the user goes on

        def pick() -> tuple[RegionFile, Step]:
            file = read()
            return file, recipes.by_regions(slide, how, file.regions, path, answer.classes, answer.system)

        self._say_reading(path)
        self._reading.ask(pick, done=self._on_picked, failed=self._on_failed)

    def _on_picked(self, found: tuple[RegionFile, Step]) -> None:
        file, step = found
        self._choice.apply(step)
        unseen = step.area is not None and not seen_outlines(step.area)
        hint = f"more than {MOST_OUTLINES} outlines are not drawn; the spots are chosen all the same" if unseen else ""
        self.told.emit("success", f"{file.words} of '{file.path.name}': {int(step.mask.sum())} spots", hint)

    def _say_reading(self, path: Path) -> None:
        self.told.emit("info", f"reading the shapes of '{path.name}'…", "")

    def _refuse_while_reading(self) -> None:
        if self._reading.awaited:
            raise InputError("the shapes of another file are being read", "wait until their spots are picked")

    def _on_failed(self, message: str, hint: str) -> None:
        self.told.emit("error", message, hint)

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

        ask_apart(self, write, done=lambda said: self.told.emit("success", said, ""), failed=self._on_failed)

    def drop(self) -> None:
        """Pick nothing from what is being read; what is being written is written, and told."""
        self._reading.drop()


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
