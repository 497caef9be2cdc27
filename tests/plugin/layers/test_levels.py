from __future__ import annotations

import dask.array as da
import numpy as np

from napari_c2lst.plugin.layers.levels import read_overview, shown_levels
from napari_c2lst.slides.images.pyramid import Pyramid


def pyramid(side: int, levels: int) -> tuple[Pyramid, list[int]]:
    """A pyramid in steps of 4 and the bytes that were decoded of it."""
    decoded = [0]

    def decode(block: np.ndarray) -> np.ndarray:
        decoded[0] += block.nbytes
        return block + np.uint8(7)

    sides = [side // 4**i for i in range(levels)]
    made = [da.zeros((3, s, s), dtype=np.uint8, chunks=(3, 512, 512)) for s in sides]
    lazy = [level.map_blocks(decode, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8)) for level in made]
    return Pyramid(lazy, [4.0**i for i in range(levels)]), decoded


def test_without_an_overview_all_levels_are_lazy() -> None:
    made, decoded = pyramid(8192, 3)
    levels = shown_levels(made)
    assert [level.shape for level in levels] == [(8192, 8192, 3), (2048, 2048, 3), (512, 512, 3)]
    assert decoded == [0]


def test_the_picture_of_the_whole_takes_the_place_of_the_coarse_levels() -> None:
    made, decoded = pyramid(8192, 3)
    read_overview(made)
    read_overview(made)
    assert decoded == [2048 * 2048 * 3]
    levels = shown_levels(made)
    assert [level.shape for level in levels] == [(8192, 8192, 3), (2048, 2048, 3)]
    assert isinstance(levels[-1], np.ndarray)
    assert levels[-1].max() == 7


def test_a_large_image_without_coarser_levels_gets_one() -> None:
    made, _ = pyramid(6000, 1)
    read_overview(made)
    fine, coarse = shown_levels(made)
    assert fine.shape == (6000, 6000, 3)
    assert max(coarse.shape) <= 2048


def test_a_small_image_is_read_as_it_is() -> None:
    made, _ = pyramid(600, 1)
    read_overview(made)
    (only,) = shown_levels(made)
    assert only.shape == (600, 600, 3)


def test_a_40000_px_slide_is_panned_without_being_loaded() -> None:
    from napari.components import ViewerModel

    made, decoded = pyramid(40_000, 4)
    read_overview(made)
    viewer = ViewerModel()
    layer = viewer.add_image(shown_levels(made), rgb=True, multiscale=True, cache=False)
    opened = decoded[0]
    assert opened <= 2500 * 2500 * 3
    for top in range(10_000, 12_000, 200):
        corners = np.array([[top, 20_000], [top + 800, 21_200]])
        layer._update_draw(scale_factor=1.0, corner_pixels_displayed=corners, shape_threshold=(800, 1200))
        assert layer.data_level == 0
    # ten views of 2 x 3 to 3 x 4 chunks each, of nearly five gigabytes
    assert decoded[0] - opened < 120e6
