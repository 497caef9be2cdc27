"""Patches of tissue: squares of so many microns around points of a slide, resampled to the pixels of a model."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.chunks import ChunkReader, in_order, worker_count
from napari_c2lst.slides.regions import WHITE, Regions
from napari_c2lst.slides.slide_stain import SlideStain, slide_stain, white_sample
from napari_c2lst.slides.stain import Method, StainNormalizer, StainReference

Patches = NDArray[np.uint8]
Indices = NDArray[np.int64]

_TOGETHER = 32  # patches that one thread resamples at a time
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
        When the slide has no microns per pixel, the centres are no (N, 2) finite numbers, or a stored chunk cannot be read.
    """
    out = np.empty((len(yx), patch_px, patch_px, 3), np.uint8)
    for indices, patches in iter_patches(slide, yx, patch_um=patch_um, patch_px=patch_px, batch=256, workers=workers):
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
    """
    centres = _checked_centres(yx)
    index = slide.pyramid.level_for(patch_um / patch_px, slide.mpp)
    factor = slide.pyramid.downsample[index]
    regions = Regions.around(centres / factor, patch_um / slide.mpp / factor, patch_px)
    reader = ChunkReader(slide.pyramid.levels[index], _where(slide, index))
    return _batches(_Stream(reader, regions, patch_px, worker_count(workers)).run(), patch_px, batch)


def spot_patches(slide: Any, yx: NDArray[np.floating[Any]], spec: PatchSpec, *, workers: int | None = None) -> Patches:
    """Read patches as a model wants them: of its size, and in the stain it knows.

    Parameters
    ----------
    slide, yx, workers
        As in `read_patches`.
    spec
        The model's patches. With a stain reference, the slide's own glass and stains are estimated once from a sample of its
        tissue, kept with the slide, and the same for every patch.

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


class _Stream:
    """One pass over the chunks that the regions need."""

    def __init__(self, reader: ChunkReader, regions: Regions, px: int, workers: int) -> None:
        self.reader, self.regions, self.px, self.workers = reader, regions, px, workers
        self.alone: dict[int, list[int]] = defaultdict(list)  # chunk -> regions that lie in it wholly
        self.shared: dict[int, list[int]] = defaultdict(list)  # chunk -> regions it has a part of
        self.ends: dict[int, list[int]] = defaultdict(list)  # chunk -> shared regions it is the last one of
        self.nowhere: list[int] = []  # regions beside the image
        self._plan()

    def _plan(self) -> None:
        height, width = self.reader.top[-1], self.reader.left[-1]
        inside = (self.regions.first >= 0).all(axis=1) & (self.regions.last <= (height, width)).all(axis=1)
        first = np.maximum(self.regions.first, 0)
        last = np.minimum(self.regions.last, (height, width)) - 1
        beside = (last < first).any(axis=1)
        r0, r1 = (np.searchsorted(self.reader.top, e[:, 0], "right") - 1 for e in (first, last))
        c0, c1 = (np.searchsorted(self.reader.left, e[:, 1], "right") - 1 for e in (first, last))
        columns = self.reader.columns
        for i in range(len(first)):
            if beside[i]:
                self.nowhere.append(i)
            elif inside[i] and r0[i] == r1[i] and c0[i] == c1[i]:
                self.alone[int(r0[i] * columns + c0[i])].append(i)
            else:
                for row in range(r0[i], r1[i] + 1):
                    for column in range(c0[i], c1[i] + 1):
                        self.shared[row * columns + column].append(i)
                self.ends[int(r1[i] * columns + c1[i])].append(i)

    def run(self) -> Iterator[tuple[list[int], Patches]]:
        """Patches in the order of the last chunk that each needs."""
        if self.nowhere:
            yield self.nowhere, np.full((len(self.nowhere), self.px, self.px, 3), WHITE, np.uint8)
        chunks = sorted(self.alone.keys() | self.shared.keys())
        if not chunks:
            return
        self.reader.expect(np.array(chunks))
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="patches")
        try:
            yield from self._run(pool, chunks)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, pool: ThreadPoolExecutor, chunks: list[int]) -> Iterator[tuple[list[int], Patches]]:
        canvases: dict[int, Patches] = {}
        waiting: deque[tuple[list[int], Future[Patches]]] = deque()
        for chunk, pixels in in_order(pool, self.reader.read, chunks, ahead=self.workers + 1):
            corner = self.reader.corner(chunk)
            for i in self.shared[chunk]:
                canvas = canvases.setdefault(i, self.regions.blank(i)) if i not in canvases else canvases[i]
                self.regions.copy_into(canvas, i, pixels, *corner)
            for job in _groups(self.alone[chunk]):
                waiting.append((job, pool.submit(self._cut, job, pixels, corner)))
                while len(waiting) > 2 * self.workers:
                    yield _done(waiting)
            for job in _groups(self.ends[chunk]):
                waiting.append((job, pool.submit(self._finish, job, [canvases.pop(i) for i in job])))
                while len(waiting) > 2 * self.workers:
                    yield _done(waiting)
        while waiting:
            yield _done(waiting)

    def _cut(self, job: list[int], pixels: Patches, corner: tuple[int, int]) -> Patches:
        out = np.empty((len(job), self.px, self.px, 3), np.uint8)
        for place, i in enumerate(job):
            canvas = self.regions.blank(i)
            self.regions.copy_into(canvas, i, pixels, *corner)
            out[place] = self.regions.resample(canvas, i, self.px)
        return out

    def _finish(self, job: list[int], canvases: list[Patches]) -> Patches:
        return np.stack([self.regions.resample(canvas, i, self.px) for i, canvas in zip(job, canvases, strict=True)])


def _done(waiting: deque[tuple[list[int], Future[Patches]]]) -> tuple[list[int], Patches]:
    job, future = waiting.popleft()
    return job, future.result()


def _groups(indices: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(indices), _TOGETHER):
        yield indices[start : start + _TOGETHER]


def _batches(stream: Iterator[tuple[list[int], Patches]], px: int, batch: int) -> Iterator[tuple[Indices, Patches]]:
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
