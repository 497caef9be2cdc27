"""Exports: predictions, scores and spot sets as CSV, sets as GeoJSON, figures as SVG and PNG. Needs no Qt, no torch."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import atomic_file
from napari_c2lst.plugin.runs import RunInfo

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide
    from napari_c2lst.slides.spots.spotsets import SpotSet

SCORE_TABLES = ("scores", "genes", "differences")
_ROWS_AT_A_TIME = 4096


def refuse_taken(path: Path, replace: bool) -> None:
    """Refuse a file that is there.

    Raises
    ------
    InputError
        If it is there and may not be replaced.
    """
    if path.exists() and not replace:
        raise InputError(f"'{path}' is there already", "choose another name, or agree to replace it")


def export_predictions(slide: Slide, key: str, path: Path, *, replace: bool = False) -> list[Path]:
    """A table of predictions as CSV: name, x and y in level-0 pixels, whether held out, then a column for each gene.

    Written in parts, so that memory does not follow the number of positions.

    Raises
    ------
    InputError
        If there is no such table, or the file is there and may not be replaced.
    """
    tables = getattr(slide.sdata, "tables", {})
    if key not in tables:
        raise InputError(f"slide '{slide.name}' has no predictions '{key}'", "predict first")
    refuse_taken(path, replace)
    with atomic_file(path) as file:
        _write_rows(tables[key], file)
    return [path]


def export_scores(run: RunInfo, path: Path, *, replace: bool = False) -> list[Path]:
    """The tables of an evaluation: `path` gets a line for each predictor, beside it come genes and differences.

    Raises
    ------
    InputError
        If the run has no scores, or one of the files is there and may not be replaced.
    """
    copies = files_of_scores(run, path)
    for target in copies:
        refuse_taken(target, replace)
    for target, source in copies.items():
        with atomic_file(target) as file:
            shutil.copyfile(source, file)
    return list(copies)


def files_of_scores(run: RunInfo, path: Path) -> dict[Path, Path]:
    """The files that `export_scores` would write, and those they are copies of.

    Raises
    ------
    InputError
        If the run has no scores.
    """
    result = run.result or {}
    sources = {name: _beside(run.path, result.get(name)) for name in SCORE_TABLES}
    there = {name: source for name, source in sources.items() if source is not None}
    if "scores" not in there:
        raise InputError(f"'{run.path}' holds no scores", "run Judge again")
    return {path if name == "scores" else path.with_stem(f"{path.stem}_{name}"): there[name] for name in there}


def export_sets(slide: Slide, sets: Mapping[str, SpotSet], path: Path, *, replace: bool = False) -> list[Path]:
    """Spot sets as CSV: a line for each spot, its place in pixels and microns, a column for each set with its role.

    Raises
    ------
    InputError
        If there is no set, or the file is there and may not be replaced.
    """
    if not sets:
        raise InputError("there is no set of spots to export", "choose spots first: Spots")
    refuse_taken(path, replace)
    spots = slide.require_spots()
    roles = {
        name: np.select([each.mask, each.left_out], ["selected", "left out"], "held out") for name, each in sets.items()
    }
    places = ["x_px", "y_px"] + (["x_um", "y_um"] if slide.microns is not None else [])
    xy = spots.yx[:, ::-1]
    xy = xy if slide.microns is None else np.hstack([xy, xy * slide.mpp])
    with atomic_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["spot", *places, *roles])
        for i, name in enumerate(spots.ids):
            place = [f"{value:.2f}" for value in xy[i]]
            writer.writerow([str(name), *place, *(str(role[i]) for role in roles.values())])
    return [path]


def export_regions(slide: Slide, sets: Mapping[str, SpotSet], path: Path, *, replace: bool = False) -> list[Path]:
    """Spot sets as GeoJSON that QuPath opens: the outlines of the chosen spots, in pixels of the image.

    Raises
    ------
    InputError
        If there is no set, or the file is there and may not be replaced.
    """
    from napari_c2lst.plugin.selecting.exchange import set_regions
    from napari_c2lst.plugin.selecting.named import colours_of
    from napari_c2lst.slides.spots.geojson import write_regions

    refuse_taken(path, replace)
    write_regions(path, set_regions(slide, sets, colours_of(sets)))
    return [path]


def export_figures(
    slide: Slide, folder: Path, *, sets: Mapping[str, SpotSet], key: str = "", gene: str = "", replace: bool = False
) -> list[Path]:
    """Figures as PNG and SVG: each set on the tissue; the gene that is shown, measured beside predicted.

    Parameters
    ----------
    key
        The table of predictions on spots; empty for none.
    gene
        The gene to map; empty for none.

    Raises
    ------
    InputError
        If there is nothing to draw, or a file is there and may not be replaced.
    """
    from napari_c2lst.evaluation.figures.style import save

    drawers: dict[str, Any] = {f"spots_{name}": _spots_drawer(slide, each) for name, each in sets.items()}
    if key and gene:
        drawers[_map_name(gene)] = _map_drawer(slide, key, gene)
    if not drawers:
        raise InputError("there is nothing to draw yet", "choose spots, or predict and choose a gene")
    for path in files_of_figures(folder, sets=sets, gene=gene if key else ""):
        refuse_taken(path, replace)
    tissue = _tissue(slide)
    files = [save(draw(tissue), folder, name) for name, draw in drawers.items()]
    return [path for each in files for path in (each.png, each.svg)]


def files_of_figures(folder: Path, *, sets: Mapping[str, SpotSet], gene: str = "") -> list[Path]:
    """The files that `export_figures` would write; `gene` is empty where no map is drawn."""
    names = [*(f"spots_{name}" for name in sets), *([_map_name(gene)] if gene else [])]
    return [folder / f"{name}{kind}" for name in names for kind in (".png", ".svg")]


def _map_name(gene: str) -> str:
    """A name of a file for any gene: probes are called "CD3/CD28", too."""
    return "map_" + re.sub(r"[^\w.-]", "_", gene)


def _spots_drawer(slide: Slide, spots: SpotSet) -> Any:
    def draw(tissue: Any) -> Any:
        from napari_c2lst.evaluation.figures.spots import spots_figure

        title = f"{slide.name}: set '{spots.name}', {int(spots.mask.sum())} of {len(spots.mask)} spots"
        return spots_figure(
            tissue, _yx_um(slide), spots.mask, buffer=spots.left_out, diameter_um=_diameter_um(slide), title=title
        )

    return draw


def _map_drawer(slide: Slide, key: str, gene: str) -> Any:
    from napari_c2lst.plugin.looking.predictions import list_predictions
    from napari_c2lst.plugin.looking.values import load_values

    chosen = next((each for each in list_predictions(slide)[0] if each.key == key and each.where == "spots"), None)
    if chosen is None:
        raise InputError(f"slide '{slide.name}' has no predictions '{key}' on spots", "predict on spots first")
    values = load_values(slide, chosen)
    predicted, measured, at = values.predicted.column(gene), values.measured_here(gene), values.spot
    if measured is None or at is None:
        raise InputError(f"slide '{slide.name}' has no measured values of {gene}", "export the predictions as CSV")

    def draw(tissue: Any) -> Any:
        from napari_c2lst.evaluation.figures.maps import maps_figure

        n = len(slide.require_spots())
        truth, guess, held = np.full((n, 1), np.nan), np.full((n, 1), np.nan), np.zeros(n, dtype=bool)
        truth[at, 0], guess[at, 0] = measured, predicted
        held[at] = values.held_out if values.held_out.any() else True
        title = f"{slide.name}: {gene}, measured and predicted by '{chosen.written.name}'"
        size = _diameter_um(slide)
        predictions = {"predicted": guess}
        return maps_figure(tissue, _yx_um(slide), [gene], truth, predictions, held, diameter_um=size, title=title)

    return draw


def _tissue(slide: Slide) -> Any:
    from napari_c2lst.evaluation.figures.style import Tissue
    from napari_c2lst.slides.images.overview import overview

    picture, downsample = overview(slide.pyramid)
    return Tissue(picture, downsample * slide.mpp)


def _yx_um(slide: Slide) -> Any:
    return slide.require_spots().yx * slide.mpp


def _diameter_um(slide: Slide) -> float:
    return slide.require_spots().diameter_um or 100.0


def _beside(run: Path, named: Any) -> Path | None:
    """A file a result names; where the run folder was moved, the file of that name inside it."""
    if not named:
        return None
    for path in (Path(str(named)), run / Path(str(named)).name):
        if path.is_file():
            return path
    return None


def _write_rows(table: Any, path: Path) -> None:
    import pandas as pd

    from napari_c2lst.plugin.looking.values import dense

    xy = np.asarray(table.obsm["spatial"])
    roles = [name for name in ("training", "held_out", "unseen") if name in table.obs]
    for start in range(0, max(table.n_obs, 1), _ROWS_AT_A_TIME):  # without positions the header alone
        part = slice(start, min(start + _ROWS_AT_A_TIME, table.n_obs))
        frame = pd.DataFrame(dense(table.X[part]), index=table.obs_names[part], columns=table.var_names)
        for name in reversed(roles):
            frame.insert(0, name, np.asarray(table.obs[name])[part])
        frame.insert(0, "y", xy[part, 1])
        frame.insert(0, "x", xy[part, 0])
        first = start == 0
        frame.to_csv(path, mode="w" if first else "a", header=first, index_label="name", float_format="%.4f")


def export_picture(pixels: Any, path: Path, *, replace: bool = False) -> list[Path]:
    """A picture, (h, w, 3 or 4) uint8, as PNG.

    Raises
    ------
    InputError
        If the file is there and may not be replaced.
    """
    from PIL import Image

    refuse_taken(path, replace)
    with atomic_file(path) as file:
        Image.fromarray(np.asarray(pixels)[..., :3]).save(file, format="PNG", optimize=True)
    return [path]
