"""The map that is looked at: which prediction, how it is shown, and how it reaches the layers. Draws no widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .map_layers import IMAGE_KEY, LEFT_KEY, SPOTS_KEY, image_map, spots_map
from .predictions import Prediction
from .shown import Form, Legend, Mode, Surfaces, at_places, legend
from .surfaces import pitch
from .values import MapValues, load_values

if TYPE_CHECKING:
    from napari_c2lst.plugin.canvas import Canvas
    from napari_c2lst.plugin.layers.placing import LayerData
    from napari_c2lst.slides.slide import Slide

_OWN = ("spots", "bins")  # keys of the slide's own spots and bins


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
    """

    slide: Slide
    values: MapValues
    form: Form
    surfaces: Surfaces | None

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
    return Prepared(slide, values, form, None if form == "spots" else Surfaces(values, form))


def draw(canvas: Canvas, ready: Prepared, gene: str, mode: Mode, divider_px: float = 0.0) -> Legend:
    """Show a gene as one layer: swaps numbers and colours in place, at once for thousands of spots."""
    said = legend(ready.values, gene, mode)
    canvas.add_or_update(_layer(ready, said, mode, divider_px, key_of(ready.form)), key_of(ready.form))
    return said


def key_of(form: Form) -> str:
    """The key of the layer of a map."""
    return SPOTS_KEY if form == "spots" else IMAGE_KEY


class Maps:
    """The layers of a map: one, or two side by side.

    While there is a map the slide's own spots and bins are hidden: their colours are on another scale. A user who shows
    them again keeps them.
    """

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas
        self._beside: Form | None = None  # the form of the two maps that are side by side
        self._met: dict[str, Any] = {}  # the slide's own layers that were looked at, and those that were hidden
        self._hidden: dict[str, Any] = {}

    def draw(self, ready: Prepared, gene: str, mode: Mode, divider_px: float) -> Legend:
        """Show a gene, in place of what was shown."""
        if self._beside is not None and (mode != "beside" or ready.form != self._beside or self._one_is_gone()):
            self._part()
        self.canvas.remove(IMAGE_KEY if ready.form == "spots" else SPOTS_KEY)
        self._hide_own()
        if mode != "beside":
            return draw(self.canvas, ready, gene, mode, divider_px)
        said = legend(ready.values, gene, mode)
        draw(self.canvas, ready, gene, "predicted")
        self.canvas.add_or_update(_layer(ready, said, "measured", 0.0, LEFT_KEY), LEFT_KEY)
        if self._beside is None:
            self.canvas.linked_views(LEFT_KEY, key_of(ready.form))
        self._beside = ready.form
        return said

    def clear(self) -> None:
        """Take the map away; the slide's own spots come back."""
        self._part()
        for key in (SPOTS_KEY, IMAGE_KEY):
            self.canvas.remove(key)
        for key, layer in self._hidden.items():
            if self.canvas.layer(key) is layer:
                layer.visible = True
        self._met, self._hidden = {}, {}

    def _part(self) -> None:
        """Back to a single view."""
        if self._beside is not None:
            self.canvas.linked_views(None, None)
        self.canvas.remove(LEFT_KEY)
        self._beside = None

    def _one_is_gone(self) -> bool:
        """Whether the user deleted one of two maps side by side: made again it would lie in the wrong view."""
        keys = () if self._beside is None else (LEFT_KEY, key_of(self._beside))
        return any(self.canvas.layer(key) is None for key in keys)

    def _hide_own(self) -> None:
        for key in _OWN:
            layer = self.canvas.layer(key)
            if layer is None or self._met.get(key) is layer:
                continue
            self._met[key] = layer
            if layer.visible:
                layer.visible = False
                self._hidden[key] = layer


def _layer(ready: Prepared, said: Legend, mode: Mode, divider_px: float, key: str) -> LayerData:
    if ready.surfaces is None:
        numbers = at_places(ready.values, said.gene, mode, divider_px)
        return spots_map(ready.slide, ready.values, numbers, said, key)
    image = ready.surfaces.image(said.gene, mode, divider_px)
    return image_map(ready.slide, ready.values, ready.surfaces.own, image, said, key)
