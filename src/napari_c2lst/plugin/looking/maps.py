"""The map that is looked at: which prediction, how it is shown, and how it reaches the layers. Draws no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .colours import rgba
from .discs import Discs
from .map_layers import IMAGE_KEY, SPOTS_KEY, image_map, spots_map
from .predictions import Prediction
from .shown import Form, Legend, Mode, Surfaces, at_places, legend
from .surfaces import pitch
from .values import MapValues, load_values

if TYPE_CHECKING:
    from napari_c2lst.plugin.canvas import Canvas
    from napari_c2lst.slides.slide import Slide


@dataclass(frozen=True, eq=False)
class Prepared:
    """A prediction, ready to be drawn.

    Attributes
    ----------
    values
        Its numbers.
    form
        How it is drawn.
    surfaces
        The images it is drawn as; None for spots.
    discs
        The spots as pixels of the second view; None for images.
    """

    slide: Slide
    values: MapValues
    form: Form
    surfaces: Surfaces | None
    discs: Discs | None

    @property
    def x_range_px(self) -> tuple[float, float]:
        """Left and right end of the map in level-0 pixels: where a divider can stand."""
        x = self.values.yx[:, 1]
        edge = pitch(self.values.yx) / 2
        return float(x.min() - edge), float(x.max() + edge)


def prepare(slide: Slide, prediction: Prediction, form: Form, values: MapValues | None = None) -> Prepared:
    """Everything that takes long, once for all genes; to be called beside the GUI's thread.

    Parameters
    ----------
    values
        The numbers, where they are in memory already.
    """
    if values is None:
        values = load_values(slide, prediction)
    if form == "spots":
        diameter_um = slide.require_spots().diameter_um or 100.0
        return Prepared(slide, values, form, None, Discs(values.yx * slide.mpp, diameter_um))
    return Prepared(slide, values, form, Surfaces(values, form), None)


def draw(canvas: Canvas, ready: Prepared, gene: str, mode: Mode, divider_px: float) -> Legend:
    """Show a gene: swaps numbers and colours of the one map layer in place."""
    said = legend(ready.values, gene, mode)
    if ready.surfaces is None:
        numbers = at_places(ready.values, gene, mode, divider_px)
        canvas.add_or_update(spots_map(ready.slide, ready.values, numbers, said), SPOTS_KEY)
    else:
        image = ready.surfaces.image(gene, mode, divider_px)
        canvas.add_or_update(image_map(ready.slide, ready.values, ready.surfaces.own, image, said), IMAGE_KEY)
    return said


def clear(canvas: Canvas, *, but: Form | None = None) -> None:
    """Take the map away; `but` keeps the layer of that form."""
    if but != "spots":
        canvas.remove(SPOTS_KEY)
    if but in (None, "spots"):
        canvas.remove(IMAGE_KEY)


def picture(ready: Prepared, gene: str, mode: Mode) -> tuple[NDArray[np.uint8], NDArray[Any], float]:
    """The same map for the second view: (h, w, 4) pixels, its corner (y, x) and the side of a pixel in microns."""
    said = legend(ready.values, gene, mode)
    if ready.discs is not None:
        colours = rgba(at_places(ready.values, gene, mode), said.limits, said.colours)
        return ready.discs.paint(colours), ready.discs.origin_um, ready.discs.step_um
    assert ready.surfaces is not None
    own, mpp = ready.surfaces.own, ready.slide.mpp
    painted = rgba(ready.surfaces.image(gene, mode), said.limits, said.colours)
    pixels = np.clip(np.rint(painted * 255), 0, 255).astype(np.uint8)
    return pixels, (own.origin_px - own.step_px / 2) * mpp, own.step_px * mpp
