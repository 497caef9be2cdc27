from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_c2lst.slides.microns import ST_1K, ST_2K, VISIUM, fit_array, fit_microns, recognise_array
from napari_c2lst.slides.opening import open_slide


def grid(rows: int, columns: int, *, checkerboard: bool) -> np.ndarray:
    rc = np.stack([g.ravel() for g in np.mgrid[:rows, :columns]], axis=1)
    return rc[rc.sum(axis=1) % 2 == 0] if checkerboard else rc


ARRAYS = [
    (VISIUM, grid(78, 128, checkerboard=True)),
    (ST_1K, grid(33, 35, checkerboard=False)),
    (ST_2K, grid(64, 66, checkerboard=True)),
]


def placed(array, rc: np.ndarray, mpp: float, angle: float = 0.0, mirrored: bool = False) -> np.ndarray:
    """Pixels of the spots of an array, turned and mirrored."""
    um = rc * [array.row_um, array.column_um]
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (um * [1, -1 if mirrored else 1]) @ turn.T / mpp + [1000, 5000]


@pytest.mark.parametrize(("array", "rc"), ARRAYS, ids=lambda v: getattr(v, "name", ""))
@pytest.mark.parametrize(("angle", "mirrored"), [(0, False), (0.3, False), (np.pi / 2, True)])
def test_arrays_are_recognised_and_measured_however_they_lie(
    array, rc: np.ndarray, angle: float, mirrored: bool
) -> None:
    rng = np.random.default_rng(0)
    yx = placed(array, rc, 0.5, angle, mirrored)
    some = rng.permutation(len(rc))[:200]
    jittered = yx[some] + rng.normal(0, 5, (200, 2))
    assert recognise_array(rc[some], jittered) is array
    assert fit_microns(array, rc[some], jittered) == pytest.approx(0.5, rel=2e-3)
    assert fit_microns(array, rc, yx) == pytest.approx(0.5, rel=1e-9)


def test_what_is_no_known_array() -> None:
    bins = grid(200, 300, checkerboard=False)
    assert recognise_array(bins, bins * 8.0) is None
    assert recognise_array(ARRAYS[0][1][:3], np.zeros((3, 2))) is None


def test_too_few_spots_or_all_in_a_line_give_no_fit() -> None:
    line = np.stack([np.arange(10), np.zeros(10, int)], axis=1)
    assert fit_array(line, line * 3.0) is None
    assert fit_array(line[:2], line[:2] * 3.0) is None
    assert fit_microns(ST_1K, line, line * 3.0) is None


def test_spots_that_do_not_sit_on_the_array_give_no_microns() -> None:
    rc = ARRAYS[1][1]
    shuffled = np.random.default_rng(0).permutation(placed(ST_1K, rc, 1.0))
    assert fit_microns(ST_1K, rc, shuffled) is None
    assert fit_microns(ST_1K, rc, np.ones((len(rc), 2))) is None


def test_fit_maps_array_coordinates_to_pixels() -> None:
    rc = ARRAYS[1][1]
    yx = placed(ST_1K, rc, 0.7, 0.1)
    fit = fit_array(rc, yx)
    assert fit is not None
    assert np.allclose(rc @ fit.matrix.T + fit.offset, yx)
    assert fit.residual < 1e-6


def test_the_nominal_pitch_of_a_2k_array() -> None:
    assert np.hypot(ST_2K.row_um, ST_2K.column_um) == pytest.approx(141, rel=0.005)
    assert np.hypot(VISIUM.row_um, VISIUM.column_um) == pytest.approx(100)


@pytest.mark.parametrize(
    ("path", "kind", "mpp", "rel"),
    [
        ("her2st/B4", "ST 1k array", 0.688, 0.003),
        ("her2st/C5", "ST 1k array", 0.689, 0.005),
        ("st2k-mob/MOB1", "ST 2k array", 4.45, 0.02),
        ("visium-crc16/outs", "Visium", 15.1, 0.005),
    ],
)
def test_real_arrays(shared: Path, path: str, kind: str, mpp: float, rel: float) -> None:
    slide = open_slide(shared / path)
    assert slide.microns is not None
    assert slide.microns.source == "fitted"
    assert kind in slide.microns.detail
    assert slide.mpp == pytest.approx(mpp, rel=rel)


def test_full_resolution_pixels_of_crc16(shared: Path) -> None:
    columns = ["barcode", "in_tissue", "array_row", "array_col", "row", "col"]
    frame = pd.read_csv(shared / "visium-crc16/outs/spatial/tissue_positions_list.csv", header=None, names=columns)
    rc, yx = frame[["array_row", "array_col"]].to_numpy(), frame[["row", "col"]].to_numpy()
    assert recognise_array(rc, yx) is VISIUM
    assert fit_microns(VISIUM, rc, yx) == pytest.approx(1.294, rel=0.003)


def test_a_few_spots_that_were_moved_by_hand_change_little() -> None:
    row, column = (grid.ravel() for grid in np.mgrid[:10, :12])
    yx = np.stack([row * 200.0, column * 200.0], axis=1)
    yx[::20] += 20
    assert fit_microns(ST_1K, np.stack([row, column], axis=1), yx) == pytest.approx(1.0, rel=0.01)


def test_spots_all_at_one_place_have_no_microns() -> None:
    row, column = (grid.ravel() for grid in np.mgrid[:5, :5])
    assert fit_microns(ST_1K, np.stack([row, column], axis=1), np.zeros((25, 2))) is None
