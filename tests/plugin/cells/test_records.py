from __future__ import annotations

import pytest

from napari_c2lst.plugin.cells.records import PickedCell


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
