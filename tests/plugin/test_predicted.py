"""Names of tables of predictions."""

from __future__ import annotations

import pytest

from napari_c2lst.expression.tables import GRID, SPOTS
from napari_c2lst.plugin.predicted import TABLES_OF_PREDICTIONS, name_of_predictions


def test_they_begin_as_the_task_writes_them() -> None:
    assert TABLES_OF_PREDICTIONS == (SPOTS, GRID)


@pytest.mark.parametrize("name", ["mine", "a_table", "c2lst_spots_x"])
def test_the_name_is_the_one_that_the_user_gave(name: str) -> None:
    assert name_of_predictions(SPOTS + name) == name
    assert name_of_predictions(f"{GRID}{name}_table") == name
