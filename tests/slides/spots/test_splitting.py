from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.spots.splitting import (
    block_number,
    blocked_split,
    overlapping_spots,
    random_split,
    spatial_blocks,
    training_number,
)


def _hexagons(rows: int = 40, cols: int = 40, pitch: float = 100.0) -> np.ndarray:
    row, col = (grid.ravel() for grid in np.mgrid[:rows, :cols])
    return np.stack([row * pitch * np.sqrt(3) / 2, (col + 0.5 * (row % 2)) * pitch], 1)


def _neighbours_of_another_kind(yx: np.ndarray, mask: np.ndarray) -> float:
    """The share of pairs of neighbours that the split tears apart."""
    pairs = cKDTree(yx).query_pairs(101, output_type="ndarray")
    return float((mask[pairs[:, 0]] != mask[pairs[:, 1]]).mean())


@pytest.mark.parametrize(
    ("n", "fraction", "expected"), [(283, 0.25, 71), (10, 0.05, 1), (4, 0.001, 1), (9, 1.0, 9), (10, 0.25, 3)]
)
def test_training_number(n: int, fraction: float, expected: int) -> None:
    assert training_number(n, fraction) == expected
    assert random_split(n, fraction, seed=3).sum() == expected


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.01, float("nan")])
def test_impossible_fractions(fraction: float) -> None:
    with pytest.raises(InputError, match="a fraction of"):
        random_split(100, fraction, seed=0)
    with pytest.raises(InputError, match="a fraction of"):
        blocked_split(_hexagons(5, 5), fraction, seed=0)


def test_random_split_is_a_function_of_its_seed() -> None:
    assert np.array_equal(random_split(500, 0.25, 1), random_split(500, 0.25, 1))
    assert not np.array_equal(random_split(500, 0.25, 1), random_split(500, 0.25, 2))


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 1 / 3, 0.5, 0.8])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_blocked_split_chooses_as_many_spots_as_the_random_one(fraction: float, seed: int) -> None:
    yx = _hexagons()
    training, buffer = blocked_split(yx, fraction, seed)
    assert training.sum() == random_split(len(yx), fraction, seed).sum()
    assert not (training & buffer).any()
    again, _ = blocked_split(yx, fraction, seed)
    assert np.array_equal(training, again)


@pytest.mark.parametrize("fraction", [0.05, 0.25, 0.5])
def test_blocked_split_keeps_neighbours_together(fraction: float) -> None:
    yx = _hexagons()
    torn = [_neighbours_of_another_kind(yx, blocked_split(yx, fraction, seed)[0]) for seed in range(3)]
    torn_at_random = _neighbours_of_another_kind(yx, random_split(len(yx), fraction, 0))
    assert max(torn) < 0.4 * torn_at_random


def test_seeds_choose_other_blocks() -> None:
    yx = _hexagons()
    masks = {blocked_split(yx, 0.25, seed)[0].tobytes() for seed in range(5)}
    assert len(masks) == 5


def test_every_spot_trains_at_a_fraction_of_one() -> None:
    training, buffer = blocked_split(_hexagons(10, 10), 1.0, 0)
    assert training.all()
    assert not buffer.any()


@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_a_handful_of_spots(n: int) -> None:
    training, buffer = blocked_split(_hexagons(3, 3)[:n], 0.5, 0)
    assert training.sum() == training_number(n, 0.5)
    assert not (training & buffer).any()


def test_spots_at_one_place_do_not_break_it() -> None:
    training, buffer = blocked_split(np.zeros((40, 2)), 0.25, 0)
    assert training.sum() == 10
    assert buffer.sum() == 30


def test_buffer_by_hand() -> None:
    yx = np.array([[0, 0], [0, 100], [100, 100], [0, 112], [0, 111.9], [300, 0]], dtype=float)
    training = np.array([True, False, False, False, False, False])
    assert overlapping_spots(yx, training, 112).tolist() == [False, True, True, False, True, False]
    assert not overlapping_spots(yx, np.zeros(6, bool), 112).any()
    assert not overlapping_spots(yx, np.ones(6, bool), 112).any()


def test_no_scored_spot_shares_tissue_with_training_once_the_buffer_is_out() -> None:
    yx = _hexagons()
    training, buffer = blocked_split(yx, 0.25, 0, patch_um=112)
    scored = ~training & ~buffer
    apart = np.abs(yx[scored][:, None] - yx[training][None]).max(axis=-1)
    assert apart.min() >= 112 - 1e-6
    assert 0 < buffer.sum() < 0.25 * len(yx)
    wide = blocked_split(yx, 0.25, 0, patch_um=224)[1]
    assert (wide | buffer == wide).all()
    assert wide.sum() > buffer.sum()


