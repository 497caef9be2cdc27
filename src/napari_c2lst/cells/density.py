"""How dark nuclei are: slides that are darker than what a network has learned from are lightened before it sees them.

Stains and scanners differ between laboratories; a network that has seen one of them leaves holes in nuclei that are
twice as dark. One factor on the optical density of a whole slide (Beer-Lambert) brings them near, and no tile depends
on another.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.seeds import rng
from napari_c2lst.slides.images.tissue import TissueMask
from napari_c2lst.slides.patches.cutting import read_patches

from .facts import CellFacts

GLASS = 0.1  # optical density below which a pixel shows no tissue
PERCENTILE = 97.0  # of tissue pixels; nuclei are the darkest few per cent
LIGHTEST = 0.4  # a factor below it would leave nothing to see
_BINS = np.linspace(0, np.log(256), 1025)
_PLACES, _PX = 512, 128


def density_of(images: Iterable[NDArray[np.uint8]]) -> float | None:
    """The 97th percentile of the optical density of tissue pixels.

    Parameters
    ----------
    images
        (H, W, 3) uint8 RGB each.

    Returns
    -------
    float or None
        Mean over the channels, natural logarithm; None where there is nothing but glass.
    """
    table = -np.log((np.arange(256) + 1) / 256)
    count = np.zeros(len(_BINS) - 1)
    for image in images:
        density = table[image].mean(axis=-1)
        count += np.histogram(density[density > GLASS], _BINS)[0]
    if not count.sum():
        return None
    reached = int(np.searchsorted(np.cumsum(count), count.sum() * PERCENTILE / 100))
    return float(_BINS[reached : reached + 2].mean())


def factor_for(known: float | None, found: float | None) -> float:
    """What to multiply densities by: less than 1 where they are above those a network knows, never more.

    Parameters
    ----------
    known
        `density_of` what the network has learned from; None when its weights do not say.
    found
        `density_of` what it is to see.
    """
    if known is None or found is None:
        return 1.0
    return round(float(np.clip(known / found, LIGHTEST, 1.0)), 2)


def slide_factor(slide: Any, facts: CellFacts, tissue: TissueMask) -> float:
    """`factor_for` a slide, from patches at places of its tissue that depend on nothing else."""
    places = np.argwhere(tissue.mask)
    if facts.density is None or not len(places):
        return 1.0
    drawn = rng(0, "density").choice(len(places), min(_PLACES, len(places)), replace=False)
    centres = (places[np.sort(drawn)] + 0.5) * tissue.px
    return factor_for(facts.density, density_of(read_patches(slide, centres, patch_um=_PX * facts.mpp, patch_px=_PX)))


def lightened(images: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Images (..., 3) uint8 with their optical densities times a factor; 1 gives them back."""
    if factor == 1.0:
        return images
    table = 256 * ((np.arange(256) + 1) / 256) ** factor - 1
    return np.clip(np.rint(table), 0, 255).astype(np.uint8)[images]


def density_note(factor: float) -> str | None:
    """What to tell the user; None when nothing is changed."""
    if factor == 1.0:
        return None
    return (
        f"nuclei are darker than those the weights have learned from: optical densities times {factor:g} before the "
        "network sees them (--density 1 leaves them)"
    )
