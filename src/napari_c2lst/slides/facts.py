"""What we know of a slide beyond what SpatialData has a place for; kept in the attributes of a store we wrote."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from .microns import ARRAYS, SQUARES, Array

# The key of our metadata in the attributes of a store and in `uns` of our tables.
KEY = "c2lst"
# Elements of ours start like this; everything else in a store is the user's.
OURS = "c2lst_"
# Nuclei: polygons are called CELLS + a name, the table of their facts has CELLS_TABLE at the end, that of the spots'
# composition is COMPOSITION + the name.
CELLS, CELLS_TABLE, COMPOSITION = f"{OURS}cells_", "_table", f"{OURS}composition_"
# Tables of predictions are called SPOTS + a name, or GRID + a name and "_table"; the circles of a grid GRID + the name.
SPOTS, GRID = PREDICTIONS = f"{OURS}spots_", f"{OURS}grid_"


class SlideFacts(BaseModel):
    """Facts a reader found, JSON-able.

    Parameters
    ----------
    version
        Of this list of facts.
    kind
        Kind of the input in words.
    name
        Short name of the slide.
    image
        Name of the image element to prefer; None = the finest.
    table
        Name of the table to use when the user names none; None = the default of `choose_elements`.
    array
        Name of the array the spots sit on (see `microns.ARRAYS`), or `squares`; None when not known.
    spot_um
        Diameter of a spot, or side of a square, in microns.
    microns_per_unit
        Microns per unit of a coordinate system, by its name.
    microns_detail
        Where that comes from, in words.
    source
        The path this store was converted from, as seen from the folder of the store (`common.places`).
    source_image
        The image file that was given beside it, kept in the same way.
    opened
        How it was opened: the parameters of `open_slide` that decide what a conversion holds, by name. Element names
        are those that were used, given or not; a parameter that did not matter is left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    kind: str = ""
    name: str = ""
    image: str | None = None
    table: str | None = None
    array: str | None = None
    spot_um: float | None = None
    microns_per_unit: dict[str, float] = {}
    microns_detail: str = ""
    source: str | None = None
    source_image: str | None = None
    opened: dict[str, str | float] = {}

    @property
    def known_array(self) -> Array | None:
        """The array the spots sit on."""
        if self.array == SQUARES and self.spot_um:
            return Array(f"squares of {self.spot_um:g} um", self.spot_um, self.spot_um, self.spot_um)
        return ARRAYS.get(self.array or "")

    @classmethod
    def of_attrs(cls, attrs: Any) -> SlideFacts:
        """The facts in the attributes of a store; empty ones when it is not ours, or nobody can read them."""
        body = (attrs or {}).get(KEY)
        try:
            return cls.model_validate(body) if isinstance(body, dict) else cls()
        except ValidationError:
            return cls()
