"""Columns for the table of a slide."""

from __future__ import annotations

from typing import Any

import numpy as np


def labelled(slide: Any, **columns: Any) -> Any:
    """The same slide with columns in its table."""
    obs = slide.sdata.tables[slide.table_name].obs
    rows = np.arange(len(slide.spots)) if slide.rows is None else slide.rows
    for name, values in columns.items():
        held = np.full(len(obs), values[0] if len(values) else "", dtype=object)
        held[rows] = values
        obs[name] = held
    return slide
