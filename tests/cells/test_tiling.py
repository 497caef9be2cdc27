"""Tiles over tissue."""

import numpy as np
import pytest

from napari_c2lst.cells.network import output_px
from napari_c2lst.cells.tiling import Tiling, cost_note, padded_size, tissue_tiling
from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.tissue import TissueMask
from napari_c2lst.slides.slide import Slide


def tiling(mode: str = "fast", core: int = 128) -> Tiling:
    origin = np.array([[0, 0], [0, core], [core, 0]])
    return Tiling(origin, core, mode, 0.5, 0.25)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["fast", "original"])
@pytest.mark.parametrize("core", [64, 128, 512])
def test_maps_cover_core_and_margin(mode: str, core: int) -> None:
    tiles = tiling(mode, core)
    assert output_px(tiles.mode, tiles.input_px) == core + 2 * tiles.margin


def test_centres_are_in_pixels_of_the_slide() -> None:
    assert tiling().centres(np.array([0, 1])).tolist() == [[32, 32], [32, 96]]


def test_groups_are_the_unit_of_work() -> None:
    assert [g.tolist() for g in tiling().groups(2)] == [[0, 1], [2]]
    assert tiling().some(np.array([2])).origin.tolist() == [[128, 0]]


def test_tiles_are_where_tissue_is(tissue: Slide) -> None:
    tiles, mask = tissue_tiling(tissue, "fast", 0.25, 128)
    assert len(tiles) == 36
    assert tiles.px == 1
    assert mask.mask.mean() > 0.9
    shifted, _ = tissue_tiling(tissue, "fast", 0.25, 128, (8, 64))
    assert shifted.origin.min(axis=0).tolist() == [-8, -64]
    assert len(shifted) == 49
    finer, _ = tissue_tiling(tissue, "fast", 0.125, 128)
    assert len(finer) == 144
    assert finer.px == 0.5


def test_glass_is_left_out(tissue: Slide) -> None:
    mask = np.zeros((24, 24), bool)
    mask[2:4, 2:4] = True
    tissue.__dict__["_tissue_masks"] = {8.0: TissueMask(mask, 32.0)}
    try:
        tiles, rim = tissue_tiling(tissue, "fast", 0.25, 64)
        assert tiles.origin.min(axis=0).tolist() == [0, 0]
        assert tiles.origin.max(axis=0).tolist() == [128, 128]
        assert rim.mask.sum() > 4  # nuclei at the rim of a mask still count
        tissue.__dict__["_tissue_masks"] = {8.0: TissueMask(np.zeros((24, 24), bool), 32.0)}
        with pytest.raises(InputError, match="no tissue was found on slide 'tissue'"):
            tissue_tiling(tissue, "fast", 0.25, 64)
    finally:
        del tissue.__dict__["_tissue_masks"]


class Coarse:
    mpp = 0.688


def test_what_enlarging_costs_is_said(tissue: Slide) -> None:
    assert cost_note(tissue, 0.25, 36) == ("36 tiles; the slide has 0.25 um/px, the weights 0.25 um/px", False)
    text, warn = cost_note(Coarse(), 0.25, 10)
    assert warn
    assert "enlarged 2.8 times" in text
    assert "7.6 times as long" in text
    assert "missed more often" in text
    Coarse.mpp = 4.4
    assert "do not trust the result" in cost_note(Coarse(), 0.25, 10)[0]


@pytest.mark.parametrize(("px", "mode"), [(448, "fast"), (100, "original"), (8, "fast")])
def test_inputs_for_patches_of_any_size(px: int, mode: str) -> None:
    size = padded_size(px, mode)  # type: ignore[arg-type]
    assert px <= output_px(mode, size) < px + 8  # type: ignore[arg-type]
