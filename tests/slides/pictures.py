"""Slides made of a picture alone, for tests of reading, tissue and stain."""

from __future__ import annotations

import csv
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_c2lst.slides.images.pyramid import Pyramid, halved

HAEMATOXYLIN = np.array([0.65, 0.70, 0.29])
EOSIN = np.array([0.07, 0.99, 0.11])


@dataclass(eq=False)
class PictureSlide:
    """As much of a slide as reading patches needs."""

    name: str
    path: Path
    pyramid: Pyramid
    mpp: float


class CountingArray:
    """An array in chunks that notes what is read of it, and cannot be read in some places."""

    def __init__(self, pixels: NDArray[np.uint8], broken: tuple[int, int] | None = None) -> None:
        self.pixels, self.broken = pixels, broken
        self.shape, self.dtype, self.ndim = pixels.shape, pixels.dtype, pixels.ndim
        self.reads: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        if self.pixels[key].size == 0:  # dask looks at the type first
            return self.pixels[key]
        place = (key[1].start or 0, key[2].start or 0)
        with self._lock:
            self.reads.append(place)
        if place == self.broken:
            raise OSError("unexpected end of file")
        return self.pixels[key]


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Random planes (3, h, w)."""
    return np.random.default_rng(seed).integers(0, 256, (3, height, width), dtype=np.uint8)


def slide_of(pixels: Any, *, chunk: int = 64, mpp: float = 1.0, levels: int = 1, name: str = "toy") -> PictureSlide:
    """A slide of planes (3, h, w), with halved levels."""
    arrays = [pixels]
    for _ in range(levels - 1):
        arrays.append(halved(arrays[-1]))
    lazy = [da.from_array(a, chunks=(3, chunk, chunk), name=False) for a in arrays]
    return PictureSlide(name, Path(f"{name}.zarr"), Pyramid.of_levels(lazy), mpp)


def stained(
    haematoxylin: NDArray[np.floating[Any]], eosin: NDArray[np.floating[Any]], glass: Any = (255, 255, 255)
) -> NDArray[np.uint8]:
    """A picture (..., 3) of two stains on glass, from their concentrations."""
    density = haematoxylin[..., None] * HAEMATOXYLIN + eosin[..., None] * EOSIN
    return np.rint(np.asarray(glass) * np.exp(-density)).astype(np.uint8)


def tissue_picture(height: int, width: int, seed: int = 0, glass: Any = (240, 240, 240)) -> NDArray[np.uint8]:
    """Nuclei on stroma (h, w, 3): blotches of haematoxylin on uneven eosin."""
    rng = np.random.default_rng(seed)
    coarse = rng.gamma(1.0, 0.5, (-(-height // 6), -(-width // 6)))
    nuclei = np.kron(np.where(coarse > 0.8, 1.6, 0.15), np.ones((6, 6)))[:height, :width]
    stroma = np.kron(0.25 + 0.3 * rng.random((-(-height // 9), -(-width // 9))), np.ones((9, 9)))[:height, :width]
    return stained(nuclei, stroma, glass)


@cache
def picture_file(path: Path, mpp: float, *, shrink: int = 1) -> PictureSlide:
    """A slide of a picture file; a JPEG can be decoded 2, 4 or 8 times smaller. Read once for all tests."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(path) as image:
        if shrink > 1:
            image.draft("RGB", (image.width // shrink, image.height // shrink))
        pixels = np.asarray(image.convert("RGB"))
    return slide_of(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)), chunk=512, mpp=mpp, name=path.stem)


def her2st(shared: Path, section: str) -> tuple[PictureSlide, NDArray[np.float64]]:
    """A section of her2st at a quarter of its resolution (2.75 um/px), and the centres of its spots."""
    folder = shared / "her2st" / section
    slide = picture_file(next(folder.glob("*.jpg")), 4 * 0.688, shrink=4)
    with (folder / f"{section}_selection.tsv").open() as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    return slide, np.array([[float(row["pixel_y"]), float(row["pixel_x"])] for row in rows]) / 4
