"""The stain of a whole slide: colours of its glass and its stains, from a sample of its tissue, kept with the slide."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.seeds import rng
from napari_c2lst.slides.images.tissue import Colour, grid_positions, tissue_mask

from .batches import is_tensor
from .normalizer import Method, StainNormalizer, StainValues

if TYPE_CHECKING:
    from torch import Tensor

Patches: TypeAlias = NDArray[np.uint8]
ArrayOrTensor = TypeVar("ArrayOrTensor", NDArray[np.uint8], "Tensor")

_SAMPLE = 200  # patches: the second decimal of the values no longer moves
_MOST_TISSUE = 0.5  # only patches that are mostly tissue


@dataclass(frozen=True)
class SlideStain:
    """What stain normalisation needs to know of a slide.

    Attributes
    ----------
    glass
        Colour of empty glass, 0..255; None when none is seen.
    values
        Stain values of its tissue over white glass; None when there is nothing stained.
    """

    glass: Colour | None
    values: StainValues | None

    def normalise(self, patches: ArrayOrTensor, normalizer: StainNormalizer) -> ArrayOrTensor:
        """Patches (N, H, W, 3) of this slide in the normalizer's stain; unchanged where there is nothing stained.

        A tensor is worked on where it lies, and comes back as one.
        """
        if self.values is None:
            return patches
        return normalizer.transform(over_white(patches, self.glass), self.values)


@overload
def over_white(patches: Patches, glass: Colour | None) -> Patches: ...


@overload
def over_white(patches: "Tensor", glass: Colour | None) -> "Tensor": ...


def over_white(patches: Any, glass: Colour | None) -> Any:
    """The same stain over white glass, since stain separation takes white as no stain at all.

    Dim, grey or tinted glass would count as stained and shift every stain colour.
    """
    if glass is None:
        return patches
    if is_tensor(patches):
        from . import tensors

        return tensors.over_white(patches, glass)
    if not patches.size:
        return patches
    scale = 255 / np.maximum(np.array(glass), 1)
    table = np.clip(np.arange(256) * scale[:, None] + 0.5, 0, 255).astype(np.uint8)  # (3, 256)
    picture = Image.fromarray(patches.reshape(-1, patches.shape[-2], 3))
    return np.asarray(picture.point(table.ravel().tolist())).reshape(patches.shape)


def slide_stain(
    slide: Any, method: Method, patch_um: float, read: Callable[[NDArray[np.float64]], Patches]
) -> SlideStain:
    """Stain of a slide, the same in every run.

    Parameters
    ----------
    slide
        An open `Slide`; the result is kept on it.
    method
        How to estimate the values.
    patch_um
        Side of the patches that `read` gives, in microns.
    read
        Reads patches at (n, 2) positions.
    """
    kept: dict[tuple[str, float], SlideStain] = slide.__dict__.setdefault("_stains", {})
    key = (method, patch_um)
    if key not in kept:
        glass, sample = white_sample(slide, patch_um, read)
        kept[key] = SlideStain(glass, _values(method, sample))
    return kept[key]


def white_sample(
    slide: Any, patch_um: float, read: Callable[[NDArray[np.float64]], Patches]
) -> tuple[Colour | None, Patches]:
    """The glass of a slide, and a sample of its tissue over white glass."""
    glass = tissue_mask(slide).glass
    return glass, over_white(read(sample_positions(slide, patch_um)), glass)


def sample_positions(slide: Any, patch_um: float, count: int = _SAMPLE) -> NDArray[np.float64]:
    """At most `count` positions (y, x) on tissue, spread at random over the slide but always the same ones."""
    mask = tissue_mask(slide)
    positions = grid_positions(slide, mask, patch_um, patch_um, least=_MOST_TISSUE)
    if len(positions) > count:
        chosen = rng(0, "slide stain").choice(len(positions), count, replace=False)
        positions = positions[np.sort(chosen)]
    return positions


def _values(method: Method, patches: Patches) -> StainValues | None:
    if len(patches) == 0:
        return None
    try:
        return StainNormalizer(method).estimate(patches)
    except InputError:  # nothing stained: the patches are left as they are
        return None
