from __future__ import annotations

import numpy as np
import pytest

from napari_c2lst.plugin.cells.records import PickedCell
from napari_c2lst.plugin.cells.stored import CellColumns


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (
            PickedCell(12_345, "epithelial", 0.987, 61.4, (1234.6, 20.2)),
            "Cell 12,345: epithelial, probability 0.99, 61 µm², at x 20, y 1,235 px",
        ),
        (PickedCell(0, "untyped", 0.0, 0.2, (0.0, 0.0)), "Cell 0: untyped, probability 0.00, 0 µm², at x 0, y 0 px"),
    ],
)
def test_a_cell_in_words_says_x_before_y(cell: PickedCell, sentence: str) -> None:
    assert cell.sentence == sentence


def test_a_cell_by_its_number_is_plain_numbers() -> None:
    columns = CellColumns(
        yx=np.array([[1, 2], [3.5, 4.25]], np.float32),
        kind=np.array([0, 1], np.uint8),
        types=("a", "b"),
        prob=np.array([0.1, 0.5], np.float32),
        area_um2=np.array([10, 20], np.float32),
    )
    cell = PickedCell.of(columns, 1)
    assert cell == PickedCell(1, "b", 0.5, 20.0, (3.5, 4.25))
    assert all(type(value) is float for value in (cell.prob, cell.area_um2, *cell.yx))
