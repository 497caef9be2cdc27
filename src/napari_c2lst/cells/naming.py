"""Names of results inside a slide."""

from pathlib import Path

from napari_c2lst.slides.naming import result_name

from .facts import WEIGHTS_ENDINGS


def cells_name(name: str | None, weights: str) -> str:
    """The name of a result: as given, or that of the weights' file or run folder.

    Raises
    ------
    InputError
        If a given name has other characters than letters, digits, `_`, `-` and `.`.
    """
    path = Path(weights)
    own = path.stem if path.suffix in WEIGHTS_ENDINGS else path.name  # a run folder may be called lr_0.1
    return result_name(name, path.parent.name if own == "hovernet" and path.parent.name else own or "cells")
