"""The cells that one viewer shows: which result, which types, in which colours, and the cell that was clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from napari_c2lst.plugin.parts.latest import Latest

from .composed import NUCLEI, Composed
from .drawn import DrawnCells
from .loading import load_raster
from .outlines import Outlines, load_outlines
from .raster import CellRaster
from .records import PickedCell, SpotCells
from .stored import CellResult, list_results
from .styles import CellLook, Palette, Rgb, colours_of_types

if TYPE_CHECKING:
    from napari_c2lst.plugin.shared import Shared

NAME = "shown_cells"


class ShownCells:
    """The cells of the open slide in one viewer; panels show it and change it.

    Parameters
    ----------
    shared
        Session and canvas of the viewer.

    Attributes
    ----------
    results
        The results of `cells` in the slide's store.
    result
        The one that is looked at; None where there is none.
    raster
        Its cells, once they are read.
    counts
        (T,) how many there are of each type.
    picked
        The cell that was clicked; None for none.
    """

    results_changed = Signal()  # other results are in the store
    changed = Signal()  # what is shown, or how; or that something was read
    picked_changed = Signal()

    def __init__(self, shared: Shared) -> None:
        self._canvas, self._session = shared.canvas, shared.session
        self._thread, self._drawn = Latest(), DrawnCells(shared.canvas)
        self._composed = Composed(self._on_composed, self._on_failed)
        self._spots_by, self._spots_name, self._again = "", "", ""
        self.results: list[CellResult] = []
        self.result: CellResult | None = None
        self.raster: CellRaster | None = None
        self.counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self.picked: PickedCell | None = None
        self.palette: Palette = "safe"
        self.look: CellLook = "outline"
        self.wanted = False
        self.outlines_missing = ""
        self._expected = ""
        self._told: list[str] = []
        self._session.slide_changed.connect(self._on_slide)
        self._session.results_changed.connect(self.renew)
        self._end_clicks = self._canvas.on_click(self._on_click)
        self.renew()

    # -- which result ----------------------------------------------------------------------------------------------

    @property
    def types(self) -> tuple[str, ...]:
        """Names of the types that are shown; empty until cells are read."""
        return () if self.raster is None else self.raster.columns.types

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(T,) which types are shown."""
        return np.zeros(0, bool) if self.raster is None else self.raster.visible

    @property
    def reading(self) -> bool:
        """Whether cells are being read."""
        return self._thread.awaited or self._composed.reading

    def renew(self) -> None:
        """Look into the store again; keeps the result that is looked at where it is still there."""
        found, problems = list_results(self._session.store)
        for problem in problems if problems != self._told else ():  # once, not whenever something is made
            self._session.tell("warning", problem, "run 'cells' on the slide again")
        self._told = problems
        names = [each.name for each in found]
        before = self.result
        self.results = found
        if self._expected in names:
            expected, self._expected, self.wanted = self._expected, "", True
            self.choose(expected)
            self.show()
            self.results_changed.emit()
            return
        if before is not None and before in found:
            self.results_changed.emit()
            return
        kept = before.name if before is not None and before.name in names else (names[0] if names else "")
        self.choose(kept)
        self.results_changed.emit()

    def choose(self, name: str) -> None:
        """Look at another result; empty for none. It is shown if cells are shown now."""
        chosen = next((each for each in self.results if each.name == name), None)
        if chosen == self.result and chosen is not None:
            return
        self._again = self.spots_by
        if self._again:  # the numbers of another result: a gene, until those of this one are read
            self.colour_spots("")
        self._forget()
        self.result = chosen
        if chosen is not None:
            self._composed.read(chosen, self._session.slide)
            if self.wanted:
                self._read(chosen)
        self.changed.emit()

    def expect(self, name: str) -> None:
        """Show a result as soon as the open slide has it."""
        self._expected = name
        self.renew()

    def show(self, wanted: bool = True) -> None:
        """Show cells in the viewer, or take them away; they stay in memory until another slide is opened."""
        self.wanted = wanted
        if not wanted:
            self._drawn.remove()
        elif self.result is not None and self.raster is None:
            self._read(self.result)
        else:
            self._draw()
        self.changed.emit()

    # -- how -------------------------------------------------------------------------------------------------------

    def show_types(self, visible: NDArray[np.bool_]) -> None:
        """Show these types alone, (T,)."""
        if self.raster is not None:
            self.raster.show_types(visible)
            self._recolour(types=True)

    def use_palette(self, palette: Palette) -> None:
        """Colours that colour-blind people can tell apart ("safe"), or the weights' own ("weights")."""
        self.palette = palette
        self._recolour()

    def use_look(self, look: CellLook) -> None:
        """Outline or fill nuclei that are large enough on the screen."""
        self.look = look
        self._recolour()

    def colours(self, types: tuple[str, ...] | None = None) -> list[Rgb]:
        """Colours of types, of those shown where none are named."""
        if self.result is None:
            return []
        return colours_of_types(self.result.facts, self.types if types is None else types, self.palette)

    # -- spots -----------------------------------------------------------------------------------------------------

    @property
    def composition(self) -> NDArray[np.float32] | None:
        """(N, T) nuclei in each spot, types as in `composition_types`; None where there is none, or not yet."""
        return self._composed.counts

    @property
    def composition_types(self) -> tuple[str, ...]:
        """Names of the columns of `composition`."""
        return () if self.result is None else self.result.facts.type_names

    def of_spot(self, spot: int) -> SpotCells | None:
        """What a spot is composed of; None where that is not known."""
        counts, types = self._composed.of_spot(spot), self.composition_types
        return None if counts is None else SpotCells(types, tuple(self.colours(types)), counts)

    def colour_spots(self, what: str) -> None:
        """Colour the spots by the share of a type, by "nuclei" (their number), or by a gene again (empty)."""
        values, self._spots_name = self._composed.numbers(what, self.composition_types)
        self._spots_by = "" if values is None else what
        self._canvas.show_spots_colours(values, self._spots_name)

    @property
    def spots_by(self) -> str:
        """What of the composition colours the spots now, as `colour_spots` takes it; empty for anything else."""
        return self._spots_by if self._canvas.colouring.name == self._spots_name else ""

    def _on_composed(self) -> None:
        again, self._again = self._again, ""
        if again == NUCLEI or again in self.composition_types:
            self.colour_spots(again)
        self.changed.emit()

    # -- reading ---------------------------------------------------------------------------------------------------

    def _on_slide(self) -> None:
        self._forget()
        self.result, self.wanted, self._spots_by, self._again = None, False, "", ""
        self.renew()

    def _forget(self) -> None:
        self._thread.drop()
        self._composed.forget()
        if self.raster is not None:
            self._drawn.remove()
        self.raster, self.picked = None, None
        self.counts, self.outlines_missing = np.zeros(0, np.int64), ""

    def _read(self, result: CellResult) -> None:
        slide = self._session.slide
        if slide is not None:
            self._thread.ask(load_raster, result, slide, done=self._on_read, failed=self._on_failed)

    def _on_read(self, raster: CellRaster) -> None:
        self.raster = raster
        self.counts = np.bincount(raster.columns.kind, minlength=len(raster.columns.types))
        self._draw()
        result = self.result
        assert result is not None
        yx = raster.columns.yx
        self._thread.ask(load_outlines, result, yx, done=self._on_outlines, failed=self._on_no_outlines)
        self.changed.emit()

    def _on_outlines(self, outlines: Outlines) -> None:
        if self.raster is not None:
            self.raster.use_outlines(outlines)
            self._drawn.refresh()
            self.changed.emit()

    def _on_no_outlines(self, message: str, hint: str) -> None:
        self.outlines_missing = "outlines cannot be read: circles of the same areas are shown"
        self._on_failed(message, hint)

    def _on_failed(self, message: str, hint: str) -> None:
        self._session.tell("error", message, hint)
        self.changed.emit()

    # -- drawing ---------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        slide, raster, result = self._session.slide, self.raster, self.result
        if not self.wanted or raster is None or slide is None or result is None:
            return
        self._drawn.draw(slide, raster, self.colours(), self.look)

    def _recolour(self, *, types: bool = False) -> None:
        if self.raster is not None:
            self._drawn.recolour(self.raster, self.colours(), self.look, types=types)
        self.changed.emit()

    # -- clicks ----------------------------------------------------------------------------------------------------

    def _on_click(self, yx: NDArray[np.float64]) -> None:
        if self.raster is None or not self._drawn.seen:
            return
        cell, before = self.raster.cell_at(yx), self.raster.picked
        self.raster.pick(cell)
        self.picked = PickedCell.of(self.raster.columns, cell) if cell >= 0 else None
        if cell != before:
            self._drawn.refresh()
        self.picked_changed.emit()

    def close(self) -> None:
        """Let go of session and canvas."""
        self._thread.drop()
        self._composed.forget()
        self._end_clicks()
        self._session.slide_changed.disconnect(self._on_slide)
        self._session.results_changed.disconnect(self.renew)


def shown_cells(shared: Shared) -> ShownCells:
    """The one `ShownCells` of a viewer, made on first use; it ends with what the viewer's panels share."""
    if NAME not in shared.extras:
        shared.extras[NAME] = ShownCells(shared)
    found: ShownCells = shared.extras[NAME]
    return found
