"""What the tables of predictions in a slide are called."""

from __future__ import annotations

_SPOTS, _GRID = "c2lst_spots_", "c2lst_grid_"

TABLES_OF_PREDICTIONS = (_SPOTS, _GRID)
"""What their names begin with."""


def name_of_predictions(table: str) -> str:
    """The name that the user gave the predictions of a table.

    >>> name_of_predictions("c2lst_spots_mine"), name_of_predictions("c2lst_grid_mine_table")
    ('mine', 'mine')
    """
    if table.startswith(_SPOTS):
        return table.removeprefix(_SPOTS)
    return table.removeprefix(_GRID).removesuffix("_table")
