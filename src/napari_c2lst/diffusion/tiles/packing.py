"""Cut, stain-normalise and pack tiles, once; duplicates are kept once, what cannot be read is told."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError, Stopped, first_line
from napari_c2lst.common.files import check_free_space, content_hash
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.seeds import rng
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.slides.images.tissue import tissue_mask
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import PatchSpec, iter_spot_patches, stain_reference
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.stain.normalizer import StainNormalizer, StainReference

from .packed import TILES, PackedTiles, read_packed, runs, write_facts
from .sources import TileImage, TileSources, find_sources
from .unfinished import NOTES, PART, UnfinishedTiles, unfinished_tiles

TILES_FOR_STAIN = 64
_BATCH = 256
_TOLD = 5  # bad files are told one by one up to here, then counted

Tiles: TypeAlias = NDArray[np.uint8]
Part: TypeAlias = Callable[[], Iterator[tuple[Tiles, str]]]
_COUNTED = ("parts", "seen", "duplicates")


def pack_tiles(settings: PretrainSettings, folder: Path, reporter: Reporter) -> PackedTiles:
    """Cut, stain-normalise and pack all tiles into `folder`.

    Raises
    ------
    InputError
        If there is nothing to learn from, or the disk has no room.
    Stopped
        If asked to stop; the same settings go on from there, as they do after a kill, and give the same tiles.
    """
    packing = _Packing(settings, find_sources(settings.tiles), reporter)
    # a full disk is found out before hours of cutting; what an earlier start has packed lies there already
    there = (folder / PART).stat().st_size if (folder / PART).exists() else 0
    check_free_space(folder / TILES, packing.total * settings.patch_px**2 * 3 - there)
    with unfinished_tiles(folder, settings.patch_px, packing.basis()) as unfinished:
        packing.go_on(unfinished)
        packing.fill(unfinished)
        if unfinished.count == 0:
            raise InputError(f"no tile could be used: {'; '.join(packing.skipped[:3])}", "give other folders or slides")
        file = unfinished.whole()
    packing.tell()
    (folder / TILES).unlink(missing_ok=True)  # of facts that are gone: new facts must not be taken for theirs
    write_facts(folder, packing.spec, packing.slides, packing.names, packing.skipped, packing.duplicates)
    file.rename(folder / TILES)
    (folder / NOTES).unlink(missing_ok=True)
    packed = read_packed(folder)
    assert packed is not None
    return packed


class _Packing:
    """What is known while tiles are packed."""

    def __init__(self, settings: PretrainSettings, sources: TileSources, reporter: Reporter) -> None:
        self.settings = settings
        self.sources = sources
        self.reporter = reporter
        self.skipped = list(sources.skipped)
        self.total = len(sources.images) + settings.tiles_per_slide * len(sources.slides)
        stain = _reference(settings, sources)
        self.spec = PatchSpec(patch_um=settings.patch_um, patch_px=settings.patch_px, stain=stain)
        self.names: list[str] = []
        self.slides: list[int] = []
        self.seen = 0
        self.duplicates = 0
        self.parts_done = 0
        self._digests: set[bytes] = set()

    def basis(self) -> dict[str, Any]:
        """What the packed tiles depend on."""
        chosen = {"patch_um", "patch_px", "mpp", "tiles_per_slide", "seed"}
        files = [(str(image.path.absolute()), image.slide, image.path.stat().st_size) for image in self.sources.images]
        return {
            "settings": self.settings.model_dump(mode="json", include=chosen),
            "spec": self.spec.model_dump(mode="json"),
            "images": content_hash([json.dumps(files).encode()]),
            "slides": [str(path.absolute()) for path in self.sources.slides],
        }

    def go_on(self, unfinished: UnfinishedTiles) -> None:
        """Take up what a run that was stopped or killed has packed."""
        notes = unfinished.notes
        if not notes:
            return
        self.parts_done, self.seen, self.duplicates = (int(notes[name]) for name in _COUNTED)
        self.names, self.skipped = list(notes["names"]), list(notes["skipped"])
        self.slides = [index for index, count in notes["slides"] for _ in range(count)]
        for tiles in unfinished.tiles():
            self._digests.update(map(_digest, tiles))
        self.reporter.going_on(f"after {self.seen} of {self.total} tiles")

    def fill(self, unfinished: UnfinishedTiles) -> None:
        """Pack the parts that are left."""
        with ThreadPoolExecutor(self.settings.workers) as pool:
            for part in islice(self._parts(pool), self.parts_done, None):
                for tiles, slide in part():
                    if self.reporter.stop_requested():
                        raise Stopped("stopped while tiles were packed", "the same command goes on from here")
                    fresh = self.fresh(tiles)
                    unfinished.append(tiles[fresh])
                    if fresh.any():  # a slide whose tiles are all of another one is no slide to hold out
                        self.slides += [self._number(slide)] * int(fresh.sum())
                    self.reporter.progress(self.seen, self.total, "tiles")
                self.parts_done += 1
                unfinished.keep(self._notes())

    def _notes(self) -> dict[str, Any]:
        counts = (self.parts_done, self.seen, self.duplicates)
        notes = dict(zip(_COUNTED, counts, strict=True))
        return {**notes, "names": self.names, "skipped": self.skipped, "slides": runs(self.slides)}

    def _parts(self, pool: ThreadPoolExecutor) -> Iterator[Part]:
        """What is packed as a whole or again: some images of a slide, or the tiles cut from one slide."""
        for slide in Counter(image.slide for image in self.sources.images):
            images = [image for image in self.sources.images if image.slide == slide]
            for start in range(0, len(images), _BATCH):
                yield partial(self._of_images, slide, images[start : start + _BATCH], pool)
        for number, path in enumerate(self.sources.slides):
            yield partial(self._of_slide, number, path)

    def fresh(self, tiles: Tiles) -> NDArray[np.bool_]:
        """(n,) tiles that were not packed before."""
        fresh = np.zeros(len(tiles), bool)
        for i, digest in enumerate(map(_digest, tiles)):
            fresh[i] = digest not in self._digests
            self._digests.add(digest)
        self.duplicates += int((~fresh).sum())
        self.seen += len(tiles)
        return fresh

    def tell(self) -> None:
        """Say what was left out."""
        for reason in self.skipped[:_TOLD]:
            self.reporter.message(f"left out: {reason}", "warning")
        if len(self.skipped) > _TOLD:
            self.reporter.message(f"and {len(self.skipped) - _TOLD} more were left out (tiles.json)", "warning")
        if self.duplicates:
            self.reporter.message(f"{self.duplicates} tiles were there twice and are kept once")

    def _number(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    def _of_images(
        self, slide: str, images: Sequence[TileImage], pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Tiles, str]]:
        tiles = self._read(images, pool)
        if len(tiles):
            yield self._normalised(tiles), slide

    def _read(self, images: Sequence[TileImage], pool: ThreadPoolExecutor) -> Tiles:
        """The images that can be read, (n, px, px, 3); the others are noted."""
        px = self.settings.patch_px
        kept = []
        for image, tile in zip(images, pool.map(lambda i: _try_tile(i.path, px), images), strict=True):
            if isinstance(tile, str):
                self.skipped.append(f"'{image.path}' cannot be read: {tile}")
                self.seen += 1
            else:
                kept.append(tile)
        return np.stack(kept) if kept else np.empty((0, px, px, 3), np.uint8)

    def _normalised(self, tiles: Tiles) -> Tiles:
        stain = self.spec.stain
        return tiles if stain is None else StainNormalizer.from_reference(stain).transform(tiles)

    def _of_slide(self, number: int, path: Path) -> Iterator[tuple[Tiles, str]]:
        s = self.settings
        try:
            slide = open_slide(path, mpp=s.mpp)
            self.reporter.message(f"{slide.name}: {s.tiles_per_slide} tiles, {slide.mpp:.3f} um/px")
            yx = random_tissue_positions(slide, s.tiles_per_slide, self.spec.patch_um, s.seed, number)
            # the way that spots' patches go later: the local models must meet what the central model has seen
            for _, patches in iter_spot_patches(slide, yx, self.spec, batch=512, workers=s.workers):
                yield patches, slide.name
        except (InputError, OSError) as error:
            if len(self.sources.slides) == 1 and not self.sources.images:
                raise
            text = error.message if isinstance(error, InputError) else str(error)
            self.skipped.append(f"'{path}': {text}")


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
    inside = mask.bits.sum()
    if inside == 0:
        raise InputError(f"slide '{slide.name}' has no tissue that could be found", "check the image, or leave it out")
    draw = rng(seed, "tiles", number)
    side = patch_um / slide.mpp
    kept: list[NDArray[np.float64]] = []
    while sum(map(len, kept)) < count:
        pick = draw.integers(inside, size=count)
        centres = (mask.bits.places(pick) + draw.random((count, 2))) * mask.px
        enough = mask.fraction(centres, side) >= 0.5
        if not enough.any():
            raise InputError(
                f"slide '{slide.name}' has no tissue as large as a patch of {patch_um:g} um", "leave it out"
            )
        kept.append(centres[enough])
    return np.concatenate(kept)[:count]


def _reference(settings: PretrainSettings, sources: TileSources) -> StainReference | None:
    """The stain of all tiles: the given picture's, else of the first slide that can be used, else the tiles' own."""
    if settings.stain == "none":
        return None
    file = settings.stain_reference
    if file is not None:
        pixels = _try_tile(file, None)
        if isinstance(pixels, str):
            raise InputError(
                f"the stain reference '{file}' cannot be read: {pixels}", "give an image of stained tissue"
            )
        return StainNormalizer(settings.stain).fit(pixels, file.stem).reference
    spec = PatchSpec(patch_um=settings.patch_um, patch_px=settings.patch_px)
    faults: list[InputError | OSError] = []
    for path in sources.slides:
        try:
            slide = open_slide(path, mpp=settings.mpp)
            return stain_reference(slide, spec, settings.stain, workers=settings.workers)
        except (InputError, OSError) as error:
            faults.append(error)
    tried = (_try_tile(image.path, settings.patch_px) for image in sources.images[: 4 * TILES_FOR_STAIN])
    some = [tile for tile in tried if not isinstance(tile, str)][:TILES_FOR_STAIN]
    if not some:
        unread = InputError("none of the first images can be read", "check the folder, or leave it out")
        raise faults[0] if faults else unread
    return StainNormalizer(settings.stain).fit(np.stack(some)).reference


def _digest(tile: Tiles) -> bytes:
    return blake2b(np.ascontiguousarray(tile).tobytes(), digest_size=16).digest()


def _try_tile(file: Path, px: int | None) -> Tiles | str:
    """The tile, or why it cannot be read."""
    try:
        return read_tile(file, px)
    except Exception as error:  # Pillow raises OSError, SyntaxError, struct.error, DecompressionBombError, ...
        return first_line(error)


def read_tile(file: Path, px: int | None) -> Tiles:
    """The middle square of an image as (px, px, 3) uint8; px None leaves its pixels."""
    from PIL import Image

    with Image.open(file) as image:
        rgb = image.convert("RGB")
        side = min(rgb.size)
        left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
        square = rgb.crop((left, top, left + side, top + side))
        resized = square if px is None else square.resize((px, px), Image.Resampling.LANCZOS)
        return np.asarray(resized)
