"""Make a large slide of real tissue texture, as a scanner would store it, to measure on.

    python benchmarks/large_slide.py ../shared/data/hne-monuseg/images large.ome.tif
    c2lst convert large.ome.tif large.zarr

The pictures of a folder (all of one size, a multiple of 8 px) are laid side by side, each turned and mirrored at
random, to 40,000 x 40,000 px at 0.25 um/px: a pyramidal OME-TIFF of JPEG tiles of 512 px with four levels.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

SIDE, MPP, TILE, LEVELS, QUALITY = 40_000, 0.25, 512, 4, 85


def pictures_of(folder: Path, level: int) -> list[np.ndarray]:
    """Pictures as they look on a level, (h, w, 3) each."""
    found = [Image.open(path).convert("RGB") for path in sorted(folder.iterdir()) if path.suffix in (".jpg", ".png")]
    return [np.asarray(picture.reduce(2**level)) for picture in found]


def bands(pictures: list[np.ndarray], side: int) -> Iterator[np.ndarray]:
    """The mosaic, one row of pictures at a time; the same picture lies at the same place on every level."""
    rng, size = np.random.default_rng(0), len(pictures[0])
    across = -(-SIDE // (size * (SIDE // side)))
    for _ in range(-(-side // size)):
        row = []
        for _ in range(across):
            which, turns, mirrored = rng.integers(len(pictures)), rng.integers(4), rng.integers(2)
            row.append(np.rot90(pictures[which], turns)[:, :: -1 if mirrored else 1])
        yield np.concatenate(row, axis=1)[:, :side]


def tiles(pictures: list[np.ndarray], side: int) -> Iterator[np.ndarray]:
    """Tiles of the mosaic, row by row; those at the far edges are cut."""
    held, rows = np.empty((0, side, 3), np.uint8), 0
    for band in bands(pictures, side):
        held = np.concatenate([held, band])
        rows += len(band)
        while len(held) >= TILE or (rows >= side and len(held)):
            for left in range(0, side, TILE):
                yield np.ascontiguousarray(held[:TILE, left : left + TILE])
            held = held[TILE:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    how = {
        "tile": (TILE, TILE),
        "compression": "jpeg",
        "compressionargs": {"level": QUALITY},
        "photometric": "rgb",
        "dtype": np.uint8,
    }
    with tifffile.TiffWriter(options.out, bigtiff=True, ome=True) as tiff:
        for level in range(LEVELS):
            side = SIDE >> level
            extra = (
                {"subifds": LEVELS - 1, "metadata": {"axes": "YXS", "PhysicalSizeX": MPP, "PhysicalSizeY": MPP}}
                if level == 0
                else {"subfiletype": 1, "metadata": None}
            )
            tiff.write(tiles(pictures_of(options.pictures, level), side), shape=(side, side, 3), **how, **extra)
            print(f"level {level}: {side} x {side} px")


if __name__ == "__main__":
    main()
