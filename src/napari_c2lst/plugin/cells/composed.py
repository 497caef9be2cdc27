"""What the spots of the open slide are composed of: counts of nuclei by type, read in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.plugin.parts.latest import Latest

from .loading import load_composition
from .stored import CellResult

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

NUCLEI = "nuclei"


class Composed:
    """The composition of the spots, of one result at a time.

    Parameters
    ----------
    changed
        Called when it was read.
    failed
        Called with a message and a hint when it cannot be read.

    Attributes
    ----------
    counts
        (N, T) nuclei in each spot; None where there is none, or until it is read.
    """

    def __init__(self, changed: Callable[[], None], failed: Callable[[str, str], None]) -> None:
        self._changed, self._failed = changed, failed
        self._thread = Latest()
        self.counts: NDArray[np.float32] | None = None

    @property
    def reading(self) -> bool:
        """Whether it is being read."""
        return self._thread.awaited

    def read(self, result: CellResult, slide: Slide | None) -> None:
        """Read that of a result for the spots of a slide; a slide without spots has none."""
        self.forget()
        if slide is not None and slide.spots is not None:
            self._thread.ask(load_composition, result, slide.spots.ids, done=self._on_read, failed=self._failed)

    def forget(self) -> None:
        """Let go of it, and of what is being read."""
        self._thread.drop()
        self.counts = None

    def of_spot(self, spot: int) -> NDArray[np.float32] | None:
        """(T,) nuclei of each type in a spot; None where that is not known."""
        if self.counts is None or not 0 <= spot < len(self.counts):
            return None
        return self.counts[spot]

    def numbers(self, what: str, types: tuple[str, ...]) -> tuple[NDArray[np.float32] | None, str]:
        """A number for each spot, and what it is called; (None, "") for nothing.

        Parameters
        ----------
        what
            A type, for its share; "nuclei", for their number.
        """
        if not what or self.counts is None:
            return None, ""
        total = self.counts.sum(axis=1)
        if what == NUCLEI:
            return total, "nuclei in each spot"
        part = self.counts[:, types.index(what)]
        # where there is no nucleus there are no shares
        share = np.divide(part, total, out=np.full(len(part), np.nan, np.float32), where=total > 0)
        return share, f"share of {what}"

    def _on_read(self, counts: NDArray[np.float32] | None) -> None:
        self.counts = counts
        self._changed()
