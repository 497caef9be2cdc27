"""Patches of tissue: squares of so many microns around points of a slide, resampled to the pixels of a model."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.chunks import ChunkReader, worker_count
from napari_c2lst.slides.stain.normalizer import Method, StainNormalizer, StainReference
from napari_c2lst.slides.stain.of_slide import SlideStain, slide_stain, white_sample

from .regions import Regions
from .stream import PatchStream, Some

Patches = NDArray[np.uint8]
Indices = NDArray[np.int64]

_COARSE = 1.05  # a slide this much coarser than the model is worth a note


class PatchSpec(BaseModel):
    """What a model's patches are; stored with the model.

    Attributes
    ----------
    patch_um
        Side of a patch in microns.
    patch_px
        Side of a patch in pixels.
    stain
        Reference the patches are stain-normalised to; None leaves their colours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    patch_um: float = Field(default=112.0, gt=0, allow_inf_nan=False)
    patch_px: int = Field(default=64, ge=4, le=4096)
    stain: StainReference | None = None

    @property
    def mpp(self) -> float:
        """Microns per pixel of a patch."""
        return self.patch_um / self.patch_px


def read_patches(
    slide: Any, yx: NDArray[np.floating[Any]], *, patch_um: float, patch_px: int, workers: int | None = None
) -> Patches:
    """Read patches around many points in one go.

    Parameters
    ----------
    slide
        An open `Slide` with a known size of its pixels.
    yx
        (N, 2) centres, level-0 pixels.
    patch_um, patch_px
        Side of a patch, in microns and in pixels.
    workers
        Threads; None: one for each core.

    Returns
    -------
    (N, patch_px, patch_px, 3) uint8, in the order of `yx`; white beyond the image.

    Raises
    ------
    InputError
        When the slide has no microns per pixel, a centre is not two finite numbers, a patch has no size, or a stored
        chunk cannot be read.
    """
    out = np.empty((len(yx), patch_px, patch_px, 3), np.uint8)
    for indices, patches in _stream(slide, yx, patch_um, patch_px, workers):
        out[indices] = patches
    return out


def iter_patches(
    slide: Any,
    yx: NDArray[np.floating[Any]],
    *,
    patch_um: float,
    patch_px: int,
    batch: int,
    workers: int | None = None,
) -> Iterator[tuple[Indices, Patches]]:
    """Stream patches in the order in which the storage gives them; memory does not grow with their number.

    Every stored chunk is decoded once, in parallel; the order is the same in every run and for any number of workers.

    Parameters
    ----------
    slide, yx, patch_um, patch_px, workers
        As in `read_patches`.
    batch
        Patches yielded at a time; the last batch may be smaller.

    Yields
    ------
    indices
        (n,) rows of `yx`.
    patches
        (n, patch_px, patch_px, 3) uint8.

    Raises
    ------
    InputError
        As in `read_patches`, and for batches of nothing.
    """
    if batch < 1:
        raise InputError(f"batches of {batch} patches cannot be read", "read at least one patch at a time")
    return _batches(_stream(slide, yx, patch_um, patch_px, workers), patch_px, batch)


def spot_patches(slide: Any, yx: NDArray[np.floating[Any]], spec: PatchSpec, *, workers: int | None = None) -> Patches:
    """Read patches as a model wants them: of its size, and in the stain it knows.

    Parameters
    ----------
    slide, yx, workers
        As in `read_patches`.
    spec
        The model's patches. With a stain reference, the slide's own glass and stains are estimated once from a sample
        of its tissue, kept with the slide, and the same for every patch.

    Returns
    -------
    (N, px, px, 3) uint8.
    """
    out = np.empty((len(yx), spec.patch_px, spec.patch_px, 3), np.uint8)
    for indices, patches in iter_spot_patches(slide, yx, spec, batch=256, workers=workers):
        out[indices] = patches
    return out


