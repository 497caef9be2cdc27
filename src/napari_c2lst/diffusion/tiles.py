"""Tiles for pretraining: patches of folders of images and of slides, packed once into one memory-mapped array."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import atomic_file, check_free_space
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.seeds import rng
from napari_c2lst.slides.images.tissue import tissue_mask
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import PatchSpec, iter_spot_patches, stain_reference
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.stain.normalizer import StainNormalizer, StainReference

from .pretrain_settings import PretrainSettings

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
# an image of up to this many pixels a side is one tile, a larger one is a slide to cut tiles from
TILE_SIDE_MAX = 512
TILES_FOR_STAIN = 64


@dataclass(frozen=True)
class TileSources:
    """What the user's paths hold: tile images (each one patch) and slides (cut at random places)."""

    images: tuple[Path, ...]
    slides: tuple[Path, ...]


def find_sources(paths: Sequence[Path]) -> TileSources:
    """Sort paths into tile images and slides; a folder of images counts as its images.

    Raises
    ------
    InputError
        If a path does not exist, or there is nothing to learn from.
    """
    missing = [str(p) for p in paths if not p.exists()]
    if missing:
        raise InputError(f"no such path: {', '.join(missing)}", "check the names of the tile folders")
    images: list[Path] = []
    slides: list[Path] = []
    for path in paths:
        found = _images_in(path)
        if found:
            images += [f for f in found if _is_tile(f)]
            slides += [f for f in found if not _is_tile(f)]
        else:
            slides.append(path)
    if not images and not slides:
        raise InputError("there are no tiles to learn from", "give folders of images, or slides")
    return TileSources(tuple(images), tuple(slides))


def pack_tiles(settings: PretrainSettings, file: Path, reporter: Reporter) -> tuple[NDArray[np.uint8], PatchSpec]:
    """Cut, stain-normalise and pack all tiles into one `.npy` array.

    Returns
    -------
    tiles
        (N, px, px, 3) uint8, memory-mapped.
    spec
        Size, pixels and stain reference of the tiles: the central model's.
    """
    sources = find_sources(settings.tiles)
    spec = PatchSpec(patch_um=settings.patch_um, patch_px=settings.patch_px, stain=_reference(settings, sources))
    total = len(sources.images) + settings.tiles_per_slide * len(sources.slides)
    shape = (total, settings.patch_px, settings.patch_px, 3)
    # a memory map on a full disk would end the process: ask before
    check_free_space(file, int(np.prod(shape)))
    with atomic_file(file) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        done = 0
        for batch in _batches(settings, sources, spec, reporter):
            array[done : done + len(batch)] = batch
            done += len(batch)
            reporter.progress(done, total, "tiles")
        array.flush()
        del array
    return np.load(file, mmap_mode="r"), spec


def _batches(
    settings: PretrainSettings, sources: TileSources, spec: PatchSpec, reporter: Reporter
) -> Iterator[NDArray[np.uint8]]:
    for start in range(0, len(sources.images), 256):
        tiles = np.stack([_read_tile(f, spec.patch_px) for f in sources.images[start : start + 256]])
        yield tiles if spec.stain is None else StainNormalizer.from_reference(spec.stain).transform(tiles)
    for number, path in enumerate(sources.slides):
        slide = open_slide(path, mpp=settings.mpp)
        reporter.message(f"{slide.name}: {settings.tiles_per_slide} tiles, {slide.mpp:.3f} um/px")
        yx = random_tissue_positions(slide, settings.tiles_per_slide, spec.patch_um, settings.seed, number)
        # the way that spots' patches go later: the local models must meet what the central model has seen
        for _, patches in iter_spot_patches(slide, yx, spec, batch=512, workers=settings.workers):
            yield patches


def random_tissue_positions(
    slide: Slide, count: int, patch_um: float, seed: int, number: int = 0
) -> NDArray[np.float64]:
    """Centres (count, 2) in level-0 px of patches that lie on tissue with at least half of their area.

    Raises
    ------
    InputError
        If the slide has no tissue.
    """
    mask = tissue_mask(slide)
    rows, columns = np.nonzero(mask.mask)
    if len(rows) == 0:
        raise InputError(f"slide '{slide.name}' has no tissue that could be found", "check the image, or leave it out")
    draw = rng(seed, "tiles", number)
    side = patch_um / slide.mpp
    kept: list[NDArray[np.float64]] = []
    while sum(map(len, kept)) < count:
        pick = draw.integers(len(rows), size=count)
        centres = (np.stack([rows[pick], columns[pick]], 1) + draw.random((count, 2))) * mask.px
        enough = mask.fraction(centres, side) >= 0.5
        if not enough.any():
            raise InputError(
                f"slide '{slide.name}' has no tissue as large as a patch of {patch_um:g} um", "leave it out"
            )
        kept.append(centres[enough])
    return np.concatenate(kept)[:count]


def _reference(settings: PretrainSettings, sources: TileSources) -> StainReference | None:
    """The stain that all tiles are brought to: the given picture's, else the first slide's, else the tiles' own."""
    if settings.stain == "none":
        return None
    if settings.stain_reference is not None:
        pixels = _read_tile(settings.stain_reference, None)
        return StainNormalizer(settings.stain).fit(pixels, settings.stain_reference.stem).reference
    if sources.slides:
        slide = open_slide(sources.slides[0], mpp=settings.mpp)
        spec = PatchSpec(patch_um=settings.patch_um, patch_px=settings.patch_px)
        return stain_reference(slide, spec, settings.stain, workers=settings.workers)
    some = np.stack([_read_tile(f, settings.patch_px) for f in sources.images[:TILES_FOR_STAIN]])
    return StainNormalizer(settings.stain).fit(some).reference


def _images_in(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() in IMAGE_SUFFIXES else []
    found = sorted(f for f in path.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES)
    # a folder that holds counts as well is a slide of its own, not a folder of tiles
    other = any(f.name.endswith((".tsv.gz", ".h5", ".h5ad")) for f in path.iterdir())
    return [] if other else found


def _is_tile(file: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(file) as image:
            return max(image.size) <= TILE_SIDE_MAX
    except Image.DecompressionBombError:
        return False  # far larger than a tile
    except OSError as error:
        if file.suffix.lower() in {".tif", ".tiff"}:
            return False  # tiled and compressed TIFFs that Pillow does not know are opened as slides
        raise InputError(f"'{file}' is not an image that can be read", "remove it, or save it again") from error


def _read_tile(file: Path, px: int | None) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(file) as image:
        rgb = image.convert("RGB")
        side = min(rgb.size)
        left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
        square = rgb.crop((left, top, left + side, top + side))
        resized = square if px is None else square.resize((px, px), Image.Resampling.LANCZOS)
        return np.asarray(resized)
