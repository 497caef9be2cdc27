"""Spots and bins coloured by a gene: counts by gene in memory, log(1 + counts), colormap, limits, opacity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from .layers.expression import BINS, SPOTS, Limits, bins_layer, limits_of, paint_spots, plain_spots, raster_of_spots
from .layers.slide_layers import spots_layer
from .parts.latest import Latest, told_as

if TYPE_CHECKING:
    from napari_c2lst.slides.genes.columns import GeneColumns
    from napari_c2lst.slides.readers.bins import BinRaster
    from napari_c2lst.slides.slide import Slide

    from .canvas import Canvas

COLORMAPS = ("viridis", "magma", "cividis", "inferno", "gray")  # readable without colour vision
MOST_POINTS = 20_000  # more spots are a raster: half a million points take seconds for a change of colours
_OPACITY = 0.8


class Colouring:
    """What the spots of the open slide are coloured by.

    Parameters
    ----------
    canvas
        Whose spots.

    Attributes
    ----------
    columns
        Counts of the spots by gene; None until they are read.
    bins
        The bins of a Visium HD slide; None until they are read, or where there are none.
    problem
        Why counts cannot be shown, in one sentence; empty when they can.
    colormap, opacity
        As the user set them.
    limits
        Values at the two ends of the colormap, log(1 + counts).
    """

    counts_ready = Signal()  # counts can be shown, or `problem` says why not
    changed = Signal()  # what colours the spots, or how

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._thread = Latest()
        self.columns: GeneColumns | None = None
        self.bins: BinRaster | None = None
        self.problem = ""
        self.colormap, self.opacity = COLORMAPS[0], _OPACITY
        self.limits: Limits = (0.0, 1.0)
        self.range: Limits = (0.0, 1.0)
        self.name = ""
        self._values: NDArray[np.float32] | None = None
        self._bin_values: NDArray[np.float32] | None = None
        self._given = False
        self._unseen: Any = None

    # -- counts ----------------------------------------------------------------------------------------------------

    def begin(self, slide: Slide) -> None:
        """Read the counts of a slide by gene, in a thread; nothing of the slide before is heard any more."""
        self.forget()
        if slide.spots is None or slide.table_name not in getattr(slide.sdata, "tables", {}):
            return
        self._thread.ask(_read, slide, done=self._on_read, failed=self._on_failed)

    def forget(self) -> None:
        """Let go of the counts."""
        self._thread.drop()
        self.columns, self.bins, self.problem, self.name = None, None, "", ""
        self._values, self._bin_values, self._given = None, None, False

    @property
    def reading(self) -> bool:
        """Whether counts are being read."""
        return self._thread.awaited

    def _on_read(self, found: tuple[GeneColumns, BinRaster | None, str, str]) -> None:
        self.columns, self.bins, first, self.problem = found
        if self._canvas.session.gene:
            self.show_gene(self._canvas.session.gene)
        elif first:
            self._canvas.session.show_gene(first)
        self.counts_ready.emit()

    def _on_failed(self, message: str, hint: str) -> None:
        self.problem = message
        self._canvas.session.tell("warning", message, hint)
        self.counts_ready.emit()

    # -- what is shown ---------------------------------------------------------------------------------------------

    def show_gene(self, gene: str) -> None:
        """Colour by a gene; waits for the counts when they are being read. Other values that were given go."""
        self._given = False
        if not gene:
            self._show(None, "")
        elif self.columns is None:
            self.name = gene
        elif gene not in self.columns:
            self._show(None, gene)
        else:
            self._show(np.log1p(self.columns.column(gene)), gene)

    def show_values(self, values: NDArray[np.floating] | None, name: str = "") -> None:
        """Colour the spots by any numbers, (N,); None brings the gene back."""
        if values is None:
            self.show_gene(self._canvas.session.gene)
            return
        self._given = True
        self._show(np.asarray(values, dtype=np.float32), name)

    def repaint(self) -> None:
        """Draw what is shown again: the user deleted a layer, or another slide came."""
        self._paint()

    def _show(self, values: NDArray[np.float32] | None, name: str) -> None:
        self._values, self.name = values, name
        over_bins = values is not None and self.bins is not None and not self._given
        self._bin_values = np.log1p(self.bins.columns.column(name)) if over_bins and self.bins else None
        if values is not None:
            self.limits, self.range = limits_of(values if self._bin_values is None else self._bin_values)
        self._paint()
        self.changed.emit()

    def _paint(self) -> None:
        slide = self._canvas.session.slide
        if slide is None or slide.spots is None:
            return
        if self._bin_values is not None and self.bins is not None:
            self._paint_bins(slide, self.bins, self._bin_values)
        else:
            self._canvas.remove(BINS)
        self._paint_spots(slide, None if self._bin_values is not None else self._values)

    def _paint_bins(self, slide: Slide, bins: BinRaster, values: NDArray[np.float32]) -> None:
        # bins without the gene are left open: most bins hold a few molecules, and the tissue is to be seen
        image = bins.image(np.where(values > 0, values, np.nan).astype(np.float32))
        layer = self._canvas.layer(BINS)
        if layer is not None:
            with layer.events.blocker_all():
                layer.contrast_limits_range = self.range
                layer.contrast_limits = self.limits
            layer.data = image
            layer.events.contrast_limits()
            return
        data = bins_layer(slide, bins, image, self.limits, self.colormap, self.opacity)
        self._canvas.add_or_update(data, BINS)

    def _paint_spots(self, slide: Slide, values: NDArray[np.float32] | None) -> None:
        assert slide.spots is not None
        if len(slide.spots) > MOST_POINTS:
            data = raster_of_spots(slide, values, self.limits, self.colormap, self.opacity)
            self._canvas.add_or_update(data, SPOTS)
            return
        layer = self._canvas.layer(SPOTS) or self._canvas.add_or_update(spots_layer(slide), SPOTS)
        if not layer.visible:
            self._paint_once_seen(layer)
        elif values is None:
            plain_spots(layer, thin=self.bins is not None)
        else:
            paint_spots(layer, values, self.name, self.limits, self.colormap, self.opacity)

    def _paint_once_seen(self, layer: Any) -> None:
        """Spots that a map covers are hidden: colouring them would make every switch of genes slower for nothing."""
        if self._unseen is not layer:
            self._unseen = layer
            layer.events.visible.connect(self._on_seen)

    def _on_seen(self) -> None:
        layer, self._unseen = self._unseen, None
        if layer is None:
            return
        layer.events.visible.disconnect(self._on_seen)
        if layer is self._canvas.layer(SPOTS):
            self._paint()

    # -- how it is shown -------------------------------------------------------------------------------------------

    def set_limits(self, low: float, high: float) -> None:
        """Set the values at the two ends of the colormap."""
        self.limits = (float(low), max(float(high), float(low) + 1e-6))
        for layer in self._coloured():
            if hasattr(layer, "contrast_limits"):
                layer.contrast_limits = self.limits
            else:
                layer.face_contrast_limits = self.limits
        self.changed.emit()

    def set_colormap(self, colormap: str) -> None:
        """Set the colours."""
        self.colormap = colormap
        for layer in self._coloured():
            if hasattr(layer, "contrast_limits"):
                layer.colormap = colormap
            else:
                layer.face_colormap = colormap
        self.changed.emit()

    def set_opacity(self, opacity: float) -> None:
        """Set how much of the tissue is covered: 0 to 1."""
        self.opacity = float(opacity)
        for layer in self._coloured():
            layer.opacity = self.opacity
        self.changed.emit()

    def _coloured(self) -> list[Any]:
        key = SPOTS if self._bin_values is None else BINS
        layer = self._canvas.layer(key)
        return [] if layer is None or self._values is None else [layer]


def _read(slide: Slide) -> tuple[GeneColumns, BinRaster | None, str, str]:
    """Counts of the spots, the bins if there are any, the first gene to show, and why there are no bins."""
    from napari_c2lst.slides.genes.columns import GeneColumns
    from napari_c2lst.slides.readers.bins import read_bins

    with told_as("the counts cannot be read", "copy the slide again"):
        columns = GeneColumns.of_counts(slide.counts(), slide.genes)
        return columns, read_bins(slide), columns.most_varying(), ""
