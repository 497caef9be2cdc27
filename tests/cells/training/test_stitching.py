from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.cells.training.stitching import OFFSETS, PATCH_PX, TILE_PX, agreement, stitch, tiles_of


def cut(tile: np.ndarray) -> list[np.ndarray]:
    return [tile[y : y + PATCH_PX, x : x + PATCH_PX] for y, x in OFFSETS]


def a_tile() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 900, (TILE_PX, TILE_PX))


def test_nine_in_rows_then_bottom_right_and_corner() -> None:
    assert OFFSETS[:4] == ((0, 0), (0, 256), (0, 512), (256, 0))
    assert OFFSETS[9:12] == ((744, 0), (744, 256), (744, 512))
    assert OFFSETS[12:] == ((0, 744), (256, 744), (512, 744), (744, 744))


def test_patches_of_a_tile_give_the_tile() -> None:
    tile = a_tile()
    assert np.array_equal(stitch(cut(tile)), tile)


def test_images_keep_their_channels() -> None:
    tile = np.random.default_rng(1).integers(0, 255, (TILE_PX, TILE_PX, 3)).astype(np.uint8)
    again = stitch(cut(tile))
    assert again.dtype == np.uint8
    assert np.array_equal(again, tile)


@pytest.mark.parametrize("patches", [[], [np.zeros((256, 256))] * 15, [np.zeros((255, 256))] * 16])
def test_a_tile_has_sixteen_patches(patches: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="16 patches of 256 px"):
        stitch(patches)


def test_another_order_does_not_agree() -> None:
    patches = cut(a_tile())
    assert agreement(patches) == 1.0
    # bottom row and right column the other way round
    swapped = [*patches[:9], *patches[12:15], *patches[9:12], patches[15]]
    assert agreement(swapped) < 0.5


def test_parts_are_grouped_by_their_tile() -> None:
    names = [f"{tile}_{k:03d}" for tile in ("test_1", "test_10") for k in reversed(range(16))]
    tiles = tiles_of(names)
    assert list(tiles) == ["test_1", "test_10"]
    assert tiles["test_10"][:2] == ["test_10_000", "test_10_001"]


@pytest.mark.parametrize(
    "names",
    [["a", "b"], [f"a_{k:03d}" for k in range(15)], [f"a_{k:03d}" for k in range(16)] + ["b_000"], []],
    ids=["no numbers", "one is missing", "a part of another", "none"],
)
def test_other_names_are_no_tiles(names: list[str]) -> None:
    assert tiles_of(names) == {}


@pytest.mark.parametrize(("split", "count"), [("train", 27), ("test", 14)])
def test_consep_fits_together_to_the_pixel(shared: Path, split: str, count: int) -> None:
    folder = shared / "hne-consep" / "inst" / split
    tiles = tiles_of(sorted(p.stem for p in folder.glob("*.png")))
    assert len(tiles) == count
    for names in tiles.values():
        assert agreement([np.asarray(Image.open(folder / f"{n}.png")) for n in names]) == 1.0
