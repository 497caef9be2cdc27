"""The colours of maps."""

from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.plugin.looking.colours import layer_colormap, rgba, table_of


@pytest.mark.parametrize("name", ["viridis", "magma", "difference"])
def test_a_table_runs_over_256_opaque_colours(name: str) -> None:
    table = table_of(name)  # type: ignore[arg-type]
    assert table.shape == (256, 4)
    assert (table[:, 3] == 1).all()
    assert (table >= 0).all()
    assert (table <= 1).all()


def test_a_difference_is_pale_at_0_blue_below_and_orange_above() -> None:
    low, middle, high = rgba(np.array([-1.0, 0.0, 1.0]), (-1, 1), "difference")
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert middle[:3].min() > 0.9
    # equally far from 0 is equally far from pale
    half_low, half_high = rgba(np.array([-0.5, 0.5]), (-1, 1), "difference")
    assert half_low[2] > half_low[0]
    assert half_high[0] > half_high[2]


def test_values_beyond_the_ends_have_the_colours_of_the_ends() -> None:
    painted = rgba(np.array([-5.0, 0.0, 1.0, 9.0]), (0, 1), "viridis")
    assert (painted[0] == painted[1]).all()
    assert (painted[2] == painted[3]).all()
    assert (painted[1] == table_of("viridis")[0]).all()


def test_a_missing_value_is_transparent_and_the_table_stays_as_it_is() -> None:
    before = table_of("magma").copy()
    painted = rgba(np.array([[np.nan, 0.5]]), (0, 1), "magma")
    assert painted.shape == (1, 2, 4)
    assert painted[0, 0].tolist() == [0, 0, 0, 0]
    assert painted[0, 1, 3] == 1
    assert (table_of("magma") == before).all()


def test_napari_takes_the_same_colours() -> None:
    assert layer_colormap("viridis") == "viridis"
    mapped = layer_colormap("difference").map(np.array([0.0, 0.5, 1.0]))  # type: ignore[attr-defined]
    np.testing.assert_allclose(mapped[0], table_of("difference")[0], atol=0.01)
    np.testing.assert_allclose(mapped[2], table_of("difference")[-1], atol=0.01)
