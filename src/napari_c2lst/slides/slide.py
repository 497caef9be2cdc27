"""A slide: an image pyramid, spots on it, their counts and the size of a pixel."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.genes.raw_counts import raw_counts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from napari_c2lst.slides.images.pyramid import Pyramid


@dataclass(frozen=True)
class Microns:
    """Size of a level-0 pixel.

    Parameters
    ----------
    value
        Microns per level-0 pixel of the slide's image.
    source
        `stored` in the input, `fitted` from the array coordinates of the spots, or `given` by the user.
    detail
        Where exactly it comes from, in words.
    """

    value: float
    source: Literal["stored", "fitted", "given"]
    detail: str


@dataclass(frozen=True, eq=False)
class Spots:
    """The measured spots of a slide, N of them.

    Parameters
    ----------
    ids
        (N,) names: barcodes, or "XxY" in legacy arrays. Unique.
    yx
        (N, 2) centres in level-0 pixels of the slide's image; (0, 0) is the image's corner, not a pixel's centre.
    diameter_um
        Diameter of a spot in microns; None when not known.
    array_rc
        (N, 2) row and column on the array; None when the input has none.
    """

    ids: NDArray[np.str_]
    yx: NDArray[np.float64]
    diameter_um: float | None = None
    array_rc: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Number of spots."""
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Slide:
    """One slide, whatever it was read from. `open_slide` makes it.

    Parameters
    ----------
    name
        Short name, for messages and results.
    path
        What was opened.
    kind
        Kind of the input in words ("Visium, Space Ranger", ...).
    sdata
        The SpatialData everything was taken from; lazy.
    image_name, shapes_name, table_name, coordinate_system
        The elements that were chosen; shapes and table are None for an image alone.
    pyramid
        The image, lazy, finest level first.
    microns
        Size of a level-0 pixel; None when not known.
    spots
        The spots that have counts; None for an image alone.
    is_zarr
        Whether `path` is a SpatialData store, so that results can be written into it.
    rows
        (N,) row of the table for every spot.
    notes
        What the user should know about how this slide was read.
    facts
        What our own metadata in the store says (see `SlideFacts`); used when the slide is converted.
    """

    name: str
    path: Path
    kind: str
    sdata: Any
    image_name: str
    shapes_name: str | None
    table_name: str | None
    coordinate_system: str
    pyramid: Pyramid
    microns: Microns | None
    spots: Spots | None
    is_zarr: bool
    rows: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()
    facts: Any = field(default=None, repr=False)

    @property
    def mpp(self) -> float:
        """Microns per level-0 pixel.

        Raises
        ------
        InputError
            If it is neither stored nor could be fitted nor was given.
        """
        if self.microns is None:
            raise InputError(f"slide '{self.name}' has no microns per pixel", "pass --mpp, for example --mpp 0.5")
        return self.microns.value

    def require_spots(self) -> Spots:
        """The spots.

        Raises
        ------
        InputError
            If the slide is an image alone.
        """
        if self.spots is None:
            raise InputError(
                f"slide '{self.name}' has no spots: it was read as {self.kind}",
                "open a slide with spots and counts (see 'c2lst info --help' for what can be opened)",
            )
        return self.spots

    @cached_property
    def genes(self) -> list[str]:
        """Names of the G genes, in the order of the columns of `counts()`."""
        return [str(name) for name in self._require_table().var_names]

    def counts(self) -> csr_matrix:
        """Raw counts, (N, G) float32; row i belongs to `spots.ids[i]`.

        Raises
        ------
        InputError
            If there is no table, or its values are negative, NaN or not whole numbers (already normalised).
        """
        return self._counts

    @cached_property
    def _counts(self) -> csr_matrix:
        return raw_counts(self._require_table(), self.rows, where=f"table '{self.table_name}' of slide '{self.name}'")

    def _require_table(self) -> Any:
        self.require_spots()
        return self.sdata.tables[self.table_name]
