"""Predictions as tables of a SpatialData, and what such a table says about itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from napari_c2lst.common.errors import InputError, first_line
from napari_c2lst.common.places import keep_place
from napari_c2lst.slides.facts import GRID as GRID
from napari_c2lst.slides.facts import SPOTS as SPOTS
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import set_of_training
from napari_c2lst.slides.store.in_parts import InParts, parts_of

from .facts import PredictorFacts
from .grid import Grid
from .rows import RowsOnDisk

if TYPE_CHECKING:
    from .predictor import Predictor

RASTER = "c2lst_raster_"
TABLES_VERSION = 1
_KEY = "c2lst"


@dataclass(frozen=True)
class Rows:
    """Predictions on disk: their mean over flips and turns, and its spread where that was asked for."""

    mean: RowsOnDisk
    spread: RowsOnDisk | None


@dataclass(frozen=True)
class Written:
    """What predictions say about themselves, in `uns["c2lst"]`.

    Attributes
    ----------
    name
        Name of the result inside the slide.
    predictor_path, predictor_hash
        The file it was predicted with, as seen from the slide (`common.places`), and its content hash.
    predictor
        What the predictor knows and where it comes from: arm, training spots, panel, specification of patches.
    tta
        Whether flips and turns were averaged; the layer `spread` then holds their standard deviation.
    mpp
        Microns per level-0 pixel that the patches were read with.
    """

    name: str
    predictor_path: str
    predictor_hash: str
    predictor: PredictorFacts
    tta: bool
    mpp: float

    @classmethod
    def of(cls, name: str, path: Path, predictor: "Predictor", slide: Slide, *, tta: bool) -> Self:
        """What predictions of a slide will say."""
        return cls(name, keep_place(path, slide.path), predictor.content_hash, predictor.facts, tta, slide.mpp)

    def uns(self, where: Literal["spots", "grid"], **more: Any) -> dict[str, Any]:
        """The body of `uns["c2lst"]`; the predictor's facts are one JSON text: an AnnData holds no None."""
        return {
            "kind": "predictions",
            "version": TABLES_VERSION,
            "where": where,
            "name": self.name,
            "arm": self.predictor.arm,
            "predictor": self.predictor.model_dump_json(),
            "predictor_path": self.predictor_path,
            "predictor_hash": self.predictor_hash,
            "tta": self.tta,
            "mpp": self.mpp,
            **more,
        }


def read_written(table: Any) -> Written:
    """What a table of predictions says about itself.

    Raises
    ------
    InputError
        If the table holds no predictions of ours, or was written by a later version.
    """
    body = table.uns.get(_KEY) or {}
    if body.get("kind") != "predictions":
        raise InputError("the table holds no predictions", "predict first: c2lst predict")
    if int(body["version"]) != TABLES_VERSION:
        raise InputError(f"the predictions have version {body['version']}", "update napari-c2lst, or predict again")
    try:
        facts = PredictorFacts.model_validate_json(str(body["predictor"]))
        path, digest = str(body["predictor_path"]), str(body["predictor_hash"])
        return Written(str(body["name"]), path, digest, facts, bool(body["tta"]), float(body["mpp"]))
    except (KeyError, ValidationError) as error:
        raise InputError(f"the predictions are damaged: {first_line(error)}", "predict again") from error


def spots_table(
    slide: Slide, chosen: NDArray[np.bool_], rows: Rows, written: Written, training: NDArray[np.bool_]
) -> Any:
    """Predictions on spots, bound to the slide's own shapes.

    Parameters
    ----------
    chosen
        (N,) the spots that were predicted.
    rows
        Their predictions.
    training
        (N,) spots the predictor was trained on; column `training` says so for each. Column `held_out` names those it
        may be scored on, as the spot set of these training spots has it: not those it leaves out. Where no such set
        is stored any more, there is column `unseen` instead, which names all spots that are no training spots.
    """
    import pandas as pd

    spots = slide.require_spots()
    source = slide.sdata.tables[slide.table_name]
    # instance keys as the user's table has them: shapes may be indexed by numbers, not by barcodes
    keys = source.obs[source.uns["spatialdata_attrs"]["instance_key"]].to_numpy()
    keys = keys if slide.rows is None else keys[slide.rows]
    obs = pd.DataFrame(
        {
            "region": pd.Categorical([slide.shapes_name] * int(chosen.sum())),
            "spot": keys[chosen],
            "training": training[chosen],
            **_others(slide, chosen, training),
        },
        index=pd.Index(spots.ids[chosen].astype(str)),
    )
    return _table(obs, spots.yx[chosen], rows, written, str(slide.shapes_name), "spot", written.uns("spots"))


def _others(slide: Slide, chosen: NDArray[np.bool_], training: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    try:
        stored = set_of_training(slide, training)
    except InputError:  # a set of a later version is no reason to lose predictions
        stored = None
    return {"unseen": ~training[chosen]} if stored is None else {"held_out": stored.held_out[chosen]}


def grid_table(region: str, grid: Grid, rows: Rows, written: Written) -> InParts:
    """Predictions on a grid, bound to the shapes `region`; made some positions at a time."""
    uns = written.uns("grid", stride_um=grid.stride_um)

    def some(start: int, stop: int) -> Any:
        obs = _grid_obs(region, grid, start, stop)
        return _table(obs, grid.yx[start:stop], rows, written, region, "position", dict(uns), start)

    return InParts(len(grid), some)


def _grid_obs(region: str, grid: Grid, start: int, stop: int) -> Any:
    import pandas as pd

    places = grid.lattice(grid.yx[start:stop])
    return pd.DataFrame(
        {
            "region": pd.Categorical([region] * len(places)),
            "position": np.arange(start, stop, dtype=np.int64),
            "row": places[:, 0],
            "column": places[:, 1],
        },
        index=pd.Index([f"r{r}c{c}" for r, c in places.tolist()]),
    )


def _table(
    obs: Any,
    yx: NDArray[np.float64],
    rows: Rows,
    written: Written,
    region: str,
    key: str,
    uns: dict[str, Any],
    start: int = 0,
) -> Any:
    """A table of the predictions from row `start` on, as many as there are in `obs`."""
    import anndata
    import pandas as pd
    from spatialdata.models import TableModel

    panel = written.predictor.panel
    var = pd.DataFrame({"training_mean": panel.mean, "training_std": panel.std}, index=pd.Index(list(panel.genes)))
    stop = start + len(obs)
    table = anndata.AnnData(rows.mean.lazy(start, stop), obs=obs, var=var)
    if rows.spread is not None:
        table.layers["spread"] = rows.spread.lazy(start, stop)
    table.obsm["spatial"] = np.ascontiguousarray(yx[:, ::-1])  # x, y in level-0 pixels, as scanpy has it
    table.uns[_KEY] = uns
    return TableModel.parse(table, region=region, region_key="region", instance_key=key)


def write_csv(file: Path, predictions: Any) -> None:
    """Write a table of predictions as text: name, x and y in level-0 pixels, one column for each gene."""
    import pandas as pd

    with file.open("w", encoding="utf-8", newline="") as text:
        for table in parts_of(predictions):
            start = 0
            for block in table.X.blocks:
                part = slice(start, start + len(block))
                frame = pd.DataFrame(block.compute(), index=table.obs_names[part], columns=table.var_names)
                frame.insert(0, "x", table.obsm["spatial"][part, 0])
                frame.insert(1, "y", table.obsm["spatial"][part, 1])
                frame.to_csv(text, header=text.tell() == 0, index_label="name", float_format="%.4f")
                start = part.stop
