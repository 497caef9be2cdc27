"""How darkly nuclei are stained: slides that are darker than what a network has learned from are lightened for it.

Stains and scanners differ between laboratories; a network that has seen one of them misses nuclei that are twice as
dark, or whose haematoxylin is bluer. One factor on the optical density of each channel (Beer-Lambert), the same for a
whole slide, brings them near, and no tile depends on another.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.seeds import rng
from napari_c2lst.slides.images.tissue import TissueMask
from napari_c2lst.slides.patches.cutting import read_patches

from .facts import CellFacts, Density

AS_IT_IS: Density = (1.0, 1.0, 1.0)
GLASS = 0.1  # optical density, mean over the channels, below which a pixel shows no tissue
PERCENTILE = 97.0  # of tissue pixels; nuclei are the darkest few per cent
LIGHTEST = 0.4  # a factor below it would leave nothing to see
_BINS = np.linspace(0, np.log(256), 1025)
_PLACES, _PX = 512, 128


def density_of(images: Iterable[NDArray[np.uint8]]) -> Density | None:
    """The 97th percentile of the optical density of tissue pixels, of each channel.

    Parameters
    ----------
    images
        (H, W, 3) uint8 RGB each.

    Returns
    -------
    Density or None
        Natural logarithms for red, green and blue; None where there is nothing but glass.
    """
    table = -np.log((np.arange(256) + 1) / 256)
    count = np.zeros((3, len(_BINS) - 1))
    for image in images:
        density = table[image].reshape(-1, 3)
        tissue = density[density.mean(axis=1) > GLASS]
        count += [np.histogram(channel, _BINS)[0] for channel in tissue.T]
    if not count.any():
        return None
    red, green, blue = (_percentile(channel) for channel in count)
    return red, green, blue


def _percentile(count: NDArray[np.float64]) -> float:
    reached = int(np.searchsorted(np.cumsum(count), count.sum() * PERCENTILE / 100))
    return float(_BINS[reached : reached + 2].mean())


def factors_for(known: Density | None, found: Density | None) -> Density:
    """What to multiply densities by: less than 1 where they are above those a network knows, never more.

    Parameters
    ----------
    known
        `density_of` what the network has learned from; None when its weights do not say.
    found
        `density_of` what it is to see.
    """
    if known is None or found is None:
        return AS_IT_IS
    red, green, blue = (round(float(np.clip(k / f, LIGHTEST, 1.0)), 2) for k, f in zip(known, found, strict=True))
    return red, green, blue


def slide_factors(slide: Any, facts: CellFacts, tissue: TissueMask) -> Density:
    """`factors_for` a slide, from patches at places of its tissue that depend on nothing else."""
    count = tissue.bits.sum()
    if facts.density is None or not count:
        return AS_IT_IS
    drawn = rng(0, "density").choice(count, min(_PLACES, count), replace=False)
    centres = (tissue.bits.places(np.sort(drawn)) + 0.5) * tissue.px
    return factors_for(facts.density, density_of(read_patches(slide, centres, patch_um=_PX * facts.mpp, patch_px=_PX)))


def lightened(images: NDArray[np.uint8], factors: Density) -> NDArray[np.uint8]:
    """Images (..., 3) uint8 with the optical density of each channel times its factor; ones give them back."""
    if factors == AS_IT_IS:
        return images
    powers = 256 * ((np.arange(256)[:, None] + 1) / 256) ** np.array(factors) - 1
    table = np.clip(np.rint(powers), 0, 255).astype(np.uint8)
    return np.stack([table[images[..., channel], channel] for channel in range(3)], axis=-1)


def chosen_factors(given: float | None, measure: Callable[[], Density], reporter: Reporter) -> Density:
    """The factor the user gave for every channel, else those that are measured, told where they change something."""
    if given is not None:
        return given, given, given
    factors = measure()
    note = density_note(factors)
    if note:
        reporter.message(f"{note} before the network sees them (--density 1 leaves them)")
    return factors


def density_note(factors: Density) -> str | None:
    """What to tell the user; None when nothing is changed."""
    if factors == AS_IT_IS:
        return None
    red, green, blue = factors
    return (
        "nuclei are darker than those the weights have learned from: optical densities of red, green and blue times "
        f"{red:g}, {green:g} and {blue:g}"
    )
