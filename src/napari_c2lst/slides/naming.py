"""What results of ours are called inside a slide."""

import re

from napari_c2lst.common.errors import InputError

from .facts import GRID, SPOTS


def safe_name(text: str) -> str:
    """The text with everything else than ASCII letters, digits, `_`, `-` and `.` replaced by `_`."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def result_name(name: str | None, otherwise: str) -> str:
    """The name of a result: as given, else after what it was made with.

    Raises
    ------
    InputError
        If a given name has other characters than letters, digits, `_`, `-` and `.`.
    """
    if name is None:
        return safe_name(otherwise)
    if not name or name != safe_name(name):
        raise InputError(f"{name!r} cannot be the name of a result", "use letters, digits, _, - and .")
    return name


def name_of_predictions(table: str) -> str:
    """The name that the user gave the predictions of a table.

    >>> name_of_predictions("c2lst_spots_mine"), name_of_predictions("c2lst_grid_mine_table")
    ('mine', 'mine')
    """
    if table.startswith(SPOTS):
        return table.removeprefix(SPOTS)
    return table.removeprefix(GRID).removesuffix("_table")
