"""Names of results inside a slide."""

import re
from pathlib import Path

from napari_c2lst.common.errors import InputError

from .facts import WEIGHTS_ENDINGS

_ODD = r"[^A-Za-z0-9_.-]"  # SpatialData allows no other characters in names


def cells_name(name: str | None, weights: str) -> str:
    """The name of a result: as given, or that of the weights' file or run folder.

    Raises
    ------
    InputError
        If a given name has other characters than letters, digits, `_`, `-` and `.`.
    """
    if name is None:
        path = Path(weights)
        own = path.stem if path.suffix in WEIGHTS_ENDINGS else path.name  # a run folder may be called lr_0.1
        return re.sub(_ODD, "_", path.parent.name if own == "hovernet" and path.parent.name else own) or "cells"
    if not name or re.search(_ODD, name):
        raise InputError(f"{name!r} cannot be the name of a result", "use letters, digits, _, - and .")
    return name
