"""The two layers every slide starts with: its image and its spots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_c2lst.slides.microns import SQUARES

from .levels import shown_levels
from .placing import LayerData, Opened, placed
from .tables import light_copy, no_table

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

IMAGE, SPOTS = "image", "spots"
VALUE = "value"  # the feature that colours the spots

# When neither the slide nor the array says how wide a spot is.
_SPOT_UM = 55.0
_SPOT_PX = 50.0
SPOT_COLOUR = "#ffd54a"


def slide_layers(
    slide: Slide, opening: Mapping[str, Any] | None = None, *, opened: Opened | None = None
) -> list[LayerData]:
    """The image as a lazy pyramid and the spots as points above it, both in microns.

    Parameters
    ----------
    slide
        An open slide.
    opening
        How it was opened: the arguments of `open_slide` besides the path.
    opened
        Slide and opening in one, for layers that are to belong to layers that are there.

    Returns
    -------
    list of (data, options, kind)
        All layers carry the same scale and units: one layer in pixels beside layers in microns would misalign them.
    """
    opened = opened or Opened(slide, dict(opening or {}))
    layers = [image_layer(slide, opened)]
    if slide.spots is not None:
        layers.append(spots_layer(slide, opened))
    return layers


def image_layer(slide: Slide, opened: Opened | None = None) -> LayerData:
    """The image, finest level first; no pixel is read before it is shown."""
    levels, place = shown_levels(slide.pyramid), placed(slide, IMAGE, opened)
    place["metadata"]["adata"] = no_table()
    several = len(levels) > 1
    options = {
        "name": slide.name,
        "rgb": True,
        "multiscale": several,
        # dask's cache of napari grows to a tenth of the machine's memory; tiles are quicker read again
        "cache": False,
        **place,
    }
    return levels if several else levels[0], options, "image"


def spots_layer(slide: Slide, opened: Opened | None = None) -> LayerData:
    """The spots as circles (or squares of bins) of their real size, named by their ids.

    Raises
    ------
    InputError
        If the slide is an image alone.
    """
    spots = slide.require_spots()
    options = {
        "name": f"{slide.name} spots",
        "features": {"spot": [str(name) for name in spots.ids]},
        "size": spot_size_px(slide),
        "symbol": spot_symbol(slide),
        "face_color": "transparent",
        "border_color": SPOT_COLOUR,
        "border_width": 0.08,
        **placed(slide, SPOTS, opened),
    }
    options["metadata"].update(for_napari_spatialdata(slide))
    # a slide's (0, 0) is the image's corner, napari's is the centre of the first pixel
    return spots.yx - 0.5, options, "points"


def spot_symbol(slide: Slide) -> str:
    """Squares of Visium HD bins are squares, everything else is round."""
    return "square" if getattr(slide.facts, "array", None) == SQUARES else "disc"


def spot_size_px(slide: Slide) -> float:
    """Diameter of a spot in level-0 pixels."""
    if slide.microns is None:
        return _SPOT_PX
    diameter_um = slide.spots.diameter_um if slide.spots is not None else None
    return float((diameter_um or _SPOT_UM) / slide.microns.value)


def for_napari_spatialdata(slide: Slide) -> dict[str, Any]:
    """What napari-spatialdata looks for in a layer's metadata, so that its widgets can colour and plot our spots.

    Its keys "sdata" and "name" are left out on purpose: with them it would place the layer anew whenever a coordinate
    system is chosen, in other units than ours, hide it where its name is that of no element, write shapes that are
    linked to it into the store in microns where pixels belong, and fail when a layer goes that it has not seen come.
    What needs them works on the slide as `neighbour.lend` gives it. "_columns_df" is there and empty: it asks a table
    there whether it is true, which a table does not answer.
    """
    tables = getattr(slide.sdata, "tables", {})
    if slide.spots is None or slide.table_name not in tables:
        return {}
    table = _of_spots(tables[slide.table_name], slide.rows)
    attrs = table.uns.get("spatialdata_attrs", {})
    instance_key = attrs.get("instance_key")
    # it finds the values of a spot by its instance, which is a number in Visium and no barcode
    indices = table.obs[instance_key].tolist() if instance_key in table.obs else [str(name) for name in slide.spots.ids]
    return {
        "adata": table,
        "table_names": [slide.table_name],
        "region_key": attrs.get("region_key"),
        "instance_key": instance_key,
        "indices": indices,
        "_n_indices": len(slide.spots),
        "_current_cs": slide.coordinate_system,
        "_active_in_cs": {slide.coordinate_system},
        "_columns_df": None,
    }


def _of_spots(table: Any, rows: Any) -> Any:
    """The table of the spots, with columns of its own: other plugins add theirs, and the slide's stay as they are."""
    if rows is None or np.array_equal(rows, np.arange(table.n_obs)):
        return light_copy(table)
    return table[rows]
