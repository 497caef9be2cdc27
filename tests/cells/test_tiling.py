"""Tiles over tissue."""

from types import SimpleNamespace

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


@pytest.mark.parametrize("mode", ["fast", "original"])
def test_a_tile_lies_in_the_middle_of_what_the_network_sees(mode: str) -> None:
    tiles = tiling(mode)
    corners = tiles.corners(np.array([0, 1]))
    assert (corners + tiles.input_px / 2).tolist() == [[64, 64], [64, 192]]
    assert corners.dtype == np.int64


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


class Plain:
    """A slide of which only size, scale and tissue are known."""

    def __init__(self, shape: tuple[int, int], mpp: float = 0.5, name: str = "plain") -> None:
        self.pyramid, self.mpp, self.name = SimpleNamespace(shape=shape), mpp, name


@pytest.fixture
def all_tissue(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(slide: Plain) -> TissueMask:
        height, width = slide.pyramid.shape
        return TissueMask(np.ones((-(-height // 16), -(-width // 16)), bool), 16.0)

    monkeypatch.setattr("napari_c2lst.cells.tiling.tissue_mask", whole)


@pytest.mark.usefixtures("all_tissue")
class TestCovering:
    @pytest.mark.parametrize("shape", [(500, 700), (128, 128), (129, 127), (40, 3000)])
    @pytest.mark.parametrize("mpp", [0.25, 0.5, 0.688])
    @pytest.mark.parametrize("shift", [(0, 0), (8, 120)])
    def test_every_pixel_is_in_one_core(self, shape: tuple[int, int], mpp: float, shift: tuple[int, int]) -> None:
        tiles, _ = tissue_tiling(Plain(shape, mpp), "fast", 0.25, 128, shift)  # type: ignore[arg-type]
        count = np.zeros([round(n / tiles.px) + 256 for n in shape], int)
        for top, left in tiles.origin + 128:
            count[top : top + 128, left : left + 128] += 1
        height, width = (int(n / tiles.px) for n in shape)
        assert (count[128 : 128 + height, 128 : 128 + width] == 1).all()

    def test_a_slide_smaller_than_a_tile_is_one(self) -> None:
        tiles, _ = tissue_tiling(Plain((30, 20)), "original", 0.25, 512)  # type: ignore[arg-type]
        assert tiles.origin.tolist() == [[0, 0]]
        assert tiles.corners(np.array([0])).tolist() == [[-159, -159]]

    def test_a_finer_slide_is_shrunk(self) -> None:
        slide = Plain((1024, 1024), 0.125)
        tiles, _ = tissue_tiling(slide, "fast", 0.25, 256)  # type: ignore[arg-type]
        assert (len(tiles), tiles.px) == (4, 2.0)
        assert tiles.corners(np.array([3])).tolist() == [[256 - 108, 256 - 108]]
        assert cost_note(slide, 0.25, 4) == ("4 tiles; the slide has 0.125 um/px, the weights 0.25 um/px", False)

    def test_tiles_are_in_reading_order(self) -> None:
        tiles, _ = tissue_tiling(Plain((128, 192)), "fast", 0.25, 128)  # type: ignore[arg-type]
        assert tiles.origin.tolist() == [[0, 0], [0, 128], [0, 256], [128, 0], [128, 128], [128, 256]]


@pytest.mark.parametrize(("mpp", "rim"), [(0.25, 4), (1.0, 1), (2.0, 1)])
def test_the_rim_is_as_wide_on_every_slide(mpp: float, rim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 um, and never less than a pixel of the mask."""
    dot = np.zeros((33, 33), bool)
    dot[16, 16] = True
    monkeypatch.setattr("napari_c2lst.cells.tiling.tissue_mask", lambda slide: TissueMask(dot, 16.0, (250, 250, 250)))
    _, tissue = tissue_tiling(Plain((528, 528), mpp), "fast", 0.25, 64)  # type: ignore[arg-type]
    assert tissue.mask[16].sum() == tissue.mask[:, 16].sum() == 2 * rim + 1
    assert (tissue.px, tissue.glass) == (16.0, (250, 250, 250))
    assert dot.sum() == 1


@pytest.mark.parametrize(
    ("mpp", "warned", "words"),
    [(0.26, False, "10 tiles; the slide has"), (0.5, True, "missed more often"), (1.0, True, "missed more often")],
)
def test_how_much_coarser_is_a_warning(mpp: float, warned: bool, words: str) -> None:
    text, warn = cost_note(Plain((10, 10), mpp), 0.25, 10)
    assert (warn, words in text) == (warned, True)
    assert ("enlarged" in text) == warned


def test_a_larger_group_than_there_are_tiles() -> None:
    assert [g.tolist() for g in tiling().groups(8)] == [[0, 1, 2]]
    assert tiling().some(np.zeros(0, np.int64)).groups(8) == []
