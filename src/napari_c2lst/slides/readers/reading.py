"""What every reader hands back, and how readers build the elements of a SpatialData."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import SlideFacts


@dataclass(frozen=True, eq=False)
class Reading:
    """A slide as a reader found it.

    Parameters
    ----------
    sdata
        SpatialData, lazy where it is large.
    facts
        What SpatialData has no place for.
    notes
        What the user should know.
    is_zarr
        Whether the input is a SpatialData store.
    took_image
        Whether the reader used the image file the caller asked for.
    """

    sdata: Any
    facts: SlideFacts
    notes: tuple[str, ...] = ()
    is_zarr: bool = False
    took_image: bool = False


@dataclass(frozen=True)
class Wanted:
    """What the caller of `open_slide` asked a reader for.

    Parameters
    ----------
    image
        An image file that takes the place of the input's own.
    image_scale
        Pixels of the image per pixel the spots are given in; None = the reader works it out.
    table
        Name of the table to use.
    square_um
        Side of the squares Visium HD bins are summed into, in microns.
    """

    image: Path | None = None
    image_scale: float | None = None
    table: str | None = None
    square_um: float = 112.0


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Turn whatever a file library throws at a damaged file into one sentence.

    Raises
    ------
    InputError
        For any error inside, apart from InputErrors, which pass.
    """
    try:
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")
            yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        text = _words_of(error)
        raise InputError(f"'{path}' cannot be read: {text}", "it may be cut off or damaged: copy it again") from error


def _words_of(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):  # "Expecting property name enclosed in ..." helps nobody with a slide
        return "one of the small files that describe it (.json) is damaged"
    return " ".join(str(error).split())[:300] or type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the log lines of file libraries off the screen: what matters in them we check ourselves."""
    loggers = [logging.getLogger(name) for name in ("spatialdata", "ome_zarr")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def element_name(text: str) -> str:
    """The text as an element of a SpatialData may be called: other signs than letters, digits and `_-.` become `_`."""
    name = "".join(sign if sign.isalnum() or sign in "_-." else "_" for sign in text)
    return name if name.strip("_.") and not name.startswith("__") else f"slide{name}"


def image_element(levels: list[Any], systems: Mapping[str, Any]) -> Any:
    """An image element of lazy levels.

    Parameters
    ----------
    levels
        Dask arrays (3, h, w), finest first.
    systems
        Transformation into each coordinate system.
    """
    from spatialdata.models import Image2DModel
    from spatialdata.transformations import set_transformation
    from xarray import DataArray, Dataset, DataTree

    if len(levels) == 1:
        return Image2DModel.parse(
            levels[0], dims=("c", "y", "x"), transformations=dict(systems), c_coords=["r", "g", "b"]
        )
    height, width = levels[0].shape[1:]
    datasets = {}
    for index, level in enumerate(levels):
        # the coordinates of a coarse pixel are those of its centre in level-0 pixels
        y, x = ((np.arange(n) + 0.5) * size / n for n, size in zip(level.shape[1:], (height, width), strict=True))
        array = DataArray(level, dims=("c", "y", "x"), coords={"c": ["r", "g", "b"], "y": y, "x": x}, name="image")
        datasets[f"scale{index}"] = Dataset({"image": array})
    tree = DataTree.from_dict(datasets)
    set_transformation(tree, dict(systems), set_all=True)
    Image2DModel().validate(tree)
    return tree


def scaling(scale: float | None) -> Any:
    """The transformation of an image that has `scale` pixels for every unit of a coordinate system."""
    from spatialdata.transformations import Identity, Scale

    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise InputError(f"an image scale of {scale:g} cannot be", "give pixels of the image per full-resolution pixel")
    return Identity() if scale is None or scale == 1 else Scale([1 / scale, 1 / scale], axes=("y", "x"))


def circles_element(yx: NDArray[np.floating], radius: float, index: NDArray[Any], systems: Mapping[str, Any]) -> Any:
    """Circles of one radius around (N, 2) centres (y, x), indexed by spot."""
    from spatialdata.models import ShapesModel

    return ShapesModel.parse(
        np.ascontiguousarray(yx[:, ::-1], dtype=float),
        geometry=0,
        radius=radius,
        index=index,
        transformations=dict(systems),
    )


def table_element(counts: Any, genes: list[str], ids: list[str], obs: Mapping[str, Any], region: str) -> Any:
    """A table of (N, G) raw counts bound to the spots of a shapes element by their ids."""
    from anndata import AnnData
    from pandas import DataFrame
    from spatialdata.models import TableModel

    frame = DataFrame({**obs, "region": region, "spot_id": ids}, index=ids)
    frame["region"] = frame["region"].astype("category")
    table = AnnData(X=counts, obs=frame, var=DataFrame(index=genes))
    table.var_names_make_unique()
    return TableModel.parse(table, region=region, region_key="region", instance_key="spot_id")


def refuse_duplicates(ids: list[str], path: Path) -> None:
    """Raise an InputError if a spot is named twice."""
    seen: set[str] = set()
    twice = [name for name in ids if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if twice:
        raise InputError(f"'{path}' names {len(twice)} spots twice, first '{twice[0]}'", "give every spot one row")


def no_match(what: str, table: Path | str, first_table: str, spots: Path | str, first_spot: str) -> InputError:
    """The error of counts and positions that have no spot in common."""
    return InputError(
        f"no spot of the {what} '{table}' (first: '{first_table}') is among the spots of '{spots}' "
        f"(first: '{first_spot}')",
        "check that both belong to the same sample",
    )
