"""Gene values on spots and bins: limits of the colours, points that are painted, rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .placing import KEY, LayerData, affine_of_raster, opened_of, placed
from .slide_layers import SPOT_COLOUR, SPOTS, VALUE, spot_size_px

if TYPE_CHECKING:
    from napari_c2lst.slides.readers.bins import BinRaster
    from napari_c2lst.slides.slide import Slide

BINS = "bins"
Limits = tuple[float, float]
Values = NDArray[np.float32]
_HIGH = 0.99  # quantile of the values above nothing that gets the last colour: one odd spot does not dim all others


def limits_of(values: Values) -> tuple[Limits, Limits]:
    """Values for the two ends of the colormap, and the whole range; NaN does not count.

    The lower end is 0 for values that begin there, as counts do; else the 1 % quantile.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return (0.0, 1.0), (0.0, 1.0)
    least, most = float(finite.min()), float(finite.max())
    above = finite[finite > least]
    low = least if least == 0 else float(np.quantile(finite, 1 - _HIGH))
    high = float(np.quantile(above, _HIGH)) if above.size else least + 1
    if high <= low:
        high = most if most > low else low + 1
    return (low, high), (least, max(most, high))


def paint_spots(layer: Any, values: Values, name: str, limits: Limits, colormap: str, opacity: float) -> None:
    """Colour a points layer by values, (N,), through napari's own mapping, in one redraw."""
    mapped = VALUE in layer.features and str(layer.face_color_mode) == "colormap"
    features = {"spot": _names(layer), VALUE: values}
    if not mapped:
        layer.features = features
        layer.face_color = VALUE
        layer.face_colormap = colormap
        layer.opacity = opacity
        layer.border_width = 0.0
        layer.face_contrast_limits = limits
        layer.refresh_colors()
    else:
        face = layer._face
        with face.events.blocker_all(), layer.events.blocker_all():
            layer.features = features
            layer.face_contrast_limits = limits
        face.events.color_properties()
        layer.events.features()
    layer.metadata[KEY] = {**layer.metadata.get(KEY, {}), "shows": name, "rings": ""}


def _names(layer: Any) -> Any:
    """Names of the spots of a layer; other plugins put features of their own in the place of ours."""
    opened = opened_of(layer)
    if "spot" in layer.features or opened is None:
        return layer.features.get("spot", range(len(layer.data)))
    return [str(name) for name in opened.slide.require_spots().ids]


def plain_spots(layer: Any, *, thin: bool) -> None:
    """Spots as rings that leave the tissue to be seen; nothing to do for spots that are so already."""
    about = layer.metadata.get(KEY, {})
    if about.get("rings") == ("thin" if thin else "wide") and str(layer.face_color_mode) == "direct":
        return
    layer.metadata[KEY] = {**about, "shows": "", "rings": "thin" if thin else "wide"}
    layer.face_color = "transparent"
    layer.border_color = SPOT_COLOUR
    layer.border_width = 0.02 if thin else 0.08
    layer.opacity = 0.35 if thin else 1.0


def bins_layer(
    slide: Slide, bins: BinRaster, image: Values, limits: Limits, colormap: str, opacity: float
) -> LayerData:
    """Bins as an image that lies on the tissue, turned as the array is."""
    return _raster(slide, f"{slide.name} bins of {bins.bin_um:g} um", image, bins, limits, colormap, opacity, BINS)


def raster_of_spots(slide: Slide, values: Values | None, limits: Limits, colormap: str, opacity: float) -> LayerData:
    """Very many spots as an image; without values they are all of one colour."""
    raster = SpotRaster.of(slide)
    shown = np.ones(len(slide.require_spots()), dtype=np.float32) if values is None else values
    image = raster.image(shown)
    limits = (0.0, 2.0) if values is None else limits
    return _raster(slide, f"{slide.name} spots", image, raster, limits, colormap, opacity, SPOTS)


class SpotRaster:
    """Very many spots as pixels: on their array where they have one, else on a grid of their own spacing.

    Attributes
    ----------
    matrix, offset
        Level-0 pixels (y, x) of a raster pixel's centre: `(row, column) @ matrix.T + offset`.
    """

    _last: tuple[Any, SpotRaster] | None = None

    def __init__(self, rc: NDArray[np.int64], matrix: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
        first = rc.min(axis=0)
        self.shape = tuple(int(end) + 1 for end in (rc - first).max(axis=0))
        self.pixel = (rc[:, 0] - first[0]) * self.shape[1] + rc[:, 1] - first[1]
        self.matrix, self.offset = matrix, first @ matrix.T + offset
        self._spots = np.maximum(np.bincount(self.pixel, minlength=self.shape[0] * self.shape[1]), 1)

    @classmethod
    def of(cls, slide: Slide) -> SpotRaster:
        """The raster of a slide's spots; kept for the slide that is shown."""
        if cls._last is None or cls._last[0] is not slide.spots:
            cls._last = (slide.spots, cls._made(slide))
        return cls._last[1]

    @classmethod
    def _made(cls, slide: Slide) -> SpotRaster:
        from napari_c2lst.slides.microns import fit_array

        spots = slide.require_spots()
        fit = None if spots.array_rc is None else fit_array(spots.array_rc, spots.yx)
        if (
            fit is not None
            and spots.array_rc is not None
            and fit.residual < 0.3 * np.sqrt(abs(np.linalg.det(fit.matrix)))
        ):
            return cls(spots.array_rc, fit.matrix, fit.offset)
        pitch = _pitch(spots.yx, spot_size_px(slide))
        return cls(np.rint(spots.yx / pitch).astype(np.int64), np.eye(2) * pitch, np.zeros(2))

    def image(self, values: Values) -> Values:
        """(rows, columns) mean of the values (N,) in each pixel; NaN where there is none."""
        size = self.shape[0] * self.shape[1]
        total = np.bincount(self.pixel, weights=values, minlength=size).astype(np.float32) / self._spots
        there = np.zeros(size, dtype=bool)
        there[self.pixel] = True
        total[~there] = np.nan
        return total.reshape(self.shape).astype(np.float32)


def _pitch(yx: NDArray[np.float64], size_px: float) -> float:
    """Distance of neighbours in pixels, from some thousand spots; a spot's size where they lie on each other."""
    from scipy.spatial import cKDTree

    some = np.random.default_rng(0).permutation(len(yx))[:2000]
    nearest = cKDTree(yx).query(yx[some], k=2)[0][:, 1]
    pitch = float(np.median(nearest))
    return pitch if pitch > 0 else size_px


def _raster(
    slide: Slide, name: str, image: Values, raster: Any, limits: Limits, colormap: str, opacity: float, key: str
) -> LayerData:
    options = {
        "name": name,
        "colormap": colormap,
        "contrast_limits": limits,
        "opacity": opacity,
        "interpolation2d": "nearest",
        **placed(slide, key),
        "affine": affine_of_raster(slide, raster.matrix, raster.offset),
    }
    return image, options, "image"
