"""What all figures share: type, colours, scale bars, the tissue behind the spots, and how a figure is saved.

Figures are made without pyplot, so drawing leaves no state behind and needs no screen. Lengths are microns, positions
are (y, x) in microns from the image's top-left corner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from textwrap import wrap
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from napari_c2lst.common.files import atomic_file

__all__ = [
    "INK",
    "MUTED",
    "FigureFiles",
    "Tissue",
    "add_discs",
    "add_scale_bar",
    "add_tissue",
    "add_title",
    "drawn",
    "new_figure",
    "save",
]

P = ParamSpec("P")
R = TypeVar("R")
Positions = npt.NDArray[np.floating[Any]]

INK, MUTED = "#222222", "#6b6b6b"
LETTERS_AN_INCH = 11.5  # of a title
DPI = 150  # a 7 inch figure is 1050 px wide: sharp at the width of a README
STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same figure everywhere
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "c2lst",  # the same input gives the same file
    "image.interpolation": "antialiased",
}
ROUND_UM = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


@dataclass(frozen=True)
class Tissue:
    """The picture behind the spots.

    Attributes
    ----------
    image
        (h, w, 3) uint8, a coarse level of the slide.
    um_per_px
        Microns per pixel of that picture.
    """

    image: npt.NDArray[np.uint8]
    um_per_px: float


@dataclass(frozen=True)
class FigureFiles:
    """Where a figure was written."""

    png: Path
    svg: Path


def drawn(make: Callable[P, R]) -> Callable[P, R]:
    """Decorate a figure function: inside it the project's type and colours hold, outside nothing changes."""

    @wraps(make)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(STYLE):
            return make(*args, **kwargs)

    return inside


def new_figure(width: float, height: float) -> Figure:
    """An empty white figure of width x height inches that needs no screen."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def add_title(figure: Figure, text: str) -> None:
    """A bold title at the top left, on as many lines as the figure's width asks for."""
    wide = max(20, int(figure.get_figwidth() * LETTERS_AN_INCH))
    figure.suptitle("\n".join(wrap(text, wide)), x=0.01, ha="left", size=11, weight="bold")


@drawn
def save(figure: Figure, folder: Path, name: str) -> FigureFiles:
    """Write `name`.png and `name`.svg into `folder`, each whole or not at all."""
    files = FigureFiles(Path(folder) / f"{name}.png", Path(folder) / f"{name}.svg")
    figure.draw_without_rendering()  # lay out once, not for each file
    figure.set_layout_engine("none")
    for path in (files.png, files.svg):
        kind = path.suffix.removeprefix(".")
        metadata = {"Date": None} if kind == "svg" else {"Software": "napari-c2lst"}
        with atomic_file(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=DPI, metadata=metadata)
    return files


def add_tissue(axes: Axes, tissue: Tissue | None, yx_um: Positions, *, margin_um: float, fade: float = 0.0) -> None:
    """Draw the tissue around the spots, in microns, cropped to the spots and a margin.

    Parameters
    ----------
    fade
        0 shows the picture as it is, 1 shows white: colours on top read better on a pale, grey ground.
    """
    low, high = yx_um.min(axis=0) - margin_um, yx_um.max(axis=0) + margin_um
    if tissue is not None:
        image, (top, left) = _crop(tissue, low, high)
        h, w = image.shape[:2]
        extent = (left, left + w * tissue.um_per_px, top + h * tissue.um_per_px, top)
        if image.size:  # a picture may end before the spots do
            axes.imshow(_faded(image, fade), extent=extent)
    axes.set_xlim(low[1], high[1])
    axes.set_ylim(high[0], low[0])  # rows run downwards
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def add_discs(axes: Axes, yx_um: Positions, diameter_um: float, **style: Any) -> PatchCollection:
    """Draw spots as discs of their true size; `style` goes to matplotlib's PatchCollection."""
    discs = PatchCollection([Circle((x, y), diameter_um / 2) for y, x in yx_um], **style)
    axes.add_collection(discs)
    return discs


def add_scale_bar(axes: Axes, width_um: float, *, share: float = 0.25) -> None:
    """A bar of a round length, about `share` of the view's width, just below the picture, with its length in words."""
    length = max((um for um in ROUND_UM if um <= share * width_um), default=ROUND_UM[0])
    left = min(axes.get_xlim())
    place = axes.get_xaxis_transform()  # x in microns, y in shares of the axes
    bar: Any = {"color": INK, "linewidth": 2.5, "solid_capstyle": "butt", "clip_on": False}
    axes.plot([left, left + length], [-0.03, -0.03], transform=place, **bar)
    text = f"{length} µm" if length < 1000 else f"{length // 1000} mm"
    axes.text(left + 1.06 * length, -0.03, text, transform=place, ha="left", va="center", size=8)


def _crop(tissue: Tissue, low: Positions, high: Positions) -> tuple[npt.NDArray[np.uint8], tuple[float, float]]:
    """The part of the picture between two corners (um), and where its top-left corner lies (um)."""
    um = tissue.um_per_px
    start = np.maximum(np.floor(low / um), 0).astype(int)
    stop = np.maximum(np.ceil(high / um), start + 1).astype(int)
    part = tissue.image[start[0] : stop[0], start[1] : stop[1]]
    return part, (float(start[0] * um), float(start[1] * um))


def _faded(image: npt.NDArray[np.uint8], fade: float) -> npt.NDArray[np.uint8]:
    """The picture as it is (0), or ever paler and greyer."""
    if fade == 0:
        return image
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)
    pale: npt.NDArray[np.uint8] = (fade * 255 + (1 - fade) * grey).astype(np.uint8)
    return pale
