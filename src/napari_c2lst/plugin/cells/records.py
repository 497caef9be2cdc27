"""What panels show of one cell and of one spot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .stored import CellColumns
from .styles import Rgb


@dataclass(frozen=True)
class PickedCell:
    """The cell that was clicked: type, its probability, area, and place in level-0 pixels."""

    number: int
    type: str
    prob: float
    area_um2: float
    yx: tuple[float, float]

    @classmethod
    def of(cls, columns: CellColumns, cell: int) -> PickedCell:
        """What is known of a cell, by its number."""
        y, x = (float(value) for value in columns.yx[cell])
        kind = columns.types[int(columns.kind[cell])]
        return cls(cell, kind, float(columns.prob[cell]), float(columns.area_um2[cell]), (y, x))

    @property
    def sentence(self) -> str:
        """All of it in words."""
        return (
            f"Cell {self.number:,}: {self.type}, probability {self.prob:.2f}, {self.area_um2:.0f} µm², "
            f"at x {self.yx[1]:,.0f}, y {self.yx[0]:,.0f} px"
        )


@dataclass(frozen=True, eq=False)
class SpotCells:
    """What a spot is composed of: T types, their colours, and how many nuclei of each lie in it."""

    types: tuple[str, ...]
    colours: tuple[Rgb, ...]
    counts: NDArray[np.float32]