def iter_spot_patches(
    slide: Any, yx: NDArray[np.floating[Any]], spec: PatchSpec, *, batch: int, workers: int | None = None
) -> Iterator[tuple[Indices, Patches]]:
    """`iter_patches`, stain-normalised as the spec says."""
    stream = iter_patches(slide, yx, patch_um=spec.patch_um, patch_px=spec.patch_px, batch=batch, workers=workers)
    if spec.stain is None:
        yield from stream
        return
    stain = stain_of(slide, spec, workers=workers)
    normalizer = StainNormalizer.from_reference(spec.stain)
    for indices, patches in stream:
        yield indices, stain.normalise(patches, normalizer)


def stain_of(slide: Any, spec: PatchSpec, *, workers: int | None = None) -> SlideStain:
    """The slide's own stain as `spot_patches` uses it; estimated once and kept with the slide."""
    method: Method = spec.stain.method if spec.stain else "macenko"
    return slide_stain(slide, method, spec.patch_um, _reader(slide, spec, workers))


def stain_reference(
    slide: Any, spec: PatchSpec, method: Method = "macenko", *, workers: int | None = None
) -> StainReference:
    """Make a slide the stain reference of new models.

    Parameters
    ----------
    slide
        An open `Slide`; a deterministic sample of its tissue is read.
    spec
        Size of the patches; its stain is not looked at.
    method
        Kind of the reference.
    workers
        As in `read_patches`.

    Raises
    ------
    InputError
        When the slide has no stained tissue.
    """
    _, sample = white_sample(slide, spec.patch_um, _reader(slide, spec, workers))
    return StainNormalizer(method).fit(sample, name=slide.name).reference


def _reader(slide: Any, spec: PatchSpec, workers: int | None) -> Callable[[NDArray[np.float64]], Patches]:
    size = {"patch_um": spec.patch_um, "patch_px": spec.patch_px}
    return lambda yx: read_patches(slide, yx, workers=workers, **size)  # type: ignore[arg-type]


def coarseness_note(slide: Any, spec: PatchSpec) -> str | None:
    """What to tell the user when the slide has fewer pixels than the model's patches; None when it has enough."""
    factor = slide.mpp / spec.mpp
    if factor <= _COARSE:
        return None
    return (
        f"slide '{slide.name}' is {slide.mpp:.3g} um/px, coarser than the model's {spec.mpp:.3g} um/px: "
        f"patches are enlarged {factor:.1f}x, fine detail is not there"
    )


def _stream(slide: Any, yx: NDArray[np.floating[Any]], um: float, px: int, workers: int | None) -> PatchStream:
    centres = _checked_centres(yx)
    if not (np.isfinite(um) and um > 0 and px > 0):
        raise InputError(f"a patch of {um:g} um and {px} px cannot be", "give a side above 0 in both")
    index = slide.pyramid.level_for(um / px, slide.mpp)
    factor = slide.pyramid.downsample[index]
    regions = Regions.around(centres / factor, um / slide.mpp / factor, px)
    return PatchStream(ChunkReader(slide.pyramid.levels[index], _where(slide, index)), regions, worker_count(workers))


def _batches(stream: Iterable[Some], px: int, batch: int) -> Iterator[tuple[Indices, Patches]]:
    indices, patches, filled = np.empty(batch, np.int64), np.empty((batch, px, px, 3), np.uint8), 0
    for some, pixels in stream:
        taken = 0
        while taken < len(some):
            n = min(batch - filled, len(some) - taken)
            indices[filled : filled + n] = some[taken : taken + n]
            patches[filled : filled + n] = pixels[taken : taken + n]
            taken, filled = taken + n, filled + n
            if filled == batch:
                yield indices, patches
                indices, patches, filled = np.empty_like(indices), np.empty_like(patches), 0
    if filled:
        yield indices[:filled], patches[:filled]


def _checked_centres(yx: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    centres = np.asarray(yx, np.float64)
    if centres.size == 0:
        return centres.reshape(0, 2)
    if centres.ndim != 2 or centres.shape[1] != 2 or not np.isfinite(centres).all():
        raise InputError(
            f"patch centres must be finite numbers (N, 2) as (y, x), not {centres.shape}",
            hint="give level-0 pixel positions",
        )
    return centres


def _where(slide: Any, index: int) -> str:
    return f"image of slide '{slide.name}' ({slide.path}), level {index}"
