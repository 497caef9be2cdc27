from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.common.errors import InputError
from napari_c2lst.plugin.keeping import exporting
from napari_c2lst.plugin.runs import RunInfo
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.geojson import read_regions, spots_inside
from napari_c2lst.slides.spots.spotsets import SpotSet


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_predictions_as_csv(slide: Slide, tmp_path: Path) -> None:
    (path,) = exporting.export_predictions(slide, "c2lst_spots_both", tmp_path / "p.csv")
    table = slide.sdata.tables["c2lst_spots_both"]
    written = rows(path)
    assert len(written) == table.n_obs == 213
    assert list(written[0]) == ["name", "x", "y", "training", "held_out", *table.var_names]
    last = written[-1]
    assert last["name"] == table.obs_names[-1]
    assert last["held_out"] == "True"
    assert float(last["x"]) == pytest.approx(table.obsm["spatial"][-1, 0], abs=1e-3)
    gene = table.var_names[0]
    assert float(last[gene]) == pytest.approx(float(np.asarray(table[-1:, [gene]].X).ravel()[0]), abs=1e-3)


def test_parts_make_one_file(slide: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (whole,) = exporting.export_predictions(slide, "c2lst_spots_both", tmp_path / "whole.csv")
    monkeypatch.setattr(exporting, "_ROWS_AT_A_TIME", 50)
    (parts,) = exporting.export_predictions(slide, "c2lst_spots_both", tmp_path / "parts.csv")
    assert parts.read_bytes() == whole.read_bytes()


def test_predictions_that_are_not_there(slide: Slide, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no predictions 'c2lst_spots_gone'"):
        exporting.export_predictions(slide, "c2lst_spots_gone", tmp_path / "p.csv")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_replaced_unasked(slide: Slide, tmp_path: Path, make_set: Callable[..., SpotSet]) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("mine")
    sets = {"train": make_set(slide, "train", 70)}
    with pytest.raises(InputError, match="is there already"):
        exporting.export_predictions(slide, "c2lst_spots_both", path)
    with pytest.raises(InputError, match="is there already"):
        exporting.export_sets(slide, sets, path)
    with pytest.raises(InputError, match="is there already"):
        exporting.export_regions(slide, sets, path)
    with pytest.raises(InputError, match="is there already"):
        exporting.export_picture(np.zeros((2, 2, 3), np.uint8), path)
    assert path.read_text() == "mine"
    exporting.export_sets(slide, sets, path, replace=True)
    assert path.read_text().startswith("spot,x_px")


def test_scores_of_a_run_that_was_moved(tmp_path: Path) -> None:
    run = tmp_path / "scores"
    run.mkdir()
    for name in ("scores", "genes"):
        (run / f"{name}.csv").write_text(f"{name}\n")
    result = {"scores": "/elsewhere/scores.csv", "genes": str(run / "genes.csv"), "differences": "/gone.csv"}
    written = exporting.export_scores(RunInfo(run, "evaluate", "finished", result=result), tmp_path / "mine.csv")
    assert [path.name for path in written] == ["mine.csv", "mine_genes.csv"]
    assert [path.read_text() for path in written] == ["scores\n", "genes\n"]
    with pytest.raises(InputError, match="holds no scores"):
        exporting.export_scores(RunInfo(tmp_path, "evaluate", "finished"), tmp_path / "x.csv")


def test_sets_as_csv(slide: Slide, tmp_path: Path, make_set: Callable[..., SpotSet]) -> None:
    sets = {"train": make_set(slide, "train", 70), "few": make_set(slide, "few", 9)}
    (path,) = exporting.export_sets(slide, sets, tmp_path / "sets.csv")
    written = rows(path)
    assert len(written) == 283
    assert list(written[0]) == ["spot", "x_px", "y_px", "x_um", "y_um", "train", "few"]
    assert sum(row["train"] == "selected" for row in written) == 70
    assert [written[i]["few"] for i in (0, 9, 282)] == ["selected", "held out", "left out"]
    assert float(written[5]["x_um"]) == pytest.approx(float(written[5]["x_px"]) * slide.mpp, abs=0.02)
    with pytest.raises(InputError, match="no set of spots"):
        exporting.export_sets(slide, {}, tmp_path / "none.csv")


def test_sets_as_geojson_choose_the_same_spots(slide: Slide, tmp_path: Path, make_set: Callable[..., SpotSet]) -> None:
    sets = {"train": make_set(slide, "train", 70), "few": make_set(slide, "few", 9)}
    (path,) = exporting.export_regions(slide, sets, tmp_path / "sets.geojson")
    for name, spots in sets.items():
        found = spots_inside(read_regions(path, labels=[name]), slide.require_spots().yx)
        assert np.array_equal(found, spots.mask)
    feature = json.loads(path.read_text())["features"][0]
    assert feature["properties"]["classification"]["name"] == "train"
    assert feature["properties"]["objectType"] == "annotation"
    with pytest.raises(InputError, match="no set of spots"):
        exporting.export_regions(slide, {}, tmp_path / "none.geojson")


def test_figures_of_sets_and_of_the_gene(slide: Slide, tmp_path: Path, make_set: Callable[..., SpotSet]) -> None:
    sets = {"train": make_set(slide, "train", 70)}
    gene = slide.sdata.tables["c2lst_spots_both"].var_names[0]
    written = exporting.export_figures(slide, tmp_path / "f", sets=sets, key="c2lst_spots_both", gene=gene)
    names = ["spots_train.png", "spots_train.svg", f"map_{gene}.png", f"map_{gene}.svg"]
    assert [path.name for path in written] == names
    for path in written[::2]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert pixels.shape[0] > 300
        assert pixels.std() > 10
    assert "<svg" in written[1].read_text()[:500]
    with pytest.raises(InputError, match="is there already"):
        exporting.export_figures(slide, tmp_path / "f", sets=sets)
    with pytest.raises(InputError, match="nothing to draw"):
        exporting.export_figures(slide, tmp_path / "g", sets={})
    with pytest.raises(InputError, match="no predictions 'c2lst_grid_x' on spots"):
        exporting.export_figures(slide, tmp_path / "g", sets={}, key="c2lst_grid_x", gene=gene)


def test_a_picture(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 4), dtype=np.uint8)
    (path,) = exporting.export_picture(pixels, tmp_path / "view.png")
    assert np.array_equal(np.asarray(Image.open(path)), pixels[..., :3])