@pytest.mark.parametrize("blocks", [1, 2, 7, 12, 33])
def test_blocks_are_of_equal_numbers_and_compact(blocks: int) -> None:
    yx = _hexagons()
    labels = spatial_blocks(yx, blocks)
    sizes = np.bincount(labels, minlength=blocks)
    assert len(sizes) == blocks
    assert np.ptp(sizes) <= 2
    for block in range(blocks):
        sides = np.ptp(yx[labels == block], axis=0)
        assert sides.max() < 3 * sides.min()


def test_block_number_follows_the_size_of_the_tissue() -> None:
    large = _hexagons(60, 60)  # about 5.2 x 6 mm
    assert 32 <= block_number(large, 0.25) <= 48
    assert block_number(large, 0.25, block_um=2000) <= 16
    assert block_number(_hexagons(12, 12), 0.25) >= 12  # at least three blocks train
    assert block_number(large, 0.25) % 4 == 0  # a quarter is a whole number of blocks


def test_her2st_b4(shared: Path) -> None:
    spots = pd.read_csv(shared / "her2st" / "B4" / "B4_selection.tsv", sep="\t")
    yx = spots.loc[spots["selected"] == 1, ["pixel_y", "pixel_x"]].to_numpy() * 0.688
    training, buffer = blocked_split(yx, 0.25, 0)
    assert training.sum() == training_number(len(yx), 0.25)
    assert not buffer.any()  # spots 200 um apart: no two patches of 112 um overlap
    assert not overlapping_spots(yx, random_split(len(yx), 0.25, 0), 112).any()


def test_visium_crc16_leaks_at_random_but_not_blocked(shared: Path) -> None:
    spots = pd.read_csv(shared / "visium-crc16" / "outs" / "spatial" / "tissue_positions_list.csv", header=None)
    yx = spots.loc[spots[1] == 1, [4, 5]].to_numpy() * 1.294
    at_random = random_split(len(yx), 0.25, 0)
    assert overlapping_spots(yx, at_random, 112)[~at_random].mean() > 0.7
    training, buffer = blocked_split(yx, 0.25, 0)
    assert training.sum() == at_random.sum()
    assert buffer.sum() < 0.1 * (~training).sum()


def test_the_buffer_touches_training_and_nothing_else() -> None:
    yx = _hexagons(12, 12)
    training, buffer = blocked_split(yx, 0.3, 1)
    assert not (training & buffer).any()
    gap = np.abs(yx[:, None] - yx[None, training]).max(axis=2).min(axis=1)
    assert (gap[buffer] < 112).all()
    assert (gap[~training & ~buffer] >= 112 - 1e-6).all()


def test_a_larger_patch_has_a_larger_buffer_around_the_same_spots() -> None:
    yx = _hexagons(12, 12)
    near, far = (blocked_split(yx, 0.3, 1, patch_um=um) for um in (112.0, 300.0))
    np.testing.assert_array_equal(near[0], far[0])
    assert (far[1] | ~near[1]).all()
    assert far[1].sum() > near[1].sum()


def test_where_the_slide_lies_does_not_matter() -> None:
    yx = _hexagons(12, 12)
    for moved in (yx + 12_345.0, yx - 500.0):
        for one, other in zip(blocked_split(yx, 0.25, 3), blocked_split(moved, 0.25, 3), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("blocks", [1, 2, 7])
def test_every_spot_is_in_one_block(blocks: int) -> None:
    labels = spatial_blocks(_hexagons(5, 5), blocks)
    assert sorted(set(labels.tolist())) == list(range(blocks))
    sizes = np.bincount(labels)
    assert sizes.max() - sizes.min() <= 2


def test_patches_beside_each_other_do_not_overlap() -> None:
    yx = np.array([[0.0, 0.0], [0.0, 112.0], [0.0, 111.0], [111.0, 111.0], [200.0, 0.0]])
    training = np.array([True, False, False, False, False])
    assert overlapping_spots(yx, training, 112.0).tolist() == [False, False, True, True, False]
    assert not overlapping_spots(yx, ~np.zeros(5, bool), 112.0).any()
    assert not overlapping_spots(yx, np.zeros(5, bool), 112.0).any()
