"""What spots are composed of."""

from dataclasses import replace

import numpy as np
import pytest
from tests.cells.slides import MPP, SPOTS_UM

from napari_c2lst.cells.composition import composition_table, count_types, proportions, spot_of_cells, spot_size_px
from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.slide import Slide


def um(*places: tuple[float, float]) -> np.ndarray:
    """(x, y) in level-0 pixels of places given as (y, x) in microns."""
    return np.array([(x, y) for y, x in places]) / MPP


def test_nuclei_lie_in_the_spot_whose_circle_holds_them(tissue: Slide) -> None:
    (y, x), second, _ = SPOTS_UM
    places = um((y, x), (y + 27.4, x), (y + 27.6, x), second, (90, 40), (y, x + 50))
    assert spot_of_cells(tissue, places).tolist() == [0, 0, -1, 1, -1, -1]
    assert spot_of_cells(tissue, np.zeros((0, 2))).tolist() == []


def test_bins_are_squares(tissue: Slide) -> None:
    squares = replace(tissue, facts=tissue.facts.model_copy(update={"array": "squares"}))
    assert spot_size_px(squares) == (55 / MPP, True)
    y, x = SPOTS_UM[0]
    corner = um((y + 27, x + 27), (y + 28, x))
    assert spot_of_cells(squares, corner).tolist() == [0, -1]
    assert spot_of_cells(tissue, corner).tolist() == [-1, -1]


def test_spots_of_unknown_size(tissue: Slide) -> None:
    spots = replace(tissue.require_spots(), diameter_um=None)
    with pytest.raises(InputError, match="no known diameter"):
        spot_of_cells(replace(tissue, spots=spots), um((40, 40)))


def test_counts_and_proportions_by_hand() -> None:
    region = np.array([0, 0, 0, 2, -1, 2])
    kind = np.array([1, 1, 0, 2, 0, -1])
    counts = count_types(region, kind, 3, 3)
    assert counts.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 1]]
    shares = proportions(counts)
    assert shares[0].tolist() == pytest.approx([1 / 3, 2 / 3, 0])
    assert np.isnan(shares[1]).all()


def test_the_table_is_bound_to_the_spots(tissue: Slide) -> None:
    counts = np.array([[3, 1], [0, 0], [2, 2]])
    table = composition_table(tissue, counts, ("a", "b"), {"kind": "composition"})
    assert table.obs["spot"].tolist() == table.obs_names.tolist() == ["spot0", "spot1", "spot2"]
    assert table.obs["nuclei"].tolist() == [4, 0, 4]
    assert table.var_names.tolist() == ["a", "b"]
    assert table.X.tolist() == counts.tolist()
    assert table.layers["proportion"][0].tolist() == [0.75, 0.25]
    assert table.uns["spatialdata_attrs"]["region"] == "spots"
    np.testing.assert_allclose(table.obsm["spatial"][1], [140 / MPP, 40 / MPP])


def test_a_nucleus_on_the_edge_of_a_spot_counts_and_between_two_it_counts_once(tissue: Slide) -> None:
    y, x = SPOTS_UM[0]
    assert spot_of_cells(tissue, um((y + 27.5, x), (y, x - 27.5))).tolist() == [0, 0]
    near = replace(tissue.require_spots(), yx=np.array([[100.0, 100.0], [100.0, 200.0], [900.0, 900.0]]))
    between = spot_of_cells(replace(tissue, spots=near), np.array([[149.0, 100.0], [151.0, 100.0]]))
    assert between.tolist() == [0, 1]


def test_nothing_to_count() -> None:
    none = np.zeros(0, np.int64)
    assert count_types(none, none, 2, 3).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert proportions(np.zeros((0, 3), int)).shape == (0, 3)


def test_a_table_of_some_rows_keeps_their_keys(tissue: Slide) -> None:
    """A slide may show a part of the user's table (one sample of several): instance keys follow its rows."""
    spots = tissue.require_spots()
    some = replace(tissue, rows=np.array([2, 0]), spots=replace(spots, yx=spots.yx[[2, 0]], ids=spots.ids[[2, 0]]))
    table = composition_table(some, np.array([[5], [1]]), ("nucleus",), {})
    assert table.obs["spot"].tolist() == ["spot2", "spot0"]
    assert table.obs["nuclei"].tolist() == [5, 1]
    assert table.obs["region"].astype(str).tolist() == ["spots", "spots"]


def test_shapes_indexed_by_numbers_keep_them(tissue: Slide) -> None:
    """The user's table binds by its own keys, which need not be the barcodes."""
    table = tissue.sdata.tables[tissue.table_name]
    kept = table.obs["spot_id"].copy()
    table.obs["spot_id"] = np.array([7, 8, 9])
    try:
        made = composition_table(tissue, np.zeros((3, 1), np.int64), ("nucleus",), {})
    finally:
        table.obs["spot_id"] = kept
    assert made.obs["spot"].tolist() == [7, 8, 9]
    assert made.obs_names.tolist() == ["spot0", "spot1", "spot2"]
    assert np.isnan(made.layers["proportion"]).all()
