"""Overlapping tiles over the tissue of a slide, on one grid of the network's pixels."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.finding import dilated
from napari_c2lst.slides.images.tissue import TissueMask, tissue_mask
from napari_c2lst.slides.slide import Slide

from .network import INPUT_PX, OUTPUT_PX, Mode

# Around the part of a tile that it answers for, nuclei are seen whole: 62 px at 0.25 um are 15 um. With the 46 px the
# network takes off, the input is a multiple of 8; that far in, zeros beyond the input matter no more.
MARGIN = {"fast": 62, "original": 64}
# Nuclei at the rim of tissue whose mask ends a little inside of them still count.
_RIM_UM = 16.0


@dataclass(frozen=True, eq=False)
class Tiling:
    """Tiles of a slide, all on the lattice of network pixels that begins at the image's corner.

    Attributes
    ----------
    origin
        (n, 2) int64 top and left of the part each tile answers for, in network pixels.
    core
        Side of that part.
    mode
        Of the network.
    px
        Level-0 pixels per network pixel.
    mpp
        Microns per network pixel.
    """

    origin: NDArray[np.int64]
    core: int
    mode: Mode
    px: float
    mpp: float

    def __len__(self) -> int:
        """Number of tiles."""
        return len(self.origin)

    @property
    def margin(self) -> int:
        """Pixels of the maps around the core."""
        return MARGIN[self.mode]

    @property
    def input_px(self) -> int:
        """Side of the network's input."""
        return self.core + 2 * self.margin + INPUT_PX[self.mode] - OUTPUT_PX[self.mode]

    def corners(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """(k, 2) row and column of the first network pixel that the network sees of tiles."""
        return self.origin[index] - (self.input_px - self.core) // 2

    def groups(self, size: int) -> list[NDArray[np.int64]]:
        """Tiles in groups of `size`, the unit of work; they depend on the tiling alone."""
        return [np.arange(start, min(start + size, len(self))) for start in range(0, len(self), size)]

    def some(self, index: NDArray[np.int64]) -> "Tiling":
        """A tiling of some of the tiles."""
        return replace(self, origin=self.origin[index])


def tissue_tiling(
    slide: Slide, mode: Mode, mpp: float, core: int, shift: tuple[int, int] = (0, 0)
) -> tuple[Tiling, TissueMask]:
    """Tiles wherever a slide has tissue, and its tissue with a rim.

    Parameters
    ----------
    slide
        With known microns per pixel.
    mode, mpp
        Of the network: its microns per pixel are those of the tiles.
    core
        Side of the part a tile answers for, a multiple of 8.
    shift
        Moves the grid up and left by so many network pixels, multiples of 8; results do not depend on it.

    Raises
    ------
    InputError
        If no tissue is found.
    """
    found = tissue_mask(slide)
    if not found.bits.any():
        raise InputError(
            f"no tissue was found on slide '{slide.name}'",
            "look at it with 'c2lst info'; is --mpp right, and is it an H&E image?",
        )
    rim = max(1, round(_RIM_UM / (found.px * slide.mpp)))
    tissue = TissueMask(dilated(found.bits, rim), found.px, found.glass)
    px = mpp / slide.mpp
    size = np.array(slide.pyramid.shape) / px
    rows, columns = (np.arange(-offset, stop, core) for offset, stop in zip(shift, size, strict=True))
    origin = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2).astype(np.int64)
    share = tissue.fraction((origin + core / 2) * px, core * px)
    return Tiling(origin[share > 0], core, mode, px, mpp), tissue


def cost_note(slide: Any, mpp: float, tiles: int) -> tuple[str, bool]:
    """How the slide's pixels and the weights' go together, and whether that is a warning."""
    factor = slide.mpp / mpp
    head = f"{tiles} tiles; the slide has {slide.mpp:.3g} um/px, the weights {mpp:.3g} um/px"
    if factor <= 1.05:
        return head, False
    cost = (
        f"{head}: it is enlarged {factor:.1f} times, which takes {factor**2:.1f} times as long as its own pixels would "
        "and adds no detail"
    )
    if slide.mpp > 1.0:
        return f"{cost}; above 1 um/px nuclei can hardly be told from each other: do not trust the result", True
    return f"{cost}; small and touching nuclei are missed more often", True


def padded_size(px: int, mode: Mode) -> int:
    """The smallest input that gives maps of at least `px`."""
    lost = INPUT_PX[mode] - OUTPUT_PX[mode]
    rest = 0 if mode == "fast" else 6
    return -(-(px + lost - rest) // 8) * 8 + rest
